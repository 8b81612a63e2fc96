// Bodies and their expressions.

extension Parser {
    /// The expressions up to a closing token, which is at hand afterwards.
    mutating func parseBody(until end: Token) -> Body? {
        guard enter() else { return nil }
        defer { leave() }
        return parseQuery(until: end, oneExpression: false)
    }

    /// Expressions, separated by semicolons or ends of lines.
    ///
    /// - Parameter oneExpression: only semicolons make it more than one expression; what follows is left alone.
    mutating func parseQuery(until end: Token, oneExpression: Bool) -> Body? {
        guard state.token != end else {
            report("found empty body", at: location)
            return nil
        }
        var body: Body = []
        while true {
            guard let expression = parseLiteral() else { return nil }
            body.append(expression)
            if state.token == .semicolon {
                scan()
                continue
            }
            if state.token == end || oneExpression { return body }
            guard state.skippedNewline else {
                // A problem of the expression itself says more.
                if problems.isEmpty { illegal("expected \\n or ; or \(end.name)") }
                return nil
            }
        }
    }

    /// One expression with its `not`, `some`, `every`, `and`, `or` and `with`.
    mutating func parseLiteral() -> Expression? {
        let place = location
        let start = state.start
        guard var expression = parseLiteralKind() else { return nil }
        expression.location = spanning(place, from: start, to: state.lastEnd)
        return expression
    }

    private mutating func parseLiteralKind() -> Expression? {
        if keywords.contains(.logicalAnd) || keywords.contains(.logicalOr) || notTakesBody { return parseLogical() }
        if takeKeywordAsName() { return parseExpressionWithModifiers() }
        switch state.token {
        case .some: return parseSome()
        case .every: return parseEvery()
        case .not:
            scan()
            if state.token == .some || state.token == .every {
                illegal("illegal negation of '\(state.token.name)'")
                return nil
            }
            guard var expression = parseExpressionWithModifiers() else { return nil }
            expression.isNegated = true
            return expression
        default: return parseExpressionWithModifiers()
        }
    }

    private mutating func parseExpressionWithModifiers() -> Expression? {
        let kept = state
        guard var expression = parseExpression() else { return nil }
        guard parseModifiers(of: &expression) else { return nil }
        if version == .v0, !keywords.contains(.every), case .term(let term) = expression.kind, case .variable("every") = term.value {
            hintAtEvery(from: kept)
        }
        return expression
    }

    /// `with target as value …`; false when one is not well formed.
    mutating func parseModifiers(of expression: inout Expression) -> Bool {
        while state.token == .with {
            let place = location
            let start = state.start
            scan()
            guard state.token == .identifier else {
                illegal("expected ident")
                return false
            }
            guard let target = parseTerm() else { return false }
            switch target.value {
            case .ref, .variable: break
            default: illegal("expected with target path")
            }
            guard state.token == .as else {
                illegal("expected as keyword")
                return false
            }
            scan()
            guard let value = parseInfix() else { return false }
            expression.with.append(With(target: target, value: value, at: spanning(place, from: start, to: state.lastEnd)))
        }
        return true
    }

    /// A term, a call, an assignment or a unification.
    mutating func parseExpression() -> Expression? {
        guard let left = parseInfix() else { return nil }
        let sign: InfixOperator
        switch state.token {
        case .assign: sign = .assign
        case .unify: sign = .unify
        default:
            if case .call(let terms) = left.value { return Expression(.call(terms), at: left.location) }
            return Expression(.term(left), at: left.location)
        }
        let operatorTerm = sign.term(at: location)
        scan()
        guard let right = parseInfix() else { return nil }
        return Expression(.call([operatorTerm, left, right]), at: left.location)
    }

    mutating func parseSome() -> Expression? {
        let place = location
        let kept = state
        scan()
        if let term = parseInfix(), case .call(let terms) = term.value {
            switch InfixOperator(operator: terms[0]) {
            case .member where terms.count == 3, .memberWithKey where terms.count == 4: break
            case .member, .memberWithKey:
                illegal("illegal domain")
                return nil
            default:
                illegal("expected `x in xs` or `x, y in xs` expression")
                return nil
            }
            var expression = Expression(.some(SomeDeclaration(symbols: [term], at: place)), at: place)
            return parseModifiers(of: &expression) ? expression : nil
        }
        restore(kept)
        if version == .v0 { hintAtIn(from: kept) }
        var symbols: [Term] = []
        repeat {
            scan()
            guard state.token == .identifier else {
                illegal("expected var")
                return nil
            }
            symbols.append(parseVariable())
            scan()
        } while state.token == .comma
        return Expression(.some(SomeDeclaration(symbols: symbols, at: place)), at: place)
    }

    mutating func parseEvery() -> Expression? {
        guard let every = parseEveryAlone() else { return nil }
        var expression = Expression(.every(every), at: every.location)
        return parseModifiers(of: &expression) ? expression : nil
    }

    /// Without modifiers.
    mutating func parseEveryAlone() -> Every? {
        let place = location
        scan()
        guard let term = parseInfix() else { return nil }
        var key: Term?
        let value: Term
        let domain: Term
        guard case .call(let terms) = term.value else {
            illegal("expected `x[, y] in xs { ... }` expression")
            return nil
        }
        switch InfixOperator(operator: terms[0]) {
        case .member where terms.count == 3:
            value = terms[1]
            domain = terms[2]
        case .memberWithKey where terms.count == 4:
            key = terms[1]
            value = terms[2]
            domain = terms[3]
            guard case .variable = terms[1].value else {
                illegal("expected key to be a variable")
                return nil
            }
        case .member, .memberWithKey:
            illegal("illegal domain")
            return nil
        default:
            illegal("expected `x[, y] in xs { ... }` expression")
            return nil
        }
        guard case .variable = value.value else {
            illegal("expected value to be a variable")
            return nil
        }
        guard state.token == .leftBrace else {
            illegal("missing body")
            return nil
        }
        scan()
        guard let body = parseBody(until: .rightBrace) else { return nil }
        scan()
        return Every(key: key, value: value, domain: domain, body: body, at: place)
    }

    // MARK: - Hints for v0

    private mutating func hintAtIn(from kept: LexerState) {
        let found = withAllKeywords { parser in
            parser.scan()
            guard let term = parser.parseInfix(), case .call(let terms) = term.value else { return false }
            let sign = InfixOperator(operator: terms[0])
            return sign == .member || sign == .memberWithKey
        }
        restore(kept)
        if found { hint("`import future.keywords.in` for `some x in xs` expressions") }
    }

    private mutating func hintAtEvery(from kept: LexerState) {
        let after = state
        restore(kept)
        let found = withAllKeywords { parser in parser.parseEvery() != nil }
        restore(kept)
        state = after
        if found { hint("`import future.keywords.every` for `every x in xs { ... }` expressions") }
    }

    private mutating func withAllKeywords(_ body: (inout Parser) -> Bool) -> Bool {
        let before = keywords
        keywords.formUnion(.v1)
        // What was read with other keywords may be something else.
        memo.removeAll()
        defer {
            keywords = before
            memo.removeAll()
        }
        return body(&self)
    }
}

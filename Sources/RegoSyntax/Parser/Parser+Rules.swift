// Rules: heads, bodies, `else`, and the constants that have no body.

extension Parser {
    /// A rule, or as many rules as a v0 rule has bodies. Nil without a problem when it is an expression.
    mutating func parseRules() -> [Rule]? {
        let place = location
        let start = state.start
        takeKeywordAsName()
        var isDefault = false
        if state.token == .default {
            scan()
            isDefault = true
            takeKeywordAsName()
        }
        guard state.token == .identifier, var head = parseHead(isDefault: isDefault) else { return nil }
        if isDefault {
            guard checkDefault(head, at: place) else { return nil }
            return [Rule(isDefault: true, head: head, body: [.alwaysTrue(at: place)], at: place)]
        }
        let hasIf = state.token == .if
        head.hasIf = hasIf
        settleKind(of: &head)
        var body: Body
        if hasIf {
            scan()
            guard let found = parseIfBody() else { return nil }
            body = found
        } else if state.token == .leftBrace {
            scan()
            guard let found = parseBody(until: .rightBrace) else { return nil }
            scan()
            body = found
        } else if head.hasContains {
            let rule = Rule(head: head, body: [.alwaysTrue(at: place)], hasGeneratedBody: true, at: head.location)
            return [rule]
        } else {
            return parseConstant(head, at: place, from: start)
        }

        var elses: [ElseBranch] = []
        if state.token == .else, !takeKeywordAsName() {
            if head.ref.count > 1, !head.ref.dropFirst().allSatisfy(\.isGround) {
                report("else keyword cannot be used on rules with variables in head", at: location)
                return nil
            }
            if head.key != nil {
                report("else keyword cannot be used on multi-value rules", at: location)
                return nil
            }
            while state.token == .else {
                guard let branch = parseElse(of: head) else { return nil }
                elses.append(branch)
            }
        }
        var rules = [Rule(head: head, body: body, elses: elses, at: spanning(place, from: start, to: state.lastEnd))]
        while state.token == .leftBrace {
            guard elses.isEmpty else {
                report("expected else keyword", at: location)
                return nil
            }
            let next = location
            let nextStart = state.start
            scan()
            guard let body = parseBody(until: .rightBrace) else { return nil }
            scan()
            let whole = spanning(next, from: nextStart, to: state.lastEnd)
            var copy = head
            copy.arguments = renewed(head.arguments)
            copy.location = whole
            rules.append(Rule(head: copy, body: body, isChained: true, at: whole))
        }
        return rules
    }

    /// What follows `if`: an expression, or a body in braces.
    ///
    /// OPA reads an expression first, and takes a set alone for a body. Reading the body first finds the same, but for the texts that
    /// are told apart here, which are then read in OPA's order: so are the ones that are neither, for the sake of the problem.
    private mutating func parseIfBody() -> Body? {
        let kept = state
        if state.token == .leftBrace {
            scan()
            // A body may be read to its end and have a problem all the same.
            if let body = parseBody(until: .rightBrace), problems.count == kept.problemCount {
                let ambiguous = body[0].beginsWithUnion
                scan()
                if !ambiguous, !continuesTerm { return body }
            }
            restore(kept)
        }
        if let expression = parseLiteral(), !expression.isSetAlone { return [expression] }
        // The problem of the expression is forgotten: OPA reads on as if it were a body, whatever is at hand.
        restore(kept)
        scan()
        guard let body = parseBody(until: .rightBrace) else { return nil }
        scan()
        return body
    }

    /// The token at hand goes on with a term that ended before it.
    private var continuesTerm: Bool {
        switch state.token {
        case .dot, .leftBracket, .leftParenthesis: isAdjacent
        case .unify, .assign, .in, .with, .logicalAnd, .logicalOr, .comma: true
        default: state.token.infix != nil
        }
    }

    /// What OPA makes of `p[x]`, for the sake of policies older than references in heads.
    private mutating func settleKind(of head: inout Head) {
        guard head.ref.count == 2, !head.hasContains else { return }
        guard case .variable(let name) = head.ref[0].value else { return }
        if head.hasIf {
            // `p[x] if …` is one value at `p[x]`.
            let part = head.ref[1]
            let isRef = if case .ref = part.value { true } else { false }
            if !part.isGround || isRef, head.arguments.isEmpty { head.key = part }
            if head.value == nil {
                head.hasGeneratedValue = true
                head.value = Term(.boolean(true), at: head.location)
            } else {
                head.name = name
            }
        } else if head.arguments.isEmpty {
            // `p[x]` is the set p.
            head.name = name
            head.key = head.ref[1]
            if head.value == nil { head.ref.removeLast() }
        }
    }

    private mutating func parseElse(of head: Head) -> ElseBranch? {
        let place = location
        let start = state.start
        let arguments = renewed(head.arguments)
        scan()
        var value = Term(.boolean(true), at: .none)
        var hasGeneratedValue = true
        var isAssigned = head.isAssigned
        var headEnd = state.lastEnd
        switch state.token {
        case .leftBrace, .if: break
        case .assign, .unify:
            isAssigned = state.token == .assign
            scan()
            guard let term = parseInfix() else { return nil }
            value = term
            hasGeneratedValue = false
            headEnd = state.lastEnd
        default:
            illegal("expected else value term or rule body")
            return nil
        }
        let hasIf = state.token == .if
        var body: Body
        var hasGeneratedBody = false
        if hasIf { scan() }
        if hasIf, state.token != .eof {
            guard let found = parseIfBody() else { return nil }
            body = found
        } else if state.token == .leftBrace {
            scan()
            guard let found = parseBody(until: .rightBrace) else { return nil }
            scan()
            body = found
        } else if !hasIf {
            hasGeneratedBody = true
            body = [.alwaysTrue(at: spanning(place, from: start, to: state.lastEnd))]
        } else {
            illegal("rule body expected")
            return nil
        }
        return ElseBranch(
            value: value, hasGeneratedValue: hasGeneratedValue, isAssigned: isAssigned, hasIf: hasIf, body: body,
            hasGeneratedBody: hasGeneratedBody, arguments: arguments, location: spanning(place, from: start, to: state.lastEnd),
            headLocation: spanning(place, from: start, to: headEnd))
    }

    /// The same arguments, but each `_` another variable.
    private mutating func renewed(_ arguments: [Term]) -> [Term] {
        guard arguments.contains(where: \.isWildcard) else { return arguments }
        return arguments.map { $0.isWildcard ? Term(.variable(nextWildcard()), at: $0.location) : $0 }
    }

    // MARK: - Constants

    /// A rule without a body: `p := 1`. Nil when the text goes on as an expression, which `Statement.body` then is.
    private mutating func parseConstant(_ head: Head, at place: Location, from start: Int) -> [Rule]? {
        guard let value = head.value, !head.hasGeneratedValue, problems.isEmpty else { return nil }
        switch state.token {
        case .with, .semicolon, .assign, .unify, .logicalAnd, .logicalOr: return nil
        default: break
        }
        let whole = spanning(place, from: start, to: state.lastEnd)
        var head = head
        if head.ref.count == 2, head.arguments.isEmpty, case .variable(let name) = head.ref[0].value {
            head.name = name
            head.key = head.ref[1]
        }
        head.location = whole
        return [Rule(head: head, body: [.alwaysTrue(at: value.location)], hasGeneratedBody: true, at: whole)]
    }
}

extension Expression {
    /// The body that is not written.
    static func alwaysTrue(at location: Location) -> Expression {
        Expression(.term(Term(.boolean(true), at: location)), at: location)
    }

    /// A set literal and nothing else: never false, so a body was meant.
    var isSetAlone: Bool {
        guard !isNegated, case .term(let term) = kind, case .set = term.value else { return false }
        return true
    }

    /// `x | …` at its very start, which in braces is a comprehension.
    fileprivate var beginsWithUnion: Bool {
        switch kind {
        case .term(let term): return term.beginsWithUnion
        case .call(let terms):
            if InfixOperator(operator: terms[0]) == .union { return true }
            return terms.count > 1 && InfixOperator(operator: terms[0]) != nil && terms[1].beginsWithUnion
        case .some, .every, .not: return false
        case .and(let operation), .or(let operation): return operation.left.body[0].beginsWithUnion
        }
    }
}

extension Term {
    fileprivate var beginsWithUnion: Bool {
        guard !isParenthesized, case .call(let terms) = value, let sign = InfixOperator(operator: terms[0]) else { return false }
        return sign == .union || (terms.count > 1 && terms[1].beginsWithUnion)
    }

    var isWildcard: Bool {
        guard case .variable(let name) = value else { return false }
        return name.utf8.first == UInt8(ascii: "$")
    }

    /// It has no variable in it, outside of comprehensions.
    public var isGround: Bool {
        switch value {
        case .variable: return false
        case .ref(let parts):
            // A reference's head is not one of its variables.
            return parts.dropFirst().allSatisfy(\.isGround)
        case .call(let parts): return parts.allSatisfy(\.isGround)
        case .array(let parts), .set(let parts): return parts.allSatisfy(\.isGround)
        case .object(let items): return items.allSatisfy { $0.key.isGround && $0.value.isGround }
        case .null, .boolean, .number, .string, .arrayComprehension, .setComprehension, .objectComprehension, .template: return true
        }
    }

    /// Calls `body` with the value and all within it, but for comprehensions; where it answers false, not with what is within.
    func forEachOutsideClosures(_ body: (TermValue) -> Bool) {
        if case .arrayComprehension = value { return }
        if case .setComprehension = value { return }
        if case .objectComprehension = value { return }
        guard body(value) else { return }
        switch value {
        case .array(let parts), .set(let parts), .ref(let parts), .call(let parts):
            for part in parts { part.forEachOutsideClosures(body) }
        case .object(let items):
            for item in items {
                item.key.forEachOutsideClosures(body)
                item.value.forEachOutsideClosures(body)
            }
        default: break
        }
    }
}

// The experimental keywords `and`, `or` and `not`: `or` binds less than `and`, `and` less than `not`, all less than any operator.
// An operand in braces is a body of its own; a set or an object at that place needs parentheses.

extension Parser {
    /// One expression where at least one of the keywords is known; `with` is for the whole of it.
    mutating func parseLogical() -> Expression? {
        if !takeKeywordAsName(), state.token == .some { return parseSome() }
        guard var expression = parseOr() else { return nil }
        // `(a with input as 1) with input as 2`: the inner one has the last word, as the last one has.
        let inner = expression.with
        expression.with = []
        guard parseModifiers(of: &expression) else { return nil }
        expression.with += inner
        return expression
    }

    private mutating func parseOr() -> Expression? {
        let start = state.start
        let place = location
        guard var left = parseAnd() else { return nil }
        var links = 0
        defer { depth -= links }
        while state.token == .logicalOr {
            scan()
            guard let right = parseAnd(isRight: true) else { return nil }
            let whole = spanning(place, from: start, to: state.lastEnd)
            let operation = LogicalOperation(left: left.operand, right: right.operand, at: whole)
            left = Logical(Expression(.or(operation), at: whole))
            guard enter() else { return nil }
            links += 1
        }
        return left.expression
    }

    private mutating func parseAnd(isRight: Bool = false) -> Logical? {
        let start = state.start
        let place = location
        guard var left = parseOperand(isRight: isRight) else { return nil }
        var links = 0
        defer { depth -= links }
        while state.token == .logicalAnd {
            scan()
            guard let right = parseOperand(isRight: true) else { return nil }
            let whole = spanning(place, from: start, to: state.lastEnd)
            let operation = LogicalOperation(left: left.operand, right: right.operand, at: whole)
            left = Logical(Expression(.and(operation), at: whole))
            guard enter() else { return nil }
            links += 1
        }
        return left
    }

    /// What an operand may be until it is known whether an operator follows.
    private struct Logical {
        var expression: Expression
        /// In braces: the body, and then `expression` is its first one.
        var body: Body?
        var isParenthesized = false
        /// With its braces or parentheses.
        var location: Location

        var operand: LogicalOperand {
            if let body { return LogicalOperand(body: body, shape: .braces, at: location) }
            return LogicalOperand(body: [expression], shape: isParenthesized ? .parentheses : .plain, at: location)
        }

        init(_ expression: Expression) {
            self.expression = expression
            location = expression.location
        }
    }

    private mutating func parseOperand(isRight: Bool) -> Logical? {
        guard enter() else { return nil }
        defer { leave() }
        let start = state.start
        let place = location
        takeKeywordAsName()
        switch state.token {
        case .not: return parseNot().map { Logical($0) }
        case .every:
            guard let every = parseEveryAlone() else { return nil }
            return Logical(Expression(.every(every), at: spanning(place, from: start, to: state.lastEnd)))
        case .some where isRight:
            illegal("illegal use of 'some'")
            return nil
        case .leftBrace where isRight: return parseBracedOperand()
        case .leftBrace:
            // A set or an object, unless a body is followed by `and` or `or`.
            let kept = state
            speculations += 1
            let braced = parseBracedOperand()
            speculations -= 1
            let isOperand = state.token == .logicalAnd || state.token == .logicalOr
            if let braced, isOperand, problems.count == kept.problemCount { return braced }
            restore(kept)
        case .leftParenthesis:
            // `(a or b)` is no term; `(a + b) == c` is one.
            let kept = state
            speculations += 1
            let group = parseGroup()
            speculations -= 1
            if let group, problems.count == kept.problemCount { return group }
            restore(kept)
        default: break
        }
        guard var expression = parseExpression() else { return nil }
        expression.location = spanning(place, from: start, to: state.lastEnd)
        return Logical(expression)
    }

    private mutating func parseBracedOperand() -> Logical? {
        let start = state.start
        let place = location
        scan()
        guard let body = parseBody(until: .rightBrace) else { return nil }
        scan()
        var operand = Logical(body[0])
        operand.body = body
        operand.location = spanning(place, from: start, to: state.lastEnd)
        return operand
    }

    /// `(… and …)`, `(… or …)`, `(not …)` or `(… with …)`; nil when the parentheses hold a term.
    private mutating func parseGroup() -> Logical? {
        guard enter() else { return nil }
        defer { leave() }
        let start = state.start
        let place = location
        scan()
        let inside = state.start
        let insidePlace = location
        guard var inner = parseOr() else { return nil }
        guard parseModifiers(of: &inner), state.token == .rightParenthesis else { return nil }
        switch inner.kind {
        case .and, .or, .not: break
        default: guard inner.isNegated || !inner.with.isEmpty else { return nil }
        }
        inner.location = spanning(insidePlace, from: inside, to: state.start)
        scan()
        var operand = Logical(inner)
        operand.isParenthesized = true
        operand.location = spanning(place, from: start, to: state.lastEnd)
        return operand
    }

    /// With `import future.keywords.not` a body with its own scope, else the old negation.
    private mutating func parseNot() -> Expression? {
        let start = state.start
        let place = location
        scan()
        if state.token == .some || state.token == .every && !notTakesBody {
            illegal("illegal negation of '\(state.token.name)'")
            return nil
        }
        if notTakesBody, state.token == .leftBrace {
            scan()
            guard let body = parseBody(until: .rightBrace) else { return nil }
            scan()
            let whole = spanning(place, from: start, to: state.lastEnd)
            return Expression(.not(NotBody(body: body, isExplicit: true, at: whole)), at: whole)
        }
        guard let operand = parseOperand(isRight: notTakesBody) else { return nil }
        let whole = spanning(place, from: start, to: state.lastEnd)
        let isLogical =
            switch operand.expression.kind {
            case .and, .or, .not: true
            default: operand.expression.isNegated
            }
        if notTakesBody || isLogical {
            return Expression(.not(NotBody(body: [operand.expression], isExplicit: false, at: whole)), at: whole)
        }
        var expression = operand.expression
        expression.isNegated = true
        expression.location = whole
        return expression
    }
}

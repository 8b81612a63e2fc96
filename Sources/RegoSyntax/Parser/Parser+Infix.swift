// Operators: `in` binds least, then comparisons, `|`, `&`, `+ -`, `* / %`; all group to the left.

extension Parser {
    /// A term with operators; `k, v in xs` too.
    mutating func parseInfix() -> Term? { parseIn(isList: false, first: nil) }

    /// A term with operators in a list, where a comma ends it.
    mutating func parseInfixInList() -> Term? { parseIn(isList: true, first: nil) }

    /// Goes on after a first term that was read already.
    mutating func parseInfixInList(after first: Term) -> Term? { parseIn(isList: true, first: first) }

    private mutating func parseIn(isList: Bool, first: Term?) -> Term? {
        let offset = first.map { Int($0.location.offset) } ?? state.start
        guard var left = parseOperators(atLeast: 1, from: offset, first: first) else { return nil }
        var links = 0
        defer { depth -= links }
        while true {
            if !isList, state.token == .comma, keywords.contains(.in) {
                let kept = state
                scan()
                if let middle = parseOperators(atLeast: 1, from: offset, first: nil), state.token == .in {
                    let sign = InfixOperator.memberWithKey.term(at: location)
                    scan()
                    if let right = parseOperators(atLeast: 1, from: state.start, first: nil) {
                        let place = spanning(left.location, from: offset, to: state.lastEnd)
                        left = Term(.call([sign, left, middle, right]), at: place)
                        guard state.token == .in else { return left }
                        guard enter() else { return nil }
                        links += 1
                        continue
                    }
                }
                restore(kept)
            }
            takeKeywordAsName()
            guard state.token == .in else { return left }
            let sign = InfixOperator.member.term(at: location)
            scan()
            guard let right = parseOperators(atLeast: 1, from: state.start, first: nil) else { return left }
            left = Term(.call([sign, left, right]), at: spanning(left.location, from: offset, to: state.lastEnd))
            guard state.token == .in else { return left }
            guard enter() else { return nil }
            links += 1
        }
    }

    /// Operators that bind at least as tightly as `atLeast`.
    private mutating func parseOperators(atLeast least: Int, from offset: Int, first: Term?) -> Term? {
        var left: Term
        if let first {
            left = first
        } else {
            guard let term = parseTerm() else { return nil }
            left = term
        }
        var most = Int.max
        var links = 0
        defer { depth -= links }
        while let (sign, precedence) = state.token.infix, precedence >= least, precedence < most {
            let operatorTerm = sign.term(at: location)
            scan()
            guard enter() else { return nil }
            let operand = parseOperators(atLeast: precedence + 1, from: state.start, first: nil)
            leave()
            guard let right = operand else {
                // The problem is reported; looser operators may still follow, as OPA has it.
                most = precedence
                continue
            }
            left = Term(.call([operatorTerm, left, right]), at: spanning(left.location, from: offset, to: state.lastEnd))
            // Each link makes the tree one level deeper.
            guard enter() else { return nil }
            links += 1
        }
        return left
    }
}

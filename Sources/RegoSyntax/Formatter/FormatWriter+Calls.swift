// Calls, as operators where they are some, with the parentheses that carry meaning.

extension FormatWriter {
    /// A call as an expression.
    ///
    /// - Parameter wrapsUnion: it is the first in braces, where `x | y` would begin a comprehension.
    mutating func writeCallExpression(_ terms: [Term], wrapsUnion: Bool) throws(CommentClash) {
        guard let sign = InfixOperator(operator: terms[0]) else { return try writePlainCall(terms) }
        switch sign {
        case .member, .memberWithKey: return try writeIn(terms, inParentheses: false)
        default: break
        }
        switch terms.count {
        case 3:
            let wrapsAll = wrapsUnion && sign == .union
            if wrapsAll { write("(") }
            defer { if wrapsAll { write(")") } }
            let wrapsLeft = wrapsUnion && !wrapsAll && terms[1].isUnion
            try writeTerm(terms[1], orWrapped: wrapsLeft || terms[1].needsParentheses(leftOf: sign))
            write(" \(sign.sign) ")
            try writeTerm(terms[2], orWrapped: terms[2].needsParentheses(rightOf: sign))
        case 4:
            // `plus(x, y, z)`: the last one is the result.
            try writeTerm(terms[3], orWrapped: wrapsUnion && terms[3].isUnion)
            write(" = ")
            try writeTerm(terms[1], orWrapped: terms[1].needsParentheses(leftOf: sign))
            write(" \(sign.sign) ")
            try writeTerm(terms[2], orWrapped: terms[2].needsParentheses(rightOf: sign))
        default:
            arityMismatch(sign, at: terms[0].location)
            try writePlainCall(terms)
        }
    }

    private mutating func writePlainCall(_ terms: [Term]) throws(CommentClash) {
        if case .ref(let parts) = terms[0].value { try writeRef(parts) } else { write(TermText.text(of: terms[0])) }
        write("(")
        defer { write(")") }
        let arguments = terms.dropFirst().map { Element.term($0) }
        try writeList(arguments, in: terms[0].location, closingRow: -1, style: .arguments)
    }

    /// A call as a term.
    mutating func writeCall(_ terms: [Term], inParentheses: Bool, at location: Location) throws(CommentClash) {
        guard let sign = InfixOperator(operator: terms[0]) else { return try writePlainCall(terms) }
        switch sign {
        case .memberWithKey: return try writeIn(terms, inParentheses: true)
        case .member: return try writeIn(terms, inParentheses: inParentheses)
        // `a = b` is an expression, not a term: as a term it is a call.
        case .assign, .unify: return try writePlainCall(terms)
        default: break
        }
        guard terms.count == 3 else { return arityMismatch(sign, at: location) }
        if inParentheses { write("(") }
        try writeTerm(terms[1], inParentheses: true)
        write(" \(sign.sign) ")
        try writeTerm(terms[2], inParentheses: true)
        if inParentheses { write(")") }
    }

    mutating func writeIn(_ terms: [Term], inParentheses: Bool) throws(CommentClash) {
        let sign = InfixOperator(operator: terms[0])
        switch (sign, terms.count) {
        case (.member?, 3), (.memberWithKey?, 4): break
        default: return arityMismatch(sign ?? .member, at: terms[0].location)
        }
        if inParentheses { write("(") }
        // `in` groups to the left: only there it may stand without parentheses.
        let isPlain = sign == .member && terms[1].isCall(of: .member)
        try writeTerm(terms[1], inParentheses: !isPlain)
        if sign == .memberWithKey {
            write(", ")
            try writeTerm(terms[2], inParentheses: true)
        }
        write(" in ")
        try writeTerm(terms[terms.count - 1], inParentheses: true)
        if inParentheses { write(")") }
    }

    /// In parentheses where leaving them out would change the meaning; OPA leaves them out.
    mutating func writeTerm(_ term: Term, orWrapped isWrapped: Bool) throws(CommentClash) {
        if isWrapped { try writeTerm(term, inParentheses: true) } else { try writeTerm(term) }
    }

    private mutating func arityMismatch(_ sign: InfixOperator, at location: Location) {
        problems.append(SyntaxProblem(code: SyntaxProblem.typeError, message: "\(sign.name): arity mismatch", at: location))
    }
}

extension Term {
    func isCall(of sign: InfixOperator) -> Bool {
        guard case .call(let terms) = value else { return false }
        return InfixOperator(operator: terms[0]) == sign
    }

    /// How tightly the term's own operator binds; nil when it has none.
    private var precedence: Int? {
        guard case .call(let terms) = value else { return nil }
        return InfixOperator(operator: terms[0]).flatMap(\.precedence)
    }

    fileprivate func needsParentheses(leftOf sign: InfixOperator) -> Bool {
        guard let outer = sign.precedence, let precedence else { return false }
        return precedence < outer
    }

    fileprivate func needsParentheses(rightOf sign: InfixOperator) -> Bool {
        guard let outer = sign.precedence, let precedence else { return false }
        return precedence <= outer
    }
}

extension InfixOperator {
    /// How tightly it binds; nil for what makes no term.
    fileprivate var precedence: Int? {
        switch self {
        case .assign, .unify: nil
        case .member, .memberWithKey: 0
        case .equal, .notEqual, .lessThan, .lessOrEqual, .greaterThan, .greaterOrEqual: 1
        case .union: 2
        case .intersection: 3
        case .plus, .minus: 4
        case .multiply, .divide, .remainder: 5
        }
    }
}

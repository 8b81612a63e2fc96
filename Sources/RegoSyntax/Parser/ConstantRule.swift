/// Rules that are written as an expression: `p = 1`, `f(x)`, v0's `p[x]`.
enum ConstantRule {
    /// Why an expression is no rule, in OPA's words.
    struct Refusal: Error { var message: String }

    static func rule(of body: Body) throws(Refusal) -> Rule {
        guard body.count == 1 else { throw Refusal(message: "multiple expressions cannot be used for rule head") }
        let expression = body[0]
        guard expression.with.isEmpty else { throw Refusal(message: "expressions using with keyword cannot be used for rule head") }
        guard !expression.isNegated else { throw Refusal(message: "negated expressions cannot be used for rule head") }
        switch expression.kind {
        case .some: throw Refusal(message: "'some' declarations cannot be used for rule head")
        case .every, .not, .and, .or: throw Refusal(message: "expression cannot be used for rule head")
        case .term(let term): return try rule(ofTerm: term)
        case .call(let terms):
            switch InfixOperator(operator: terms[0]) {
            case .unify?, .assign?:
                guard terms.count >= 3 else { throw Refusal(message: "assignment requires two operands") }
                let isAssigned = InfixOperator(operator: terms[0]) == .assign
                return try rule(of: terms[1], equal: terms[2], isAssigned: isAssigned, at: expression.location)
            case _?: throw Refusal(message: "rule name conflicts with built-in function")
            case nil: return try rule(ofCall: terms)
            }
        }
    }

    private static func rule(ofTerm term: Term) throws(Refusal) -> Rule {
        guard case .ref(let parts) = term.value else {
            throw Refusal(message: "\(term.value.kindName) cannot be used for rule name")
        }
        guard parts.count > 1 else { throw Refusal(message: "refs cannot be used for rule head") }
        guard case .variable(let name) = parts[0].value else { throw Refusal(message: "invalid rule head: \(TermText.text(ofRef: parts))") }
        var head = Head(ref: parts, at: term.location)
        if parts.count == 2 {
            head.ref.removeLast()
            head.name = name
            head.key = parts[1]
        } else {
            head.value = Term(.boolean(true), at: term.location)
            head.hasGeneratedValue = true
        }
        return Rule(head: head, body: [.alwaysTrue(at: term.location)], hasGeneratedBody: true, at: term.location)
    }

    private static func rule(of left: Term, equal right: Term, isAssigned: Bool, at location: Location) throws(Refusal) -> Rule {
        var head: Head
        switch left.value {
        case .variable(let name):
            head = Head(ref: [left], at: location)
            head.name = name
        case .ref(let parts):
            guard case .variable(let name) = parts[0].value else {
                throw Refusal(message: "invalid rule head: \(TermText.text(ofRef: parts))")
            }
            head = Head(ref: parts, at: location)
            if parts.count < 3 { head.name = name }
            if parts.count == 2 { head.key = parts[1] }
        case .call(let terms):
            guard case .ref(let parts) = terms[0].value else {
                throw Refusal(message: "\(terms[0].value.kindName)s cannot be used in function signature")
            }
            guard case .variable(let name) = parts[0].value else {
                throw Refusal(message: "invalid rule head: \(TermText.text(ofRef: parts))")
            }
            head = Head(ref: parts, at: location)
            if parts.count == 1 { head.name = name }
            head.arguments = Array(terms.dropFirst())
        default: throw Refusal(message: "\(left.value.kindName) cannot be used for rule name")
        }
        head.value = right
        head.isAssigned = isAssigned
        return Rule(head: head, body: [.alwaysTrue(at: right.location)], hasGeneratedBody: true, at: location)
    }

    private static func rule(ofCall terms: [Term]) throws(Refusal) -> Rule {
        guard terms.count > 1 else { throw Refusal(message: "rule argument list must take at least one argument") }
        guard case .ref(let parts) = terms[0].value, case .variable(let name) = parts[0].value else {
            throw Refusal(message: "invalid rule head: \(TermText.text(of: terms[0]))")
        }
        let location = terms[0].location
        var head = Head(ref: parts, at: location)
        if parts.count == 1 { head.name = name }
        head.arguments = Array(terms.dropFirst())
        head.value = Term(.boolean(true), at: location)
        head.hasGeneratedValue = false
        return Rule(head: head, body: [.alwaysTrue(at: location)], hasGeneratedBody: true, at: location)
    }
}

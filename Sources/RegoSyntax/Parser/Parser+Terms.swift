// Terms: what stands between operators.

extension Parser {
    mutating func parseTerm() -> Term? {
        guard enter() else { return nil }
        defer { leave() }
        if !memo.isEmpty, state.token.opens, let known = memo[state.start] {
            let before = problems.count
            state = known.after
            problems.append(contentsOf: known.problems)
            state.problemCount = before + known.problems.count
            state.hintCount = hints.count
            return known.term
        }
        var head: Term
        switch state.token {
        case .null: head = Term(.null, at: location)
        case .true: head = Term(.boolean(true), at: location)
        case .false: head = Term(.boolean(false), at: location)
        case .minus, .dot, .number:
            guard let number = parseNumber() else { return nil }
            head = number
        case .string:
            guard let string = parseString() else { return nil }
            head = string
        case .templateEnd, .rawTemplateEnd:
            guard let template = parseTemplateString() else { return nil }
            head = template
        case .identifier, .contains: head = parseVariable()
        // Where a term begins, `and(` and `or(` are calls of the built-in functions of those names.
        case .logicalAnd, .logicalOr:
            guard byte(state.end) == UInt8(ascii: "(") else {
                illegal()
                return nil
            }
            head = parseVariable()
        case .leftBracket, .leftBrace, .leftParenthesis, .templatePart, .rawTemplatePart: return parseEnclosed()
        default:
            illegal()
            return nil
        }
        return finishTerm(head)
    }

    /// A collection, a comprehension, a template string or a term in parentheses, with what follows it.
    private mutating func parseEnclosed() -> Term? {
        let start = state.start
        let before = problems.count
        var result: Term?
        switch state.token {
        case .leftBracket: result = parseArray()
        case .leftBrace: result = parseSetOrObject()
        case .templatePart, .rawTemplatePart: result = parseTemplateString()
        default: result = parseParenthesized()
        }
        if let term = result { result = finishTerm(term) }
        if speculations > 0 {
            memo[start] = Memo(term: result, after: state, problems: Array(problems[min(before, problems.count)...]))
        }
        return result
    }

    private mutating func parseParenthesized() -> Term? {
        let offset = state.start
        scan()
        guard var inner = parseInfix() else { return nil }
        guard state.token == .rightParenthesis else {
            report("non-terminated expression", at: location)
            return nil
        }
        inner.location = spanning(inner.location, from: offset, to: state.end)
        inner.isParenthesized = true
        return inner
    }

    /// Steps over the last token of a term, and takes in `.name`, `[term]` and `(arguments)` that follow without a blank.
    mutating func finishTerm(_ head: Term) -> Term? {
        scan()
        if isAdjacent {
            switch state.token {
            case .leftParenthesis, .dot, .leftBracket: return parseRef(head)
            default: break
            }
        }
        return rooted(head)
    }

    /// `data` and `input` alone are references.
    func rooted(_ head: Term) -> Term {
        if case .variable(let name) = head.value, name == "data" || name == "input" {
            return Term(.ref([head]), at: head.location)
        }
        return head
    }

    mutating func parseVariable() -> Term {
        if state.end - state.start == 1, base[state.start] == UInt8(ascii: "_") {
            return Term(.variable(nextWildcard()), at: location)
        }
        return Term(.variable(literal), at: location)
    }

    mutating func nextWildcard() -> String {
        defer { state.wildcards += 1 }
        return "$\(state.wildcards)"
    }

    /// What follows the head of a reference or a call; the token at hand is `.`, `[` or `(`.
    mutating func parseRef(_ head: Term) -> Term? {
        let offset = Int(head.location.offset)
        switch head.value {
        case .variable, .array, .object, .set, .arrayComprehension, .setComprehension, .objectComprehension, .call: break
        default: report("illegal ref (head cannot be \(head.value.kindName))", at: head.location)
        }
        // Most references have two to four parts: one allocation.
        var parts: [Term] = []
        parts.reserveCapacity(4)
        parts.append(head)
        var links = 0
        var isFirst = true
        defer { depth -= links }
        while true {
            // Only the head of a rule may have a blank between its name and what follows it.
            guard isAdjacent || isFirst else { return Term(.ref(parts), at: spanning(head.location, from: offset, to: state.lastEnd)) }
            isFirst = false
            switch state.token {
            case .dot:
                scan()
                guard isAdjacent else {
                    illegalBlank("expected identifier")
                    return nil
                }
                guard state.token == .identifier || mayBeName(state.token) else {
                    illegal("expected identifier")
                    return nil
                }
                parts.append(Term(.string(literal), at: location))
                scan()
            case .leftBracket:
                scan()
                guard let part = parseInfix() else { return nil }
                guard state.token == .rightBracket else {
                    illegal("expected [")
                    return nil
                }
                parts.append(part)
                scan()
            case .leftParenthesis:
                let operatorTerm = Term(.ref(parts), at: spanning(head.location, from: offset, to: state.start))
                guard let call = parseCall(operatorTerm) else { return nil }
                guard isAdjacent, state.token == .dot || state.token == .leftBracket else { return call }
                // A call is the head of what follows: one level more, as the tree is one level deeper.
                guard enter() else { return nil }
                links += 1
                parts = [call]
            default:
                return Term(.ref(parts), at: spanning(head.location, from: offset, to: state.lastEnd))
            }
        }
    }

    /// The arguments of a call; the token at hand is `(`.
    private mutating func parseCall(_ operatorTerm: Term) -> Term? {
        guard enter() else { return nil }
        defer { leave() }
        let offset = Int(operatorTerm.location.offset)
        scan()
        let terms: [Term]
        if state.token == .rightParenthesis {
            terms = [operatorTerm]
        } else {
            guard let list = parseList(until: .rightParenthesis, after: [operatorTerm]) else { return nil }
            terms = list
        }
        let place = spanning(operatorTerm.location, from: offset, to: state.end)
        scan()
        if terms.count == 1, case .ref(let parts) = operatorTerm.value, parts.count == 1, case .variable("set") = parts[0].value {
            return Term(.set([]), at: place)
        }
        return Term(.call(terms), at: place)
    }

    /// A keyword that may be a name within a reference.
    func mayBeName(_ token: Token) -> Bool {
        guard token.isKeyword else { return false }
        return keywords.contains(token) || (version != .v0 && KeywordSet.v1.contains(token))
    }

    /// A keyword at hand that begins a reference is a name: `not.foo`, `in["x"]`.
    @discardableResult
    mutating func takeKeywordAsName() -> Bool {
        guard mayBeName(state.token) else { return false }
        let next = byte(state.end)
        guard next == UInt8(ascii: ".") || next == UInt8(ascii: "[") else { return false }
        state.token = .identifier
        return true
    }
}

extension Token {
    /// What a second reading may find in the memo.
    var opens: Bool {
        switch self {
        case .leftBracket, .leftBrace, .leftParenthesis, .templatePart, .rawTemplatePart: true
        default: false
        }
    }
}

extension TermValue {
    /// What errors call it, as OPA does.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .string: "string"
        case .variable: "var"
        case .ref: "ref"
        case .call: "call"
        case .array: "array"
        case .set: "set"
        case .object: "object"
        case .arrayComprehension: "arraycomprehension"
        case .setComprehension: "setcomprehension"
        case .objectComprehension: "objectcomprehension"
        case .template: "templatestring"
        }
    }
}

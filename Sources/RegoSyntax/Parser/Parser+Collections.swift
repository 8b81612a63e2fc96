// Arrays, sets, objects and comprehensions.

extension Parser {
    /// The token at hand is `[`; afterwards it is `]`.
    mutating func parseArray() -> Term? {
        let place = location
        let start = state.start
        scan()
        if state.token == .rightBracket { return Term(.array([]), at: spanning(place, from: start, to: state.end)) }
        var mayBeComprehension = true
        // `[, x]`: OPA lets a comma lead, for the sake of old policies.
        if state.token == .comma {
            mayBeComprehension = false
            scan()
        }
        guard let first = parseTerm() else { return nil }
        switch state.token {
        case .rightBracket: return Term(.array([first]), at: spanning(place, from: start, to: state.end))
        case .bar where mayBeComprehension:
            let kept = state
            // `[a | b]` is a comprehension; `[a | b, c]` is a list of two.
            if let body = parseComprehensionBody(until: .rightBracket) {
                let comprehension = Comprehension(value: first, body: body)
                return Term(.arrayComprehension(comprehension), at: spanning(place, from: start, to: state.end))
            }
            guard state.token == .comma else { return nil }
            restore(kept)
        default: break
        }
        guard let terms = parseRestOfList(first, until: .rightBracket) else { return nil }
        return Term(.array(terms), at: spanning(place, from: start, to: state.end))
    }

    /// The token at hand is `{`; afterwards it is `}`.
    mutating func parseSetOrObject() -> Term? {
        let place = location
        let start = state.start
        scan()
        if state.token == .rightBrace { return Term(.object([]), at: spanning(place, from: start, to: state.end)) }
        var mayBeComprehension = true
        if state.token == .comma {
            mayBeComprehension = false
            scan()
        }
        guard let first = parseTerm() else { return nil }
        var value: TermValue?
        switch state.token {
        case .rightBrace: value = .set([first])
        case .comma: value = parseRestOfList(first, until: .rightBrace).map { .set($0) }
        case .colon: value = parseObject(first, mayBeComprehension: mayBeComprehension)
        case .bar where mayBeComprehension:
            let kept = state
            if let body = parseComprehensionBody(until: .rightBrace) {
                value = .setComprehension(Comprehension(value: first, body: body))
                break
            }
            guard state.token == .comma else { return nil }
            restore(kept)
            value = parseRestOfList(first, until: .rightBrace).map { .set($0) }
        default:
            guard let term = parseInfixInList(after: first) else { return nil }
            switch state.token {
            case .rightBrace: value = .set([term])
            case .comma: value = parseRestOfList(term, until: .rightBrace).map { .set($0) }
            case .colon: value = parseObject(term, mayBeComprehension: mayBeComprehension)
            default: illegal("non-terminated set")
            }
        }
        guard let value else { return nil }
        return Term(value, at: spanning(place, from: start, to: state.end))
    }

    /// After the first key; the token at hand is `:`.
    private mutating func parseObject(_ key: Term, mayBeComprehension: Bool) -> TermValue? {
        scan()
        let kept = state
        guard let first = parseTerm() else { return nil }
        let afterFirst = state
        if mayBeComprehension {
            switch state.token {
            case .rightBrace, .comma:
                if let items = parseRestOfObject(ObjectItem(key: key, value: first)) { return .object(items) }
                restore(kept)
                illegal("non-terminated object")
                return nil
            case .bar:
                if let body = parseComprehensionBody(until: .rightBrace) {
                    return .objectComprehension(Comprehension(key: key, value: first, body: body))
                }
                restore(afterFirst)
            default: break
            }
        }
        guard let value = parseInfixInList(after: first) else { return nil }
        switch state.token {
        case .rightBrace, .comma: return parseRestOfObject(ObjectItem(key: key, value: value)).map { .object($0) }
        default:
            restore(kept)
            illegal("non-terminated object")
            return nil
        }
    }

    private mutating func parseRestOfObject(_ first: ObjectItem) -> [ObjectItem]? {
        var items = [first]
        while true {
            guard state.token == .comma else { return items }
            scan()
            if state.token == .rightBrace { return items }
            guard let key = parseInfixInList() else { return nil }
            guard state.token == .colon else {
                illegal("expected \":\"")
                return nil
            }
            scan()
            guard let value = parseInfixInList() else { return nil }
            items.append(ObjectItem(key: key, value: value))
            guard state.token == .comma || state.token == .rightBrace else {
                illegal("expected \",\" or \"}\"")
                return nil
            }
        }
    }

    /// After `value |`: the body. Nil when it is none, with the state where it went wrong.
    private mutating func parseComprehensionBody(until end: Token) -> Body? {
        speculations += 1
        defer { speculations -= 1 }
        scan()
        return parseBody(until: end)
    }

    /// A list whose first term is begun: operators, then commas.
    private mutating func parseRestOfList(_ first: Term, until end: Token) -> [Term]? {
        guard let term = parseInfixInList(after: first) else { return nil }
        return parseSeparators(until: end, after: [term])
    }

    /// `term, term, …` with an end that may be missing a term before it.
    mutating func parseList(until end: Token, after terms: [Term]) -> [Term]? {
        guard let term = parseInfixInList() else { return nil }
        return parseSeparators(until: end, after: terms + [term])
    }

    private mutating func parseSeparators(until end: Token, after first: [Term]) -> [Term]? {
        var terms = first
        while true {
            if state.token == end { return terms }
            guard state.token == .comma else {
                illegal("expected \",\" or \"\(end.name)\"")
                return nil
            }
            scan()
            if state.token == end { return terms }
            guard let term = parseInfixInList() else { return nil }
            terms.append(term)
        }
    }
}

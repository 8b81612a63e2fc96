// Numbers, strings and template strings: from the text of a token to its value.

extension Parser {
    mutating func parseNumber() -> Term? {
        let place = location
        let start = state.start
        if state.token == .minus {
            scan()
            guard state.token == .number || state.token == .dot else {
                illegal("expected number")
                return nil
            }
        }
        var hasPoint = false
        if state.token == .dot {
            hasPoint = true
            scan()
            guard state.token == .number else {
                illegal("expected number")
                return nil
            }
        }
        if !hasPoint, state.end - state.start > 1, base[state.start] == UInt8(ascii: "0") {
            let second = base[state.start + 1]
            let isExponent = second | 0x20 == UInt8(ascii: "e") && state.end - state.start > 2
            guard second == UInt8(ascii: ".") || isExponent else {
                illegal("expected number without leading zero")
                return nil
            }
        }
        // A blank may stand after the sign or the point; the number is without it.
        var number = literal
        if state.start > start {
            let sign = base[start] == UInt8(ascii: "-") ? "-" : ""
            number = sign + (hasPoint ? "." : "") + number
        }
        if let problem = NumberText.problem(in: number) {
            if problem == .tooBig { report("number too big", at: location) } else { illegal("invalid float") }
            return nil
        }
        var span = place
        span.end = UInt32(state.end)
        return Term(.number(number), at: span)
    }

    mutating func parseString() -> Term? {
        let inner = UnsafeBufferPointer(start: base + state.start + 1, count: max(0, state.end - state.start - 2))
        if base[state.start] == UInt8(ascii: "`") || !inner.contains(UInt8(ascii: "\\")) {
            return Term(.string(String(decoding: inner, as: UTF8.self)), at: location)
        }
        guard let value = StringText.value(of: inner, braces: false) else {
            report("illegal string literal: \(literal)", at: location)
            return nil
        }
        return Term(.string(value), at: location)
    }

    /// The token at hand begins a template string; afterwards it is its last piece.
    mutating func parseTemplateString() -> Term? {
        guard enter() else { return nil }
        defer { leave() }
        let place = location
        let isRaw = state.token == .rawTemplatePart || state.token == .rawTemplateEnd
        var parts: [TemplateString.Part] = []
        var isFirst = true
        while true {
            guard let text = templateText(isFirst: isFirst, isRaw: isRaw) else {
                report("illegal template-string part: \(literal)", at: location)
                return nil
            }
            isFirst = false
            if !text.isEmpty { parts.append(.text(text, location)) }
            if state.token == .templateEnd || state.token == .rawTemplateEnd { break }
            guard let part = parseTemplateExpression() else { return nil }
            parts.append(part)
            scanTemplateRest(raw: isRaw)
            switch state.token {
            case .templatePart, .templateEnd, .rawTemplatePart, .rawTemplateEnd: break
            default:
                report("expected template-string part", at: location)
                return nil
            }
        }
        let whole = spanning(place, from: Int(place.offset), to: state.end)
        return Term(.template(TemplateString(parts: parts, isRaw: isRaw)), at: whole)
    }

    /// What stands between the delimiters of the piece at hand, `$"` or `}` and `{` or `"`.
    private func templateText(isFirst: Bool, isRaw: Bool) -> String? {
        let start = state.start + (isFirst ? 2 : 1)
        let inner = UnsafeBufferPointer(start: base + start, count: max(0, state.end - 1 - start))
        if !inner.contains(UInt8(ascii: "\\")) { return String(decoding: inner, as: UTF8.self) }
        return isRaw ? StringText.rawTemplateValue(of: inner) : StringText.value(of: inner, braces: true)
    }

    private mutating func parseTemplateExpression() -> TemplateString.Part? {
        let start = state.end
        scan()
        let expressionStart = state.start
        guard let expression = parseLiteral() else {
            report("invalid template-string expression", at: location)
            return nil
        }
        if let problem = expression.problemInTemplate {
            report("unexpected \(problem) in template-string expression", at: expression.location)
            return nil
        }
        guard state.token == .rightBrace else {
            report("expected } to end template string expression", at: location)
            return nil
        }
        // A scalar with a comment before it stays an expression, so that the formatter finds the comment's place.
        let hasComment = UnsafeBufferPointer(start: base + start, count: expressionStart - start).contains(UInt8(ascii: "#"))
        if !hasComment, case .term(let term) = expression.kind, expression.with.isEmpty {
            switch term.value {
            case .string, .number, .boolean, .null: return .scalar(term)
            default: break
            }
        }
        return .expression(expression)
    }
}

extension Expression {
    /// What may not stand in a template string, as its error names it.
    fileprivate var problemInTemplate: String? {
        if isNegated { return "negation ('not')" }
        switch kind {
        case .not: return "negation ('not')"
        case .every: return "'every'"
        case .some: return "'some'"
        case .call(let terms):
            switch InfixOperator(operator: terms[0]) {
            case .unify: return "unification ('=')"
            case .assign: return "assignment (':=')"
            default: return nil
            }
        default: return nil
        }
    }
}

// Terms, on the rows the author gave them.

extension FormatWriter {
    mutating func writeTerm(_ term: Term) throws(CommentClash) {
        guard !pending.isEmpty else { return try writeTerm(term, inParentheses: false) }
        let length = out.count
        let levelBefore = level
        let pendingBefore = pending
        do throws(CommentClash) {
            try writeTerm(term, inParentheses: false)
        } catch {
            // A comment has no place: the text stays as it is, and what holds the term hears of it.
            out.removeLast(out.count - length)
            level = levelBefore
            pending = pendingBefore
            if let comment = beforeEnd, comment.location.row >= term.location.row, row(comment.location) <= endRow(term.location) {
                beforeEnd = nil
            }
            writeUnformatted(term.location)
            throw error
        }
    }

    /// - Parameter inParentheses: for an operator within another.
    mutating func writeTerm(_ term: Term, inParentheses: Bool) throws(CommentClash) {
        try insertComments(before: row(term.location))
        if !isInline { startLine() }
        switch term.value {
        case .null: write("null")
        case .boolean(let value): write(value ? "true" : "false")
        case .number(let text):
            write(wrapsLeadingMinus ? "(\(text))" : text)
            wrapsLeadingMinus = false
        case .string(let value): writeString(value, at: term.location)
        case .variable(let name): writeVariable(name)
        case .ref(let parts): try writeRef(parts)
        case .call(let terms): try writeCall(terms, inParentheses: inParentheses, at: term.location)
        case .array(let terms):
            write("[")
            defer { write("]") }
            let closing = closingRow(UInt8(ascii: "["), UInt8(ascii: "]"), in: term.location)
            try writeList(terms.map { .term($0) }, in: term.location, closingRow: closing, style: .elements)
        case .set(let terms): try writeSet(terms, at: term.location)
        case .object(let items):
            write("{")
            defer { write("}") }
            let closing = closingRow(UInt8(ascii: "{"), UInt8(ascii: "}"), in: term.location)
            try writeList(TermOrder.unique(items).map { .item($0) }, in: term.location, closingRow: closing, style: .elements)
        case .arrayComprehension(let inner): try writeComprehension(inner, UInt8(ascii: "["), UInt8(ascii: "]"), at: term.location)
        case .setComprehension(let inner), .objectComprehension(let inner):
            try writeComprehension(inner, UInt8(ascii: "{"), UInt8(ascii: "}"), at: term.location)
        case .template(let template): try writeTemplate(template)
        }
        if !isInline { startLine() }
    }

    private mutating func writeVariable(_ name: String) { write(name.utf8.first == UInt8(ascii: "$") ? "_" : name) }

    /// As it is in the text; a name after a point gets quotes.
    private mutating func writeString(_ value: String, at location: Location) {
        let text = source[location]
        if let first = text.first, text.count >= 2, first == text[text.endIndex - 1],
            first == UInt8(ascii: "\"") || first == UInt8(ascii: "`")
        {
            write(bytes: text)
        } else if let open = text.firstIndex(of: UInt8(ascii: "`")), text.last == UInt8(ascii: "`"), open < text.endIndex - 1 {
            write(bytes: text[open...])
        } else if let open = text.firstIndex(of: UInt8(ascii: "\"")), text.last == UInt8(ascii: "\""), open < text.endIndex - 1,
            text.first == UInt8(ascii: "(")
        {
            write(bytes: text[open...])
        } else {
            write(JSONText.quoted(value))
        }
    }

    private mutating func writeSet(_ terms: [Term], at location: Location) throws(CommentClash) {
        guard !terms.isEmpty else {
            write("set()")
            try insertComments(before: closingRow(UInt8(ascii: "("), UInt8(ascii: ")"), in: location))
            return
        }
        write("{")
        defer { write("}") }
        let closing = closingRow(UInt8(ascii: "{"), UInt8(ascii: "}"), in: location)
        try writeList(TermOrder.unique(terms).map { .term($0) }, in: location, closingRow: closing, style: .elements)
    }

    // MARK: - References

    mutating func writeRef(_ parts: [Term]) throws(CommentClash) {
        let head = parts[0]
        var inParentheses = false
        if case .call(let terms) = head.value { inParentheses = head.isParenthesized || InfixOperator(operator: terms[0]) != nil }
        try writeTerm(head, inParentheses: inParentheses)
        for part in parts.dropFirst() {
            switch part.value {
            case .string(let name):
                if needsBrackets(name, at: part.location) {
                    write("[\(JSONText.quoted(name))]")
                } else {
                    write(".\(name)")
                }
            case .variable(let name):
                write("[")
                writeVariable(name)
                write("]")
            default:
                write("[")
                // The closing bracket must not become part of the comment.
                do throws(CommentClash) { try writeTerm(part) } catch { write("\n") }
                write("]")
            }
        }
    }

    func needsBrackets(_ name: String, at location: Location) -> Bool {
        guard name.isName else { return true }
        // A keyword stays as the author wrote it.
        return style.keywords.contains(name) && source[location].first == UInt8(ascii: "\"")
    }

    // MARK: - Comprehensions

    private mutating func writeComprehension(
        _ inner: Comprehension, _ open: UInt8, _ close: UInt8, at location: Location
    ) throws(CommentClash) {
        out.append(open)
        defer { out.append(close) }
        var value = inner.value
        var inParentheses = false
        if case .call(let terms) = value.value {
            inParentheses = value.isParenthesized || InfixOperator(operator: terms[0]) != nil
        }
        // An array or a set may begin on a row of its own; the key of an object stays with its brace, the value with its key.
        var bodyAfter = row(location)
        if let key = inner.key {
            try writeTerm(key, orWrapped: key.isUnion)
            write(": ")
            if case .string = value.value {} else { value.location.row = key.location.row }
        } else {
            bodyAfter = row(value.location)
            if bodyAfter > row(location) {
                endLine()
                startLine()
            }
        }
        try writeTerm(value, inParentheses: inParentheses)
        write(" |")
        try writeComprehensionBody(open, close, inner.body, after: bodyAfter, in: location)
    }

    // MARK: - Template strings

    private mutating func writeTemplate(_ template: TemplateString) throws(CommentClash) {
        let quote = template.isRaw ? "`" : "\""
        write("$\(quote)")
        for (index, part) in template.parts.enumerated() {
            switch part {
            case .text(let text, _):
                write(template.isRaw ? text.escapingBraces : String(JSONText.quoted(text).escapingBraces.dropFirst().dropLast()))
            case .scalar(let term): writeScalar(term)
            case .expression(let expression):
                write("{")
                level += 1
                if beforeEnd != nil {
                    endLine()
                    startLine()
                } else if let first = pending.first, first.location.row < expression.location.row {
                    write(" ")
                    isInline = true
                    writeComments(takeComments(before: row(expression.location)))
                }
                try writeExpression(expression)
                if index + 1 < template.parts.count, let first = pending.first {
                    let next = template.parts[index + 1].location
                    if first.location.row < next.row {
                        endLine()
                        writeComments(takeComments(before: row(next)))
                        startLine()
                    }
                }
                write("}")
                level -= 1
            }
        }
        write(quote)
    }

    private mutating func takeComments(before row: Int) -> [Comment] {
        let before = pending.prefix { self.row($0.location) < row }
        pending.removeFirst(before.count)
        return Array(before)
    }

    private mutating func writeScalar(_ term: Term) {
        switch term.value {
        case .string(let value): write(String(JSONText.quoted(value).escapingBraces.dropFirst().dropLast()))
        default: write(TermText.text(of: term))
        }
    }
}

extension TemplateString.Part {
    fileprivate var location: Location {
        switch self {
        case .text(_, let location): location
        case .scalar(let term): term.location
        case .expression(let expression): expression.location
        }
    }
}

extension String {
    /// With `\{` for each brace that would open an expression.
    fileprivate var escapingBraces: String {
        guard utf8.contains(UInt8(ascii: "{")) else { return self }
        return String(decoding: utf8.flatMap { $0 == UInt8(ascii: "{") ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }
}

// Bodies and their expressions.

extension FormatWriter {
    mutating func writeBody(_ body: Body) throws(CommentClash) {
        try insertComments(before: row(body[0].location))
        for (index, expression) in body.enumerated() {
            // One blank line stays where the author had some.
            if index > 0, row(expression.location) > endRow(body[index - 1].location) + 1 { blankLine() }
            startLine()
            // A sign at the start of a row would join it to the row before.
            wrapsLeadingMinus = index > 0 && expression.leadsWithMinus
            // A clash has left the text of a term as it was; the expressions after it are written all the same.
            do throws(CommentClash) { try writeExpression(expression) } catch {}
            endLine()
        }
    }

    mutating func writeExpression(_ expression: Expression, inParentheses: Bool = false) throws(CommentClash) {
        let wrapsUnion = wrapsLeadingUnion && !expression.isNegated && !inParentheses
        wrapsLeadingUnion = false
        if inParentheses { write("(") }
        defer { if inParentheses { write(")") } }
        try insertComments(before: row(expression.location))
        if !isInline { startLine() }
        if expression.isNegated { write("not ") }
        switch expression.kind {
        case .term(let term): try writeTerm(term)
        case .call(let terms): try writeCallExpression(terms, wrapsUnion: wrapsUnion)
        case .some(let declaration): try writeSome(declaration)
        case .every(let every): try writeEvery(every, in: expression.location)
        case .not(let inner): try writeNot(inner, in: expression.location)
        case .and(let operation):
            wrapsLeadingUnion = wrapsUnion
            try writeLogical(operation, isOr: false)
        case .or(let operation):
            wrapsLeadingUnion = wrapsUnion
            try writeLogical(operation, isOr: true)
        }
        if !expression.with.isEmpty { try writeModifiers(of: expression) }
    }

    // MARK: - with

    private mutating func writeModifiers(of expression: Expression) throws(CommentClash) {
        var lastRow = endRowOfTerms(expression)
        var withs = expression.with[...]
        if let first = withs.first, row(first.location) == lastRow {
            try writeWith(first, isIndented: false)
            lastRow = row(first.location)
            withs.removeFirst()
        }
        var hasIndented = false
        defer { if hasIndented { level -= 1 } }
        for with in withs {
            let isIndented = row(with.location) > lastRow
            if isIndented {
                if !hasIndented {
                    level += 1
                    hasIndented = true
                }
                endLine()
                startLine()
                lastRow = row(with.location)
            }
            try writeWith(with, isIndented: isIndented)
        }
    }

    /// The row where an expression ends, not counting its modifiers.
    private func endRowOfTerms(_ expression: Expression) -> Int {
        var location = expression.location
        if let first = expression.with.first, first.location.offset > location.offset, first.location.offset <= location.end {
            location.end = first.location.offset
        }
        var text = source[location]
        while let last = text.last, last == 0x20 || last == 0x09 || last == 0x0A || last == 0x0D { text.removeLast() }
        return Int(location.row) + text.count { $0 == 0x0A }
    }

    private mutating func writeWith(_ with: With, isIndented: Bool) throws(CommentClash) {
        try insertComments(before: row(with.location))
        if !isIndented { write(" ") }
        write("with ")
        try writeTerm(with.target)
        write(" as ")
        // A clash has left the value's text as it was; the modifiers after it are written all the same.
        do throws(CommentClash) { try writeTerm(with.value) } catch {}
    }

    // MARK: - some, every, not

    private mutating func writeSome(_ declaration: SomeDeclaration) throws(CommentClash) {
        try insertComments(before: row(declaration.location))
        write("some ")
        var last = row(declaration.location)
        for (index, symbol) in declaration.symbols.enumerated() {
            if case .call(let terms) = symbol.value {
                try writeIn(terms, inParentheses: false)
                continue
            }
            if row(symbol.location) > last {
                endLine()
                startLine()
                write("\t")
                last = row(symbol.location)
            } else if index > 0 {
                write(" ")
            }
            try writeTerm(symbol)
            if index + 1 < declaration.symbols.count { write(",") }
        }
    }

    private mutating func writeEvery(_ every: Every, in place: Location) throws(CommentClash) {
        try insertComments(before: row(place))
        write("every ")
        if let key = every.key {
            try writeTerm(key)
            write(", ")
        }
        try writeTerm(every.value)
        write(" in ")
        if every.domain.isCall(of: .member) {
            // Without parentheses it would be `(x in a) in b`.
            try writeTerm(every.domain, inParentheses: true)
        } else {
            try writeTerm(every.domain)
        }
        write(" ")
        try writeBracedBody(
            every.body, in: place, isSpaced: row(every.body[0].location) == row(every.location) && every.body.count == 1,
            parenthesizesUnion: false)
    }

    private mutating func writeNot(_ inner: NotBody, in place: Location) throws(CommentClash) {
        try insertComments(before: row(place))
        write("not ")
        if inner.isExplicit || inner.body.count > 1 {
            try writeExplicitBody(inner.body, in: place)
        } else {
            let expression = inner.body[0]
            let needsParentheses = expression.isLogical || expression.rendersBraceFirst || !expression.with.isEmpty
            do throws(CommentClash) { try writeExpression(expression, inParentheses: needsParentheses) } catch {}
        }
    }

    /// `{ body }` with a scope of its own.
    func isSpaced(_ body: Body, in place: Location) -> Bool { body.last.map { row($0.location) == row(place) } ?? false }

    mutating func writeExplicitBody(_ body: Body, in place: Location) throws(CommentClash) {
        try writeBracedBody(body, in: place, isSpaced: isSpaced(body, in: place), parenthesizesUnion: true)
    }

    private mutating func writeBracedBody(
        _ body: Body, in place: Location, isSpaced: Bool, parenthesizesUnion: Bool
    ) throws(CommentClash) {
        write("{")
        // A clash has left the text of a term as it was; the brace is written all the same.
        do throws(CommentClash) {
            try writeComprehensionBody(
                UInt8(ascii: "{"), UInt8(ascii: "}"), body, after: row(place), in: place, parenthesizesUnion: parenthesizesUnion)
        } catch {}
        if isSpaced { write(" ") }
        write("}")
    }

    /// The body of a comprehension or of braces, up to the closing bracket.
    mutating func writeComprehensionBody(
        _ open: UInt8, _ close: UInt8, _ body: Body, after row: Int, in place: Location, parenthesizesUnion: Bool = false
    ) throws(CommentClash) {
        wrapsLeadingUnion = parenthesizesUnion
        if self.row(body[0].location) > row || rowCount(body, after: row) > 1 {
            endLine()
            level += 1
            defer {
                level -= 1
                startLine()
            }
            try writeBody(body)
            try insertComments(before: closingRow(open, close, in: place))
        } else {
            write(" ")
            for (index, expression) in body.enumerated() {
                if index > 0 { write("; ") }
                try writeExpression(expression)
            }
            try insertComments(before: closingRow(open, close, in: place))
        }
    }
}

extension Expression {
    /// Written, it begins with the sign of a number.
    var leadsWithMinus: Bool {
        guard !isNegated else { return false }
        switch kind {
        case .term(let term): return term.leadsWithMinus
        case .call(let terms): return Term(.call(terms)).leadsWithMinus
        case .and(let operation), .or(let operation):
            return operation.left.shape == .plain && operation.left.body[0].leadsWithMinus
        case .some, .every, .not: return false
        }
    }

    var isLogical: Bool {
        switch kind {
        case .and, .or: true
        default: false
        }
    }

    /// Written, it begins with a brace, which at an operand's place opens a body.
    var rendersBraceFirst: Bool {
        guard !isNegated else { return false }
        switch kind {
        case .term(let term): return term.rendersBraceFirst
        case .call(let terms): return Term(.call(terms)).rendersBraceFirst
        case .and(let operation), .or(let operation):
            // A term that begins with a brace gets parentheses there.
            return operation.left.shape == .braces || (operation.left.body[0].isLogical && operation.left.body[0].rendersBraceFirst)
        default: return false
        }
    }
}

extension Term {
    fileprivate var leadsWithMinus: Bool {
        switch value {
        case .number(let text): return text.hasPrefix("-")
        case .call(let terms):
            guard InfixOperator(operator: terms[0]) != nil, terms.count > 2 else { return false }
            return (terms.count == 4 && InfixOperator(operator: terms[0]) != .memberWithKey ? terms[3] : terms[1]).leadsWithMinus
        default: return false
        }
    }

    fileprivate var rendersBraceFirst: Bool {
        switch value {
        case .set(let elements): return !elements.isEmpty
        case .object, .setComprehension, .objectComprehension: return true
        case .ref(let parts): return parts.first?.rendersBraceFirst ?? false
        case .call(let terms):
            guard InfixOperator(operator: terms[0]) != nil, terms.count > 2 else { return false }
            // `z = x | y` is written with its result first.
            return (terms.count == 4 && InfixOperator(operator: terms[0]) != .memberWithKey ? terms[3] : terms[1]).rendersBraceFirst
        default: return false
        }
    }
}

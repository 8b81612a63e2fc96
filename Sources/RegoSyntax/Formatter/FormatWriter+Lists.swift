// Lists: arrays, sets, objects, arguments. A row for each row of the author; a comma at the end when there is more than one.

extension FormatWriter {
    enum Element {
        case term(Term)
        case item(ObjectItem)

        /// Where the list breaks.
        var location: Location {
            switch self {
            case .term(let term): term.location
            case .item(let item): item.key.location
            }
        }
    }

    enum ListStyle { case arguments, elements }

    /// - Parameters:
    ///   - place: where the list stands; the first element is on its row or below it.
    ///   - closingRow: the row of the closing bracket.
    mutating func writeList(
        _ elements: [Element], in place: Location, closingRow: Int, style list: ListStyle
    ) throws(CommentClash) {
        guard !elements.isEmpty else { return try writeEmptyList(in: place, closingRow: closingRow) }
        let rows = grouped(elements, after: row(place))
        var startsBelow = false
        if rows.count == 1 {
            // Comments within what becomes one row: the text is kept as it is.
            if pending.contains(where: { row($0.location) > row(place) && row($0.location) < closingRow }) { throw CommentClash() }
            startsBelow = hasNewline(before: elements[0].location, in: place)
        }
        let isMultiline = rows.count > 1 || startsBelow
        if isMultiline {
            delaysBeforeEnd = true
            endLine()
            level += 1
            startLine()
        }
        for (index, one) in rows.enumerated() {
            for (position, element) in one.enumerated() {
                if position > 0 { write(", ") }
                try writeElement(element, style: list)
            }
            if index + 1 < rows.count {
                write(",")
                endLine()
                startLine()
            }
        }
        if isMultiline {
            write(",")
            endLine()
            try insertComments(before: closingRow)
            level -= 1
            startLine()
        }
    }

    private mutating func writeEmptyList(in place: Location, closingRow: Int) throws(CommentClash) {
        if pending.contains(where: { row($0.location) > row(place) && row($0.location) < closingRow }) { throw CommentClash() }
    }

    private mutating func writeElement(_ element: Element, style list: ListStyle) throws(CommentClash) {
        switch element {
        case .term(let term):
            let needsParentheses = term.isUnion && (list == .elements || term.isParenthesized)
            try writeTerm(term, wrapped: needsParentheses)
        case .item(let item):
            try writeTerm(item.key, wrapped: item.key.isUnion)
            write(": ")
            try writeTerm(item.value, wrapped: item.value.isUnion)
        }
    }

    private mutating func writeTerm(_ term: Term, wrapped: Bool) throws(CommentClash) {
        guard wrapped else { return try writeTerm(term) }
        write("(")
        defer { write(")") }
        try writeTerm(term)
    }

    /// The elements in the order of the text, a group for each of its rows.
    private func grouped(_ elements: [Element], after row: Int) -> [[Element]] {
        // What the compiler made up has no place of its own: OPA leaves such a list on one row.
        if mayHaveGenerated, elements.contains(where: { if case .term(let term) = $0 { term.hasGeneratedVariable } else { false } }) {
            return [elements]
        }
        let sorted = elements.enumerated().sorted { a, b in
            let (left, right) = (a.element.location, b.element.location)
            return (left.row, left.column, UInt32(a.offset)) < (right.row, right.column, UInt32(b.offset))
        }
        var rows: [[Element]] = [[]]
        var last = row
        for (index, (_, element)) in sorted.enumerated() {
            let next = self.row(element.location)
            if index > 0, next > last { rows.append([]) }
            rows[rows.count - 1].append(element)
            last = next
        }
        return rows
    }

    /// Whether the first element stands below the opening bracket.
    private func hasNewline(before first: Location, in place: Location) -> Bool {
        guard first.offset > place.offset, first.offset < place.end else { return false }
        // Only a newline after the first byte counts, as OPA has it.
        let between = source.bytes[Int(place.offset)..<Int(first.offset)]
        return between.dropFirst().contains(0x0A)
    }

    /// Expressions, a group for each row of the text.
    func rowCount(_ body: Body, after row: Int) -> Int {
        if mayHaveGenerated, body.contains(where: \.hasGeneratedVariable) { return 1 }
        var count = 1
        var last = row
        for (index, expression) in body.enumerated() {
            let next = self.row(expression.location)
            if index > 0, next > last { count += 1 }
            last = next
        }
        return count
    }
}

extension Term {
    /// `x | y`, which reads as a comprehension within braces or brackets.
    var isUnion: Bool {
        guard case .call(let terms) = value else { return false }
        return InfixOperator(operator: terms[0]) == .union
    }
}

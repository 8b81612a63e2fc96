/// Writes a module as `opa fmt` does.
///
/// The rules: lines stay where the author broke them, all else is uniform. A list whose elements stand on several rows gets a row for
/// each of the author's rows; blank lines between expressions stay, at most one. Comments go before what stands below them, or to the end
/// of the row they are on. Where a comment stands in the way (two at the end of one row, or within what becomes one row), the text of
/// the term is kept as it is: `CommentClash`.
struct FormatWriter {
    /// A comment has no place in the layout of the term being written.
    struct CommentClash: Error {}

    let source: SourceText
    var style: FormatStyle
    var out: [UInt8] = []
    var level = 0
    /// Something was written on the row at hand.
    var isInline = false
    /// Goes to the end of the row at hand.
    var beforeEnd: Comment?
    /// The row at hand ends inside a list: the comment waits for the row's real end.
    var delaysBeforeEnd = false
    /// A comment on the last row of a text kept as it is belongs to it.
    var writesCommentOnFinalRow = false
    /// What is not written yet, in the order of the text.
    var pending: ArraySlice<Comment> = []
    var problems: [SyntaxProblem] = []
    /// `__local` stands somewhere in the text.
    let mayHaveGenerated: Bool
    /// The rules that stay as the author wrote them, by their place in the module.
    var verbatim: Set<Int> = []
    /// Within an expression of `and` and `or` that goes on below its first row.
    var isContinued = false
    /// The next number needs parentheses: it has a sign and begins an expression.
    var wrapsLeadingMinus = false
    /// The next expression is the first in braces, where `x | y` would begin a comprehension.
    var wrapsLeadingUnion = false

    init(source: SourceText, style: FormatStyle) {
        self.source = source
        self.style = style
        mayHaveGenerated = source.bytes.contains(sequence: "__local")
    }

    // MARK: - Rows

    mutating func write(_ text: String) { out.append(contentsOf: text.utf8) }
    mutating func write(bytes: some Collection<UInt8>) { out.append(contentsOf: bytes) }

    mutating func startLine() {
        isInline = true
        for _ in 0..<level { out.append(0x09) }
    }

    mutating func endLine() {
        isInline = false
        if let comment = beforeEnd, !delaysBeforeEnd {
            write(" #\(comment.text)")
            beforeEnd = nil
        }
        delaysBeforeEnd = false
        out.append(0x0A)
    }

    mutating func blankLine() {
        if isInline { endLine() }
        out.append(0x0A)
    }

    mutating func writeLine(_ text: String) {
        if !isInline { startLine() }
        write(text)
        endLine()
    }

    // MARK: - Comments

    /// Writes the comments above a row, and keeps the one at it for the end of the row.
    mutating func insertComments(before row: Int) throws(CommentClash) {
        guard let first = pending.first, Int(first.location.row) <= row else { return }
        var before: [Comment] = []
        var at: Comment?
        while let next = pending.first, Int(next.location.row) <= row {
            if Int(next.location.row) < row { before.append(next) } else { at = next }
            pending.removeFirst()
        }
        writeComments(before)
        if let last = before.last, row - Int(last.location.row) > 1 { blankLine() }
        guard let at else { return }
        if beforeEnd != nil {
            beforeEnd = nil
            throw CommentClash()
        }
        beforeEnd = at
    }

    mutating func writeComments(_ comments: [Comment]) {
        var isInMetadata = false
        for (index, comment) in comments.enumerated() {
            if index > 0 {
                let distance = Int(comment.location.row) - Int(comments[index - 1].location.row)
                if distance > 1 {
                    blankLine()
                    isInMetadata = false
                } else if distance == 1, isInMetadata, comment.isMetadata {
                    blankLine()
                }
            }
            if comment.isMetadata { isInMetadata = true }
            writeLine("#\(comment.text)")
        }
    }

    /// Writes the text of a place as it is, with the comments in it.
    mutating func writeUnformatted(_ location: Location) {
        let text = source[location]
        let lastRow = Int(location.row) + text.count { $0 == 0x0A }
        write(bytes: text)
        var rest: [Comment] = []
        for comment in pending {
            let row = Int(comment.location.row)
            // With a body to come, the comment at the end waits for it.
            if writesCommentOnFinalRow, row == lastRow {
                write(" #\(comment.text)")
            } else if row >= lastRow {
                rest.append(comment)
            }
        }
        pending = rest[...]
    }

    // MARK: - Places

    func row(_ location: Location) -> Int { Int(location.row) }

    /// The row a text ends on.
    func endRow(_ location: Location) -> Int { Int(location.row) + source[location].count { $0 == 0x0A } }

    /// The row of the bracket that closes the first `open` of a place, after the first pair of `skip`; −1 when there is none.
    ///
    /// Brackets in strings and comments count, as they do for OPA: the row only says which comments stand before the bracket.
    func closingRow(_ open: UInt8, _ close: UInt8, in location: Location, skipping skip: (UInt8, UInt8)? = nil) -> Int {
        let text = source[location]
        var index = text.startIndex
        var rows = 0
        func find(_ open: UInt8, _ close: UInt8) -> Bool {
            while index < text.endIndex, text[index] != open { index += 1 }
            guard index < text.endIndex else { return false }
            var nesting = 1
            while nesting > 0 {
                index += 1
                guard index < text.endIndex else { return false }
                switch text[index] {
                case open: nesting += 1
                case close: nesting -= 1
                case 0x0A: rows += 1
                default: break
                }
            }
            return true
        }
        if let skip { _ = find(skip.0, skip.1) }
        return find(open, close) ? Int(location.row) + rows : -1
    }
}

extension [UInt8] {
    /// Whether the text stands somewhere in the bytes.
    fileprivate func contains(sequence text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count >= length else { return false }
        let needle = UnsafeBufferPointer(start: text.utf8Start, count: length)
        for start in 0...(count - length) where self[start] == needle[0] {
            if self[start..<start + length].elementsEqual(needle) { return true }
        }
        return false
    }
}

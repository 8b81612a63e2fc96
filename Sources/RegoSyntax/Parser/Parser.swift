/// Reads Rego: recursive descent, one token ahead, going back where the language is ambiguous.
///
/// It follows OPA's parser in what is legal, in what the errors say and where they are, because that is what people compare with. Where OPA
/// reads the same bytes again and again, this one goes on from what it has, so that no text takes more than linear time; `memo` keeps
/// the one place where it must read twice (a comprehension that turns out to be a list) from doubling at each level.
///
/// A function returns nil when it could not read its thing; then a problem is reported, or the caller tries something else.
struct Parser: ~Copyable {
    // SAFETY: lent by `RegoParser.withParser` for the parser's life; only offsets in 0..<count are read.
    let base: UnsafePointer<UInt8>
    let count: Int
    /// The version the module was given, before any import.
    let version: RegoVersion

    var state = LexerState()
    /// What is a keyword at this place of the text.
    var keywords: KeywordSet
    /// `not` opens a body: `import future.keywords.not`.
    var notTakesBody = false
    /// A blank or comment before the token had something wrong in it.
    var spoiledBlank = false

    /// In the order of the text, each once, whatever was read again.
    var comments: [Comment] = []
    var problems: [SyntaxProblem] = []
    var hints: [String] = []

    /// Levels of terms and bodies at hand.
    var depth = 0
    /// How many things are being tried that may turn out to be something else.
    var speculations = 0
    /// Terms in brackets that were read while speculating, by where they start; emptied after each statement.
    var memo: [Int: Memo] = [:]

    struct Memo {
        var term: Term?
        var after: LexerState
        var problems: [SyntaxProblem]
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>, options: ParserOptions) {
        // An empty text has no base; any address will do, as nothing is read from it.
        base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
        count = bytes.count
        version = options.version
        keywords = .always
        if options.version == .v1 || options.allFutureKeywords { keywords.formUnion(.v1) }
        for word in options.futureKeywords { enable(word) }
    }

    /// Makes a word a keyword from here on.
    mutating func enable(_ word: FutureKeyword) {
        switch word {
        case .in: keywords.formUnion(KeywordSet(.in))
        case .every:
            keywords.formUnion(KeywordSet(.every))
            keywords.formUnion(KeywordSet(.in))
        case .contains: keywords.formUnion(KeywordSet(.contains))
        case .if: keywords.formUnion(KeywordSet(.if))
        case .and: keywords.formUnion(KeywordSet(.logicalAnd))
        case .or: keywords.formUnion(KeywordSet(.logicalOr))
        case .not: notTakesBody = true
        }
    }

    // MARK: - Places

    /// The place of the token at hand.
    var location: Location {
        Location(
            offset: UInt32(truncatingIfNeeded: state.start), end: UInt32(truncatingIfNeeded: state.end), row: state.row,
            column: state.column)
    }

    /// The text between two offsets.
    func text(_ start: Int, _ end: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: base + start, count: max(0, end - start)), as: UTF8.self)
    }

    /// The text of the token at hand.
    var literal: String { text(state.start, state.end) }

    /// The token at hand follows the one before it without a blank.
    var isAdjacent: Bool { state.start == state.lastEnd }

    /// The row, column and offset of one place with the text from `offset` to `end`.
    func spanning(_ place: Location, from offset: Int, to end: Int) -> Location {
        var location = place
        location.offset = UInt32(truncatingIfNeeded: offset)
        location.end = UInt32(truncatingIfNeeded: max(offset, end))
        return location
    }

    // MARK: - Going back

    /// Goes back to a state kept before; problems found since are forgotten.
    mutating func restore(_ kept: LexerState) {
        state = kept
        if problems.count > kept.problemCount { problems.removeLast(problems.count - kept.problemCount) }
        if hints.count > kept.hintCount { hints.removeLast(hints.count - kept.hintCount) }
    }

    // MARK: - Problems

    mutating func report(_ message: String, at location: Location) {
        var message = message
        if hints.count == 1 {
            message += " (hint: \(hints[0]))"
        } else if hints.count > 1 {
            message += " (hints: \(hints.joined(separator: ", ")))"
        }
        hints.removeAll()
        state.hintCount = 0
        guard problems.count < SyntaxLimits.problemsMax else { return }
        problems.append(SyntaxProblem(message: message, at: location, detail: detail(at: Int(location.offset))))
        state.problemCount = problems.count
    }

    mutating func hint(_ text: String) {
        hints.append(text)
        state.hintCount = hints.count
    }

    /// The token at hand may not stand here.
    mutating func illegal(_ note: String = "") {
        if state.token == .illegal {
            report("illegal token", at: location)
            return
        }
        illegal(named: state.token.name, isKeyword: state.token.isKeyword, note, at: location)
    }

    /// There may be no blank before the token at hand.
    mutating func illegalBlank(_ note: String) {
        let newline = byte(state.lastEnd) == 0x0A
        var place = location
        place.offset = UInt32(state.lastEnd)
        place.end = place.offset + 1
        // The row and column of the blank, not of what follows it.
        var start = state.lastEnd
        while start > 0, base[start - 1] != 0x0A { start -= 1 }
        var rows: UInt32 = 0
        for offset in state.lastEnd..<state.start where base[offset] == 0x0A { rows += 1 }
        place.row = state.row - rows + (newline ? 1 : 0)
        place.column = newline ? 0 : UInt32(text(start, state.lastEnd).unicodeScalars.count + 1)
        illegal(named: "whitespace", isKeyword: false, note, at: place)
    }

    private mutating func illegal(named name: String, isKeyword: Bool, _ note: String, at place: Location) {
        let kind = isKeyword ? "keyword" : "token"
        report(note.isEmpty ? "unexpected \(name) \(kind)" : "unexpected \(name) \(kind): \(note)", at: place)
    }

    /// The line of an offset, or of the last character before it that is not a blank.
    private func detail(at place: Int) -> SyntaxProblem.Detail {
        guard count > 0 else { return SyntaxProblem.Detail(line: "", index: 0) }
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) || byte == 0x85 || byte == 0xA0 }
        func endsLine(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
        var offset = min(place, count - 1)
        while offset > 0, isBlank(base[offset]) { offset -= 1 }
        var begin = offset
        while begin > 0, !endsLine(base[begin]) { begin -= 1 }
        if endsLine(base[begin]) { begin += 1 }
        var end = offset
        while end < count, !endsLine(base[end]) { end += 1 }
        begin = min(begin, end)
        // Of a very long line, what is around the place.
        let half = SyntaxLimits.problemLineBytesMax / 2
        if end - begin > 2 * half {
            begin = max(begin, offset - half)
            end = min(end, offset + half)
            while begin < offset, base[begin] & 0xC0 == 0x80 { begin += 1 }
            while end > offset, end < count, base[end] & 0xC0 == 0x80 { end -= 1 }
        }
        return SyntaxProblem.Detail(line: text(begin, end), index: max(0, offset - begin))
    }

    // MARK: - Depth

    /// Goes one level down; false, with a problem, at the limit.
    mutating func enter() -> Bool {
        depth += 1
        guard depth <= SyntaxLimits.depthMax else {
            depth -= 1
            report("max parsing recursion depth exceeded", at: location)
            return false
        }
        return true
    }

    mutating func leave() { depth -= 1 }
}

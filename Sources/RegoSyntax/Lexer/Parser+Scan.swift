// The lexer: one token ahead of the parser, no allocation but for comments and errors.

extension Parser {
    /// The byte at an offset; 0 past the end, which is no character of Rego.
    @inline(__always)
    func byte(_ offset: Int) -> UInt8 { offset < count ? base[offset] : 0 }

    /// Steps to the next token; blanks and comments lie before it.
    mutating func scan() {
        state.lastEnd = state.end
        state.skippedNewline = false
        skipBlanks()
        beginToken()
        let start = state.position
        if spoiledBlank {
            spoiledBlank = false
            state.token = .illegal
            state.end = start
            return
        }
        guard start < count else {
            state.token = .eof
            state.end = count
            // OPA's place of the end is the last character, or the start of an empty last line.
            if state.column > 1 { state.column -= 1 } else { state.column = 0 }
            return
        }
        let first = base[start]
        switch Self.classes[Int(first)] {
        case .letter:
            var end = start + 1
            while end < count, Self.classes[Int(base[end])].isOfName { end += 1 }
            state.position = end
            if let word = Token.keyword(UnsafeBufferPointer(start: base + start, count: end - start)), keywords.contains(word) {
                state.token = word
            } else {
                state.token = .identifier
            }
        case .digit:
            scanNumber()
        case .other:
            state.position = start + 1
            scanSign(first)
        }
        spoiledBlank = false
        finishToken()
    }

    /// Goes on with a template string after the `}` of an expression.
    mutating func scanTemplateRest(raw: Bool) {
        state.lastEnd = state.end
        state.skippedNewline = false
        // The token begins at the brace, as its text is `}…{` or `}…"`.
        state.position = state.end - 1
        beginToken()
        if raw { scanRawTemplate() } else { scanTemplate() }
        finishToken()
    }

    private mutating func beginToken() {
        state.start = state.position
        state.row = state.line
        state.column = UInt32(truncatingIfNeeded: state.position - state.lineStart - state.continuations + 1)
    }

    private mutating func finishToken() {
        state.end = state.position
        // OPA's lexer has looked at the next character already, so that a bad one spoils this token.
        if state.position < count {
            let next = base[state.position]
            if next >= 0x80 || next == 0 {
                _ = checkCharacter(at: state.position)
                spoiledBlank = false
            }
        }
    }

    private mutating func skipBlanks() {
        var position = state.position
        if position == 0, count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            position = 3
            state.continuations = 2
        }
        while position < count {
            switch base[position] {
            case 0x20, 0x09, 0x0D:
                position += 1
            case 0x0A:
                position += 1
                newline(endingAt: position)
                state.skippedNewline = true
            case UInt8(ascii: "#"):
                position = scanComment(at: position)
            default:
                state.position = position
                return
            }
        }
        state.position = position
    }

    @inline(__always)
    private mutating func newline(endingAt position: Int) {
        state.line &+= 1
        state.lineStart = position
        state.continuations = 0
    }

    private mutating func scanComment(at start: Int) -> Int {
        var end = start + 1
        let column = UInt32(truncatingIfNeeded: start - state.lineStart - state.continuations + 1)
        while end < count, base[end] != 0x0A {
            if base[end] >= 0x80 || base[end] == 0 {
                end += checkCharacter(at: end, startingAt: start)
            } else {
                end += 1
            }
        }
        var textEnd = end
        if textEnd > start + 1, base[textEnd - 1] == 0x0D { textEnd -= 1 }
        // Going back and reading a comment again does not make it two.
        if comments.last.map({ Int($0.location.offset) < start }) ?? true {
            let location = Location(offset: UInt32(start), end: UInt32(end), row: state.line, column: column)
            comments.append(Comment(text: text(start + 1, textEnd), at: location))
        }
        return end
    }

    private mutating func scanSign(_ first: UInt8) {
        switch first {
        case UInt8(ascii: "["): state.token = .leftBracket
        case UInt8(ascii: "]"): state.token = .rightBracket
        case UInt8(ascii: "{"): state.token = .leftBrace
        case UInt8(ascii: "}"): state.token = .rightBrace
        case UInt8(ascii: "("): state.token = .leftParenthesis
        case UInt8(ascii: ")"): state.token = .rightParenthesis
        case UInt8(ascii: ","): state.token = .comma
        case UInt8(ascii: ";"): state.token = .semicolon
        case UInt8(ascii: "."): state.token = .dot
        case UInt8(ascii: "+"): state.token = .plus
        case UInt8(ascii: "-"): state.token = .minus
        case UInt8(ascii: "*"): state.token = .multiply
        case UInt8(ascii: "/"): state.token = .divide
        case UInt8(ascii: "%"): state.token = .remainder
        case UInt8(ascii: "&"): state.token = .ampersand
        case UInt8(ascii: "|"): state.token = .bar
        case UInt8(ascii: ":"): followedByEquals(.assign, else: .colon)
        case UInt8(ascii: "="): followedByEquals(.equal, else: .unify)
        case UInt8(ascii: ">"): followedByEquals(.greaterOrEqual, else: .greater)
        case UInt8(ascii: "<"): followedByEquals(.lessOrEqual, else: .less)
        case UInt8(ascii: "!"):
            if byte(state.position) == UInt8(ascii: "=") {
                state.position += 1
                state.token = .notEqual
            } else {
                spoil("illegal ! character")
            }
        case UInt8(ascii: "\""): scanString()
        case UInt8(ascii: "`"): scanRawString()
        case UInt8(ascii: "$"):
            switch byte(state.position) {
            case UInt8(ascii: "\""):
                state.position += 1
                scanTemplate()
            case UInt8(ascii: "`"):
                state.position += 1
                scanRawTemplate()
            default: spoil("illegal $ character")
            }
        default:
            state.token = .illegal
            if first >= 0x80 || first == 0 { state.position = state.start + checkCharacter(at: state.start) }
        }
    }

    @inline(__always)
    private mutating func followedByEquals(_ long: Token, else short: Token) {
        if byte(state.position) == UInt8(ascii: "=") {
            state.position += 1
            state.token = long
        } else {
            state.token = short
        }
    }

    private mutating func scanNumber() {
        var end = state.position
        state.token = .number
        func digits() -> Bool {
            let from = end
            while end < count, base[end] >= UInt8(ascii: "0"), base[end] <= UInt8(ascii: "9") { end += 1 }
            return end > from
        }
        _ = digits()
        if byte(end) == UInt8(ascii: ".") {
            end += 1
            if !digits() { spoil("expected fraction") }
        }
        if byte(end) | 0x20 == UInt8(ascii: "e") {
            end += 1
            if byte(end) == UInt8(ascii: "+") || byte(end) == UInt8(ascii: "-") { end += 1 }
            if !digits() { spoil("expected exponent") }
        }
        // `0a2b` is one bad number, not a number and a name.
        if end < count, Self.classes[Int(base[end])] == .letter {
            spoil("illegal number format")
            while end < count, Self.classes[Int(base[end])].isOfName { end += 1 }
        }
        state.position = end
    }

    /// Reports something wrong with the token at hand, which is no token any more.
    mutating func spoil(_ message: String) {
        report(message, at: Location(offset: UInt32(state.start), end: UInt32(state.position), row: state.row, column: state.column))
        state.token = .illegal
    }

    /// Looks at a character that is not plain ASCII, and reports what is wrong with it.
    ///
    /// - Returns: its length in bytes.
    mutating func checkCharacter(at offset: Int, startingAt start: Int? = nil) -> Int {
        let first = base[offset]
        func wrong(_ message: String) {
            let at = Location(
                offset: UInt32(start ?? state.start), end: UInt32(offset), row: state.row, column: state.column)
            report(message, at: at)
            spoiledBlank = true
            state.token = .illegal
        }
        if first == 0 {
            wrong("illegal null character")
            return 1
        }
        let length = utf8Length(at: offset)
        if length == 0 {
            wrong("illegal utf-8 character")
            return 1
        }
        if length == 3, first == 0xEF, base[offset + 1] == 0xBB, base[offset + 2] == 0xBF, offset > 0 {
            wrong("illegal byte-order mark")
        }
        return length
    }

    /// The length of the well-formed character that starts here; 0 when there is none.
    func utf8Length(at offset: Int) -> Int {
        let first = base[offset]
        func continues(_ index: Int, from low: UInt8 = 0x80, through high: UInt8 = 0xBF) -> Bool {
            offset + index < count && base[offset + index] >= low && base[offset + index] <= high
        }
        switch first {
        case 0..<0x80: return 1
        case 0xC2...0xDF: return continues(1) ? 2 : 0
        case 0xE0: return continues(1, from: 0xA0) && continues(2) ? 3 : 0
        case 0xED: return continues(1, through: 0x9F) && continues(2) ? 3 : 0
        case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
        case 0xF0: return continues(1, from: 0x90) && continues(2) && continues(3) ? 4 : 0
        case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return continues(1, through: 0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }

    /// What a byte may be the start of.
    enum ByteClass: UInt8 {
        case other, letter, digit
        @inline(__always) var isOfName: Bool { self != .other }
    }

    static let classes: [ByteClass] = (0..<256).map { value in
        let byte = UInt8(value)
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): return .letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return .digit
        default: return .other
        }
    }
}

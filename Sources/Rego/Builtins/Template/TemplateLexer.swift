/// A Go text template cut into text and the tokens of its actions.
enum TemplateToken: Equatable {
    case text([UInt8])
    case open, close
    /// `if`, `range`, `end`, `true`, a function's name.
    case word(String)
    /// `.a`; `.` alone has an empty name.
    case field(String)
    /// `$x`; `$` alone has an empty name.
    case variable(String)
    case string([UInt8])
    case number(String)
    case pipe, declare, assign, comma, parenthesisLeft, parenthesisRight
    case space
}

struct TemplateLexer {
    private let bytes: [UInt8]
    private var index = 0
    private var tokens: [TemplateToken] = []

    static func tokens(_ text: [UInt8]) throws(BuiltinFailure) -> [TemplateToken] {
        var lexer = TemplateLexer(bytes: text)
        try lexer.run()
        return lexer.tokens
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func has(_ text: String, at index: Int) -> Bool { index <= bytes.count && bytes[index...].starts(with: text.utf8) }
    private func isBlank(_ index: Int) -> Bool { index < bytes.count && [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) }

    private mutating func run() throws(BuiltinFailure) {
        var trimNext = false
        while true {
            let start = index
            let next = ByteText.find(Array("{{".utf8), in: bytes, from: index)
            var text = Array(bytes[start..<(next ?? bytes.count)])
            if trimNext { text = Trimming.trim(text, ends: .left) { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } }
            guard let next else {
                if !text.isEmpty { tokens.append(.text(text)) }
                return
            }
            index = next + 2
            let trims = has("-", at: index) && isBlank(index + 1)
            if trims {
                index += 2
                text = Trimming.trim(text, ends: .right) { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            }
            if !text.isEmpty { tokens.append(.text(text)) }
            if has("/*", at: index) {
                guard let end = ByteText.find(Array("*/".utf8), in: bytes, from: index) else {
                    throw BuiltinFailure("template: unclosed comment")
                }
                index = end + 2
                trimNext = isBlank(index) && has("-}}", at: index + 1)
                if trimNext { index += 2 }
                guard has("}}", at: index) else { throw BuiltinFailure("template: comment ends before closing delimiter") }
                index += 2
                continue
            }
            tokens.append(.open)
            trimNext = try action()
            tokens.append(.close)
        }
    }

    /// Up to and with "}}"; whether the text behind loses its blanks.
    private mutating func action() throws(BuiltinFailure) -> Bool {
        while index < bytes.count {
            if has("}}", at: index) {
                index += 2
                return false
            }
            if isBlank(index), has("-}}", at: index + 1) {
                index += 4
                return true
            }
            let byte = bytes[index]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D:
                while isBlank(index), !has("-}}", at: index + 1) { index += 1 }
                tokens.append(.space)
            case UInt8(ascii: "|"): single(.pipe)
            case UInt8(ascii: ","): single(.comma)
            case UInt8(ascii: "("): single(.parenthesisLeft)
            case UInt8(ascii: ")"): single(.parenthesisRight)
            case UInt8(ascii: "="): single(.assign)
            case UInt8(ascii: ":"):
                guard has(":=", at: index) else { throw BuiltinFailure("template: expected :=") }
                index += 2
                tokens.append(.declare)
            case UInt8(ascii: "\""), UInt8(ascii: "`"): try string(byte)
            case UInt8(ascii: "'"): try character()
            case UInt8(ascii: "."):
                if index + 1 < bytes.count, ASCII.isDigit(bytes[index + 1]) {
                    number()
                } else {
                    index += 1
                    tokens.append(.field(word()))
                }
            case UInt8(ascii: "$"):
                index += 1
                tokens.append(.variable(word()))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): number()
            default:
                let word = word()
                if word.isEmpty {
                    throw BuiltinFailure("template: unexpected \(GoQuote.quoted(String(UnicodeScalar(byte)))) in command")
                }
                tokens.append(.word(word))
            }
        }
        throw BuiltinFailure("template: unclosed action")
    }

    private mutating func single(_ token: TemplateToken) {
        tokens.append(token)
        index += 1
    }

    private mutating func word() -> String {
        let word = bytes[index...].prefix { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 >= 0x80 }
        index = word.endIndex
        return String(decoding: word, as: UTF8.self)
    }

    private mutating func number() {
        let number = bytes[(index + 1)...].prefix { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") }
        tokens.append(.number(String(decoding: bytes[index..<number.endIndex], as: UTF8.self)))
        index = number.endIndex
    }

    private mutating func string(_ quote: UInt8) throws(BuiltinFailure) {
        index += 1
        var text: [UInt8] = []
        while index < bytes.count, bytes[index] != quote {
            if quote == UInt8(ascii: "\""), bytes[index] == 0x0A { break }
            if quote == UInt8(ascii: "\""), bytes[index] == UInt8(ascii: "\\") {
                try escape(&text)
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        guard index < bytes.count, bytes[index] == quote else { throw BuiltinFailure("template: unterminated quoted string") }
        index += 1
        tokens.append(.string(text))
    }

    private mutating func character() throws(BuiltinFailure) {
        index += 1
        var text: [UInt8] = []
        if index < bytes.count, bytes[index] == UInt8(ascii: "\\") {
            try escape(&text)
        } else if index < bytes.count {
            let width = Runes.decode(bytes, at: index).width
            text = Array(bytes[index..<(index + width)])
            index += width
        }
        guard has("'", at: index), !text.isEmpty else { throw BuiltinFailure("template: unterminated character constant") }
        index += 1
        tokens.append(.number(String(Runes.decode(text, at: 0).rune)))
    }

    private mutating func escape(_ text: inout [UInt8]) throws(BuiltinFailure) {
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8,
            UInt8(ascii: "f"): 12, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "\""): 0x22, UInt8(ascii: "'"): 0x27,
        ]
        let kind = index + 1 < bytes.count ? bytes[index + 1] : 0
        if let plain = simple[kind] {
            text.append(plain)
            index += 2
            return
        }
        let digits = kind == UInt8(ascii: "x") ? 2 : kind == UInt8(ascii: "u") ? 4 : kind == UInt8(ascii: "U") ? 8 : 0
        let hex = bytes[min(index + 2, bytes.count)...].prefix(digits)
        guard digits > 0, hex.count == digits, hex.allSatisfy({ ASCII.hexValue($0) != nil }),
            let code = UInt32(String(decoding: hex, as: UTF8.self), radix: 16)
        else { throw BuiltinFailure("template: invalid escape in string") }
        if digits == 2 { text.append(UInt8(code)) } else { Runes.append(code, to: &text) }
        index += 2 + digits
    }
}

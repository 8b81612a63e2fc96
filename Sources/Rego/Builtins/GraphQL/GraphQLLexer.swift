extension GraphQL {
    /// A word, number, string or sign of a document.
    struct Token: Equatable {
        enum Kind: String {
            case invalid = "<Invalid>"
            case end = "<EOF>"
            case bang = "!"
            case dollar = "$"
            case ampersand = "&"
            case parenthesisLeft = "("
            case parenthesisRight = ")"
            case spread = "..."
            case colon = ":"
            case equals = "="
            case at = "@"
            case bracketLeft = "["
            case bracketRight = "]"
            case braceLeft = "{"
            case braceRight = "}"
            case pipe = "|"
            case name = "Name"
            case int = "Int"
            case float = "Float"
            case string = "String"
            case block = "BlockString"
        }

        var kind: Kind
        var value = ""
        var position: Position

        /// As an error message shows it.
        var text: String { value.isEmpty ? kind.rawValue : "\(kind.rawValue) \(GoQuote.quoted(value))" }
    }

    /// Cuts a document into tokens.
    struct Lexer {
        private let bytes: [UInt8]
        private var index = 0
        private var line = 1
        /// Columns count runes: a place on the line whose column is known, from which the next is counted on.
        private var known = (index: 0, column: 1)

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private func column(at index: Int) -> Int {
            known.column + bytes[known.index..<index].count { $0 & 0xC0 != 0x80 }
        }

        private mutating func position(at index: Int) -> Position {
            known = (index, column(at: index))
            return Position(line: line, column: known.column)
        }

        private func has(_ text: String, at index: Int) -> Bool { bytes[min(index, bytes.count)...].starts(with: text.utf8) }

        private mutating func newline(width: Int) {
            index += width
            line += 1
            known = (index, 1)
        }

        mutating func next() throws(Trouble) -> Token {
            skipBlanks()
            guard index < bytes.count else { return Token(kind: .end, position: position(at: index)) }
            let start = position(at: index)
            let byte = bytes[index]
            if let kind = Token.Kind(rawValue: String(UnicodeScalar(byte))), !ASCII.isAlphanumeric(byte) {
                index += 1
                return Token(kind: kind, position: start)
            }
            switch byte {
            case UInt8(ascii: ".") where has("...", at: index):
                index += 3
                return Token(kind: .spread, position: start)
            case UInt8(ascii: "_"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                let word = bytes[index...].prefix { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
                index = word.endIndex
                return Token(kind: .name, value: String(decoding: word, as: UTF8.self), position: start)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                return try number(start)
            case UInt8(ascii: "\""):
                return has("\"\"\"", at: index) ? try block() : try string()
            default:
                break
            }
            if byte < 0x20 { throw trouble("Cannot contain the invalid character \"\\u\(Self.fourDigits(byte))\"") }
            if byte == UInt8(ascii: "'") {
                throw trouble(#"Unexpected single quote character ('), did you mean to use a double quote (")?"#)
            }
            throw trouble("Cannot parse the unexpected character \"\(rune())\".")
        }

        private func trouble(_ message: String) -> Trouble {
            Trouble(message: message, position: Position(line: line, column: column(at: index)))
        }

        private func rune() -> String {
            guard index < bytes.count else { return "" }
            return String(decoding: bytes[index..<(index + Runes.decode(bytes, at: index).width)], as: UTF8.self)
        }

        private static func fourDigits(_ byte: UInt8) -> String { String(String(10000 + Int(byte)).dropFirst()) }

        /// White space, commas, comments and byte order marks mean nothing.
        private mutating func skipBlanks() {
            while index < bytes.count {
                switch bytes[index] {
                case 0x09, 0x20, UInt8(ascii: ","): index += 1
                case 0x0A: newline(width: 1)
                case 0x0D: newline(width: index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1)
                case UInt8(ascii: "#"): index = bytes[index...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
                case 0xEF where has("\u{FEFF}", at: index): index += 3
                default: return
                }
            }
        }

        private mutating func digits() -> Int {
            let found = bytes[index...].prefix(while: ASCII.isDigit)
            index = found.endIndex
            return found.count
        }

        private mutating func accept(_ text: String) -> Bool {
            guard index < bytes.count, text.utf8.contains(bytes[index]) else { return false }
            index += 1
            return true
        }

        private func next(_ problem: String) -> Trouble {
            trouble("Invalid number, \(problem): \(index < bytes.count ? "\"\(rune())\"" : "<EOF>").")
        }

        private mutating func number(_ start: Position) throws(Trouble) -> Token {
            let from = index
            var isFloat = false
            _ = accept("-")
            if accept("0") {
                let zero = index
                if digits() > 0 {
                    index = zero
                    throw next("unexpected digit after 0")
                }
            } else if digits() == 0 {
                throw next("expected digit but got")
            }
            if accept(".") {
                isFloat = true
                if digits() == 0 { throw next("expected digit but got") }
            }
            if accept("eE") {
                isFloat = true
                _ = accept("+-")
                if digits() == 0 { throw next("expected digit but got") }
            }
            return Token(
                kind: isFloat ? .float : .int, value: String(decoding: bytes[from..<index], as: UTF8.self), position: start)
        }

        private mutating func string() throws(Trouble) -> Token {
            index += 1
            // OPA's parser gives a string the position behind its quote.
            let start = position(at: index)
            var text: [UInt8] = []
            while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D {
                let byte = bytes[index]
                if byte < 0x20 && byte != 0x09 { throw trouble("Invalid character within String: \"\\u\(Self.fourDigits(byte))\".") }
                if byte == UInt8(ascii: "\"") {
                    index += 1
                    return Token(kind: .string, value: String(decoding: text, as: UTF8.self), position: start)
                }
                if byte != UInt8(ascii: "\\") {
                    text.append(byte)
                    index += 1
                    continue
                }
                guard index + 1 < bytes.count else { throw trouble("Invalid character escape sequence.") }
                switch bytes[index + 1] {
                case UInt8(ascii: "u"):
                    let hex = bytes[min(index + 2, bytes.count)...].prefix(4)
                    guard hex.count == 4, let code = UInt32(String(decoding: hex, as: UTF8.self), radix: 16), hex.first != 0x2B else {
                        let shown = String(decoding: bytes[index...].prefix(5), as: UTF8.self)
                        throw trouble("Invalid character escape sequence: \\\(shown).")
                    }
                    Runes.append(code, to: &text)
                    index += 6
                    continue
                case UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"): text.append(bytes[index + 1])
                case UInt8(ascii: "b"): text.append(8)
                case UInt8(ascii: "f"): text.append(12)
                case UInt8(ascii: "n"): text.append(10)
                case UInt8(ascii: "r"): text.append(13)
                case UInt8(ascii: "t"): text.append(9)
                default:
                    index += 1
                    throw trouble("Invalid character escape sequence: \\\(rune()).")
                }
                index += 2
            }
            throw trouble("Unterminated string.")
        }

        private mutating func block() throws(Trouble) -> Token {
            index += 3
            let start = position(at: index)
            var text: [UInt8] = []
            while index < bytes.count {
                let byte = bytes[index]
                if has("\"\"\"", at: index) {
                    index += 3
                    return Token(kind: .block, value: Self.blockText(text), position: start)
                }
                if has("\\\"\"\"", at: index) {
                    text += Array("\"\"\"".utf8)
                    index += 4
                } else if byte == 0x0D || byte == 0x0A {
                    text.append(0x0A)
                    newline(width: byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1)
                } else if byte < 0x20 && byte != 0x09 {
                    throw trouble("Invalid character within String: \"\\u\(Self.fourDigits(byte))\".")
                } else {
                    text.append(byte)
                    index += 1
                }
            }
            throw trouble("Unterminated string.")
        }

        /// Without the indentation that all lines but the first share, and without blank lines at both ends.
        private static func blockText(_ text: [UInt8]) -> String {
            var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
            func indentation(_ line: ArraySlice<UInt8>) -> Int { line.prefix { $0 == 0x20 || $0 == 0x09 }.count }
            let common = lines.dropFirst().filter { indentation($0) < $0.count }.map(indentation).min() ?? 0
            for index in lines.indices.dropFirst() { lines[index] = lines[index].dropFirst(common) }
            while let first = lines.first, indentation(first) == first.count { lines.removeFirst() }
            while let last = lines.last, indentation(last) == last.count { lines.removeLast() }
            return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
        }
    }
}

/// A string in double quotes as Go's `%q` writes it: what cannot be printed is escaped, and so is what is no UTF-8.
enum GoQuote {
    static func quoted(_ bytes: [UInt8], asciiOnly: Bool = false) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        var index = 0
        while index < bytes.count {
            let (rune, width) = Runes.decode(bytes, at: index)
            if rune == Runes.replacement && width == 1 {
                result += Array("\\x".utf8) + [ASCII.lowerHex[Int(bytes[index] >> 4)], ASCII.lowerHex[Int(bytes[index] & 15)]]
            } else {
                appendEscaped(rune, quote: UInt8(ascii: "\""), asciiOnly: asciiOnly, to: &result)
            }
            index += width
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    static func quoted(_ text: String) -> String { String(decoding: quoted(Array(text.utf8)), as: UTF8.self) }

    /// A rune in single quotes, as `%q` writes an integer.
    static func quotedRune(_ rune: UInt32, asciiOnly: Bool = false) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "'")]
        appendEscaped(rune, quote: UInt8(ascii: "'"), asciiOnly: asciiOnly, to: &result)
        result.append(UInt8(ascii: "'"))
        return result
    }

    static func isPrintable(_ rune: UInt32) -> Bool {
        if rune < 0x7F { return rune >= 0x20 }
        guard let scalar = Unicode.Scalar(rune) else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator:
            return false
        default:
            return true
        }
    }

    private static func appendEscaped(_ rune: UInt32, quote: UInt8, asciiOnly: Bool, to result: inout [UInt8]) {
        if rune == UInt32(quote) || rune == 0x5C {
            result += [0x5C, UInt8(rune)]
            return
        }
        if isPrintable(rune) && (!asciiOnly || rune < 0x80) {
            Runes.append(rune, to: &result)
            return
        }
        switch rune {
        case 7: result += Array("\\a".utf8)
        case 8: result += Array("\\b".utf8)
        case 12: result += Array("\\f".utf8)
        case 10: result += Array("\\n".utf8)
        case 13: result += Array("\\r".utf8)
        case 9: result += Array("\\t".utf8)
        case 11: result += Array("\\v".utf8)
        default:
            let (letter, digits): (String, Int) = rune < 0x20 || rune == 0x7F ? ("x", 2) : rune < 0x10000 ? ("u", 4) : ("U", 8)
            result += Array("\\\(letter)".utf8)
            for digit in (0..<digits).reversed() { result.append(ASCII.lowerHex[Int(rune >> UInt32(digit * 4) & 15)]) }
        }
    }
}

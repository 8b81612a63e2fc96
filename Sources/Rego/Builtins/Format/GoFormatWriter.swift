/// The flags of one directive of `sprintf`.
struct GoFormatFlags {
    var sharp = false
    var zero = false
    var plus = false
    var minus = false
    var space = false
    /// `%#v` and `%+v`.
    var sharpV = false
    var plusV = false
    var width: Int?
    var precision: Int?
}

/// Writes one argument by one verb.
struct GoFormatWriter {
    var result: [UInt8] = []
    var flags = GoFormatFlags()

    mutating func write(_ text: String) { result += Array(text.utf8) }

    mutating func print(_ argument: GoArgument, verb: UInt32) {
        if verb == UInt32(UInt8(ascii: "T")) {
            pad(truncated(Array(argument.typeName.utf8)))
            return
        }
        let verbByte = verb < 0x80 ? UInt8(verb) : 0
        let known =
            switch argument {
            case .integer(let value): integer(value, verbByte)
            case .big(let value): big(value, verbByte)
            case .float(let value): float(value, verbByte)
            case .string(let value): string(value, verbByte)
            }
        if !known {
            write("%!")
            Runes.append(verb, to: &result)
            write("(\(argument.typeName == "*big.Int" ? "big.Int" : argument.typeName)=")
            print(argument, verb: UInt32(UInt8(ascii: "v")))
            write(")")
        }
    }

    // MARK: Padding

    private mutating func padding(_ count: Int, zeros: Bool) {
        if count > 0 { result += [UInt8](repeating: zeros && !flags.minus ? 0x30 : 0x20, count: count) }
    }

    private mutating func pad(_ bytes: [UInt8], zeros: Bool? = nil) {
        let missing = (flags.width ?? 0) - Runes.count(bytes)
        if !flags.minus { padding(missing, zeros: zeros ?? flags.zero) }
        result += bytes
        if flags.minus { padding(missing, zeros: false) }
    }

    private func truncated(_ bytes: [UInt8]) -> [UInt8] {
        guard let precision = flags.precision else { return bytes }
        var index = 0
        for _ in 0..<precision where index < bytes.count { index += Runes.decode(bytes, at: index).width }
        return Array(bytes[..<index])
    }

    // MARK: Integers

    private mutating func integer(_ value: Int64, _ verb: UInt8) -> Bool {
        switch verb {
        case UInt8(ascii: "v"), UInt8(ascii: "d"): digits(value, base: 10, verb)
        case UInt8(ascii: "b"): digits(value, base: 2, verb)
        case UInt8(ascii: "o"), UInt8(ascii: "O"): digits(value, base: 8, verb)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): digits(value, base: 16, verb)
        case UInt8(ascii: "c"): pad(Runes.bytes([rune(value)]))
        case UInt8(ascii: "q"): pad(GoQuote.quotedRune(rune(value), asciiOnly: flags.plus))
        case UInt8(ascii: "U"):
            let code = UInt64(bitPattern: value)
            var text = Array(String(code, radix: 16, uppercase: true).utf8)
            let digits = max(flags.precision ?? 4, 4)
            if text.count < digits { text = [UInt8](repeating: 0x30, count: digits - text.count) + text }
            text = Array("U+".utf8) + text
            if flags.sharp, code <= 0x10FFFF, GoQuote.isPrintable(UInt32(code)) {
                text += Array(" '".utf8) + Runes.bytes([UInt32(code)]) + Array("'".utf8)
            }
            pad(text, zeros: false)
        default: return false
        }
        return true
    }

    private func rune(_ value: Int64) -> UInt32 { value >= 0 && value <= 0x10FFFF ? UInt32(value) : Runes.replacement }

    private mutating func digits(_ value: Int64, base: Int, _ verb: UInt8) {
        var precision = 0
        if let wanted = flags.precision {
            precision = wanted
            if wanted == 0 && value == 0 {
                padding(flags.width ?? 0, zeros: false)
                return
            }
        } else if flags.zero && !flags.minus, let width = flags.width {
            precision = width - (value < 0 || flags.plus || flags.space ? 1 : 0)
        }
        var text = Array(String(value.magnitude, radix: base, uppercase: verb == UInt8(ascii: "X")).utf8)
        if text.count < precision { text = [UInt8](repeating: 0x30, count: precision - text.count) + text }
        if flags.sharp {
            switch base {
            case 2: text = Array("0b".utf8) + text
            case 8: if text.first != 0x30 { text = [0x30] + text }
            case 16: text = Array((verb == UInt8(ascii: "X") ? "0X" : "0x").utf8) + text
            default: break
            }
        }
        if verb == UInt8(ascii: "O") { text = Array("0o".utf8) + text }
        if value < 0 {
            text = [UInt8(ascii: "-")] + text
        } else if flags.plus || flags.plusV {
            text = [UInt8(ascii: "+")] + text
        } else if flags.space {
            text = [0x20] + text
        }
        pad(text, zeros: false)
    }

    /// Go's `big.Int.Format`, which has its own rules.
    private mutating func big(_ value: BigInteger, _ verb: UInt8) -> Bool {
        let base: UInt32
        switch verb {
        case UInt8(ascii: "b"): base = 2
        case UInt8(ascii: "o"), UInt8(ascii: "O"): base = 8
        case UInt8(ascii: "d"), UInt8(ascii: "s"), UInt8(ascii: "v"): base = 10
        case UInt8(ascii: "x"), UInt8(ascii: "X"): base = 16
        default: return false
        }
        let sign = value.isNegative ? "-" : flags.plus || flags.plusV ? "+" : flags.space ? " " : ""
        var prefix = verb == UInt8(ascii: "O") ? "0o" : ""
        if flags.sharp || flags.sharpV {
            switch verb {
            case UInt8(ascii: "b"): prefix = "0b"
            case UInt8(ascii: "o"): prefix = "0"
            case UInt8(ascii: "x"): prefix = "0x"
            case UInt8(ascii: "X"): prefix = "0X"
            default: break
            }
        }
        var digits = Array(value.magnitude.text(base: base).utf8)
        if verb == UInt8(ascii: "X") { digits = digits.map { ASCII.isLetter($0) ? $0 & 0xDF : $0 } }
        var zeros = max((flags.precision ?? 0) - digits.count, 0)
        let missing = max((flags.width ?? 0) - sign.utf8.count - prefix.utf8.count - zeros - digits.count, 0)
        if !flags.minus && flags.zero && flags.precision == nil {
            zeros = missing
        } else if !flags.minus {
            padding(missing, zeros: false)
        }
        write(sign + prefix)
        result += [UInt8](repeating: 0x30, count: zeros)
        result += digits
        if flags.minus { padding(missing, zeros: false) }
        return true
    }

    // MARK: Floating-point numbers

    private mutating func float(_ value: Double, _ verb: UInt8) -> Bool {
        var form = verb
        var precision: Int?
        switch verb {
        case UInt8(ascii: "v"): form = UInt8(ascii: "g")
        case UInt8(ascii: "b"), UInt8(ascii: "g"), UInt8(ascii: "G"), UInt8(ascii: "x"), UInt8(ascii: "X"): break
        case UInt8(ascii: "f"), UInt8(ascii: "e"), UInt8(ascii: "E"): precision = 6
        case UInt8(ascii: "F"):
            form = UInt8(ascii: "f")
            precision = 6
        default: return false
        }
        precision = flags.precision ?? precision
        var text = GoFloat.text(value, form: form, precision: precision)
        if text[0] != UInt8(ascii: "-") && text[0] != UInt8(ascii: "+") { text = [UInt8(ascii: "+")] + text }
        let plus = flags.plus || flags.plusV
        if flags.space, text[0] == UInt8(ascii: "+"), !plus { text[0] = 0x20 }
        if flags.sharp && form != UInt8(ascii: "b") && value.isFinite { text = withPoint(text, form, precision) }
        let zeros = flags.zero && value.isFinite
        if plus || text[0] != UInt8(ascii: "+") {
            if zeros, !flags.minus, let width = flags.width, width > text.count {
                result.append(text[0])
                padding(width - text.count, zeros: true)
                result += text[1...]
            } else {
                pad(text, zeros: zeros)
            }
        } else {
            pad(Array(text[1...]), zeros: zeros)
        }
        return true
    }

    /// `#` forces a point, and for `g` the zeros at the end. `text` begins with a sign.
    private func withPoint(_ text: [UInt8], _ form: UInt8, _ precision: Int?) -> [UInt8] {
        let isHex = form | 0x20 == UInt8(ascii: "x")
        var digits = form | 0x20 == UInt8(ascii: "g") || isHex ? precision ?? 6 : 0
        var text = text
        var tail: [UInt8] = []
        var hasPoint = false
        var sawDigit = false
        var index = 1
        while index < text.count {
            let byte = text[index]
            if byte | 0x20 == UInt8(ascii: "p") || (byte | 0x20 == UInt8(ascii: "e") && !isHex) {
                tail = Array(text[index...])
                text.removeLast(text.count - index)
                break
            }
            if byte == UInt8(ascii: ".") {
                hasPoint = true
            } else {
                if byte != 0x30 { sawDigit = true }
                if sawDigit { digits -= 1 }
            }
            index += 1
        }
        if !hasPoint {
            if text.count == 2 && text[1] == 0x30 { digits -= 1 }
            text.append(UInt8(ascii: "."))
        }
        return text + [UInt8](repeating: 0x30, count: max(digits, 0)) + tail
    }

    // MARK: Strings

    private mutating func string(_ value: [UInt8], _ verb: UInt8) -> Bool {
        switch verb {
        case UInt8(ascii: "v") where flags.sharpV, UInt8(ascii: "q"):
            let text = truncated(value)
            let raw = flags.sharp && Runes.isValid(text) && !text.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x60 || $0 == 0x7F }
            pad(raw ? [0x60] + text + [0x60] : GoQuote.quoted(text, asciiOnly: flags.plus))
        case UInt8(ascii: "v"), UInt8(ascii: "s"):
            pad(truncated(value))
        case UInt8(ascii: "x"): hexadecimal(value, digits: ASCII.lowerHex, prefix: "0x")
        case UInt8(ascii: "X"): hexadecimal(value, digits: ASCII.upperHex, prefix: "0X")
        default: return false
        }
        return true
    }

    private mutating func hexadecimal(_ value: [UInt8], digits: [UInt8], prefix: String) {
        let bytes = value.prefix(flags.precision ?? value.count)
        guard !bytes.isEmpty else {
            padding(flags.width ?? 0, zeros: flags.zero)
            return
        }
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if flags.space && index > 0 { text.append(0x20) }
            if flags.sharp && (flags.space || index == 0) { text += Array(prefix.utf8) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        pad(text)
    }
}

/// Hexadecimal text, as Go's `encoding/hex` reads and writes it.
enum Hex {
    static func encode(_ bytes: [UInt8], digits: [UInt8] = ASCII.lowerHex) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return result
    }

    static func decode(_ text: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 2)
        var index = 0
        while index < text.count {
            guard let high = ASCII.hexValue(text[index]) else { throw invalid(text[index]) }
            guard index + 1 < text.count else { throw BuiltinFailure("encoding/hex: odd length hex string") }
            guard let low = ASCII.hexValue(text[index + 1]) else { throw invalid(text[index + 1]) }
            result.append(high << 4 | low)
            index += 2
        }
        return result
    }

    private static func invalid(_ byte: UInt8) -> BuiltinFailure {
        let code = String(decoding: encode([0, byte], digits: ASCII.upperHex), as: UTF8.self)
        let shown = GoQuote.isPrintable(UInt32(byte)) ? " '\(Character(Unicode.Scalar(byte)))'" : ""
        return BuiltinFailure("encoding/hex: invalid byte: U+\(code)\(shown)")
    }
}

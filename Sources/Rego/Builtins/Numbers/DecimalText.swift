/// A decimal number as written: `digits` × 10^`exponent`. Nothing is lost, as it would be in a `Double`.
struct DecimalText: Equatable {
    var isNegative: Bool
    /// ASCII digits without leading zeros; empty for zero.
    var digits: [UInt8]
    var exponent: Int

    /// Reads `[+-] digits [. digits] [e [+-] digits]` with at least one digit in the mantissa; nil for anything else.
    init?(_ text: [UInt8]) {
        var index = 0
        isNegative = false
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        digits = []
        exponent = 0
        var seen = 0
        var afterPoint = false
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "."), !afterPoint {
                afterPoint = true
            } else if byte >= 0x30 && byte <= 0x39 {
                seen += 1
                if !(digits.isEmpty && byte == 0x30) { digits.append(byte) }
                if afterPoint { exponent -= 1 }
            } else {
                break
            }
            index += 1
        }
        guard seen > 0 else { return nil }
        if index < text.count {
            guard text[index] | 0x20 == UInt8(ascii: "e") else { return nil }
            index += 1
            var negative = false
            if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
                negative = text[index] == UInt8(ascii: "-")
                index += 1
            }
            guard index < text.count else { return nil }
            var written = 0
            while index < text.count {
                guard text[index] >= 0x30 && text[index] <= 0x39 else { return nil }
                written = min(written * 10 + Int(text[index] - 0x30), 1 << 40)
                index += 1
            }
            exponent += negative ? -written : written
        }
        while digits.last == 0x30 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { exponent = 0 }
    }

    /// How many digits the number has when written out without an exponent.
    var writtenOutDigits: Int { digits.isEmpty ? 1 : max(digits.count + max(exponent, 0), -exponent + 1) }
}

/// Quantities with a unit: `units.parse` ("1.5Gi", "20m") and `units.parse_bytes` ("1.5GiB").
///
/// Amounts are calculated exactly, as digits and a power of ten; only what is written (a fraction of a byte, the eleventh decimal) is rounded.
enum Units {
    private static let exponentDigitsMax = 6

    /// The quantity as the text of a JSON number.
    static func parse(_ raw: [UInt8]) throws(BuiltinFailure) -> String {
        let name = "units.parse"
        let text = raw.filter { $0 != UInt8(ascii: "\"") }
        if text.contains(UInt8(ascii: " ")) { throw BuiltinFailure("\(name): spaces not allowed in resource strings") }
        guard let (amount, unit) = cut(text) else { throw BuiltinFailure("\(name): exponent too large") }
        if amount.isEmpty { throw BuiltinFailure("\(name): no amount provided") }

        // Only what follows the first letter is lowered: "m" is milli, "M" is mega.
        let factor: UInt64
        var milli = false
        switch String(decoding: unit.prefix(1), as: UTF8.self) + lowered(Array(unit.dropFirst())) {
        case "": factor = 1
        case "m":
            factor = 1
            milli = true
        case "k", "K": factor = 1000
        case "ki", "Ki": factor = 1 << 10
        case "M": factor = 1_000_000
        case "mi", "Mi": factor = 1 << 20
        case "g", "G": factor = 1_000_000_000
        case "gi", "Gi": factor = 1 << 30
        case "t", "T": factor = 1_000_000_000_000
        case "ti", "Ti": factor = 1 << 40
        case "p", "P": factor = 1_000_000_000_000_000
        case "pi", "Pi": factor = 1 << 50
        case "e", "E": factor = 1_000_000_000_000_000_000
        case "ei", "Ei": factor = 1 << 60
        default: throw BuiltinFailure("\(name): unit \(String(decoding: unit, as: UTF8.self)) not recognized")
        }
        guard let value = DecimalText(amount) else { throw BuiltinFailure("\(name): could not parse amount to a number") }
        try checkSize(value)
        return decimalText(value, times: factor, exponent: value.exponent - (milli ? 3 : 0))
    }

    /// The number of whole bytes as the text of a JSON number.
    static func parseBytes(_ raw: [UInt8]) throws(BuiltinFailure) -> String {
        let name = "units.parse_bytes"
        let text = Array(lowered(raw).utf8).filter { $0 != UInt8(ascii: "\"") }
        if text.contains(UInt8(ascii: " ")) { throw BuiltinFailure("\(name): spaces not allowed in resource strings") }
        guard let (amount, unit) = cut(text) else { throw BuiltinFailure("\(name): exponent too large") }
        if amount.isEmpty { throw BuiltinFailure("\(name): no byte amount provided") }

        let factor: UInt64
        switch String(decoding: unit, as: UTF8.self) {
        case "": factor = 1
        case "kb", "k": factor = 1000
        case "kib", "ki": factor = 1 << 10
        case "mb", "m": factor = 1_000_000
        case "mib", "mi": factor = 1 << 20
        case "gb", "g": factor = 1_000_000_000
        case "gib", "gi": factor = 1 << 30
        case "tb", "t": factor = 1_000_000_000_000
        case "tib", "ti": factor = 1 << 40
        case "pb", "p": factor = 1_000_000_000_000_000
        case "pib", "pi": factor = 1 << 50
        case "eb", "e": factor = 1_000_000_000_000_000_000
        case "eib", "ei": factor = 1 << 60
        default: throw BuiltinFailure("\(name): byte unit \(String(decoding: unit, as: UTF8.self)) not recognized")
        }
        guard let value = DecimalText(amount) else {
            throw BuiltinFailure("\(name): could not parse byte amount to a number")
        }
        try checkSize(value)
        var digits = product(value.digits, factor)
        if value.exponent >= 0 {
            if !digits.isEmpty { digits += [UInt8](repeating: 0x30, count: value.exponent) }
        } else {
            digits.removeLast(min(digits.count, -value.exponent))
        }
        if digits.isEmpty { return "0" }
        return (value.isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }

    private static func checkSize(_ value: DecimalText) throws(BuiltinFailure) {
        if value.writtenOutDigits > BuiltinLimits.integerDigitsMax {
            throw .tooLarge("digits of an amount", BuiltinLimits.integerDigitsMax)
        }
    }

    private static func lowered(_ bytes: [UInt8]) -> String {
        String(decoding: Runes.bytes(Runes.all(bytes).map(Runes.lower)), as: UTF8.self)
    }

    /// Cuts "10.2e3Gi" into its number and its unit; nil when the exponent has too many digits.
    private static func cut(_ text: [UInt8]) -> (amount: [UInt8], unit: [UInt8])? {
        func isDigit(_ index: Int) -> Bool { index < text.count && text[index] >= 0x30 && text[index] <= 0x39 }
        func isSign(_ index: Int) -> Bool { index < text.count && (text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-")) }
        var index = 0
        while index < text.count {
            if text[index] | 0x20 == UInt8(ascii: "e") {
                guard isDigit(index + 1) || isSign(index + 1) else { break }
                if isSign(index + 1) { index += 1 }
                var end = index + 1
                while isDigit(end) { end += 1 }
                if end - index - 1 > exponentDigitsMax { return nil }
            } else if !isDigit(index) && !isSign(index) && text[index] != UInt8(ascii: ".") {
                break
            }
            index += 1
        }
        return (Array(text[..<index]), Array(text[index...]))
    }

    /// The digits of `digits` × `factor`, without leading zeros.
    private static func product(_ digits: [UInt8], _ factor: UInt64) -> [UInt8] {
        if digits.isEmpty { return [] }
        var product = Magnitude(decimal: digits)
        let high = UInt32(factor >> 32)
        if high == 0 {
            product.multiply(by: UInt32(factor))
        } else {
            var upper = product
            upper.multiply(by: high)
            product.multiply(by: UInt32(truncatingIfNeeded: factor))
            product.add(upper << 32)
        }
        return Array(product.text().utf8)
    }

    /// A whole number without a point, anything else with ten decimals, the last one rounded half away from zero.
    private static func decimalText(_ value: DecimalText, times factor: UInt64, exponent: Int) -> String {
        var digits = product(value.digits, factor)
        var exponent = exponent
        while exponent < 0, digits.last == 0x30 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { return "0" }
        let sign = value.isNegative ? "-" : ""
        if exponent >= 0 {
            return sign + String(decoding: digits + [UInt8](repeating: 0x30, count: exponent), as: UTF8.self)
        }
        let decimals = 10
        if exponent < -decimals {
            let dropped = -decimals - exponent
            if dropped > digits.count { return sign + "0.0000000000" }
            let roundUp = digits[digits.count - dropped] >= 0x35
            digits.removeLast(dropped)
            if roundUp {
                var rounded = Magnitude(decimal: digits)
                rounded.add(Magnitude(1))
                digits = Array(rounded.text().utf8)
            }
        } else {
            digits += [UInt8](repeating: 0x30, count: decimals + exponent)
        }
        if digits.count <= decimals { digits = [UInt8](repeating: 0x30, count: decimals + 1 - digits.count) + digits }
        let point = digits.count - decimals
        return sign + String(decoding: digits[..<point], as: UTF8.self) + "." + String(decoding: digits[point...], as: UTF8.self)
    }
}

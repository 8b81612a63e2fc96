/// Floating-point numbers as Go's `strconv.FormatFloat` writes them.
enum GoFloat {
    /// - Parameters:
    ///   - form: `e`, `E`, `f`, `g`, `G`, `x`, `X` or `b`.
    ///   - precision: digits after the point (for `g`, all digits); nil for as many as are needed.
    static func text(_ value: Double, form: UInt8, precision: Int?) -> [UInt8] {
        if value.isNaN { return Array("NaN".utf8) }
        if value.isInfinite { return Array((value < 0 ? "-Inf" : "+Inf").utf8) }
        let sign: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        switch form | 0x20 {
        case UInt8(ascii: "b"): return sign + binary(value)
        case UInt8(ascii: "x"): return sign + hexadecimal(value, precision: precision, upper: form == UInt8(ascii: "X"))
        default: break
        }
        var digits: DecimalDigits
        var precision = precision ?? -1
        if precision < 0 {
            digits = DecimalDigits(shortest: value)
            switch form | 0x20 {
            case UInt8(ascii: "e"): precision = max(digits.digits.count - 1, 0)
            case UInt8(ascii: "f"): precision = max(digits.digits.count - digits.point, 0)
            default:
                let exponent = digits.point - 1
                let isLong = exponent < -4 || exponent >= 6
                return sign
                    + (isLong && !digits.digits.isEmpty
                        ? scientific(digits, precision: max(digits.digits.count - 1, 0), letter: form - 2)
                        : fixed(digits, precision: max(digits.digits.count - digits.point, 0)))
            }
        } else {
            digits = DecimalDigits(exact: value)
            switch form | 0x20 {
            case UInt8(ascii: "e"): digits.round(to: precision + 1)
            case UInt8(ascii: "f"): digits.round(to: digits.point + precision)
            default:
                if precision == 0 { precision = 1 }
                digits.round(to: precision)
                var limit = precision
                if limit > digits.digits.count && digits.digits.count >= digits.point { limit = digits.digits.count }
                let exponent = digits.point - 1
                if !digits.digits.isEmpty, exponent < -4 || exponent >= limit {
                    return sign + scientific(digits, precision: min(precision, digits.digits.count) - 1, letter: form - 2)
                }
                return sign + fixed(digits, precision: max(digits.digits.count - digits.point, 0))
            }
        }
        if form | 0x20 == UInt8(ascii: "e") { return sign + scientific(digits, precision: precision, letter: form) }
        return sign + fixed(digits, precision: precision)
    }

    private static func scientific(_ digits: DecimalDigits, precision: Int, letter: UInt8) -> [UInt8] {
        var result: [UInt8] = [digits.digits.first ?? 0x30]
        if precision > 0 {
            result.append(UInt8(ascii: "."))
            let rest = digits.digits.dropFirst().prefix(precision)
            result += rest
            result += [UInt8](repeating: 0x30, count: precision - rest.count)
        }
        let exponent = digits.digits.isEmpty ? 0 : digits.point - 1
        result += [letter, UInt8(ascii: exponent < 0 ? "-" : "+")]
        if abs(exponent) < 10 { result.append(0x30) }
        return result + Array(String(abs(exponent)).utf8)
    }

    private static func fixed(_ digits: DecimalDigits, precision: Int) -> [UInt8] {
        var result: [UInt8] = []
        if digits.point > 0 {
            let whole = digits.digits.prefix(digits.point)
            result += whole
            result += [UInt8](repeating: 0x30, count: digits.point - whole.count)
        } else {
            result.append(0x30)
        }
        if precision > 0 {
            result.append(UInt8(ascii: "."))
            for index in digits.point..<(digits.point + precision) {
                result.append(index >= 0 && index < digits.digits.count ? digits.digits[index] : 0x30)
            }
        }
        return result
    }

    private static func parts(_ value: Double) -> (mantissa: UInt64, exponent: Int) {
        let value = value.magnitude
        return (
            value.significandBitPattern | (value.isNormal ? 1 << 52 : 0),
            (value.isNormal ? Int(value.exponentBitPattern) : 1) - 1075
        )
    }

    private static func binary(_ value: Double) -> [UInt8] {
        let (mantissa, exponent) = parts(value)
        return Array("\(mantissa)p\(exponent < 0 ? "" : "+")\(exponent)".utf8)
    }

    /// `0x1.8p+01`
    private static func hexadecimal(_ value: Double, precision: Int?, upper: Bool) -> [UInt8] {
        var (mantissa, exponent) = parts(value)
        if mantissa == 0 { exponent = 0 } else { exponent += 52 }
        while mantissa != 0, mantissa & (1 << 52) == 0 {
            mantissa <<= 1
            exponent -= 1
        }
        // One digit before the point, 13 after it.
        if let precision, precision < 13 {
            let dropped = UInt64(52 - 4 * precision)
            let rest = mantissa & ((1 << dropped) - 1)
            mantissa >>= dropped
            let half = UInt64(1) << (dropped - 1)
            if rest > half || (rest == half && mantissa & 1 == 1) { mantissa += 1 }
            mantissa <<= dropped
            if mantissa >> 53 != 0 {
                mantissa >>= 1
                exponent += 1
            }
        }
        var digits: [UInt8] = (0..<13).map { ASCII.lowerHex[Int(mantissa >> UInt64(48 - 4 * $0) & 15)] }
        if let precision {
            digits = Array(digits.prefix(precision)) + [UInt8](repeating: 0x30, count: max(precision - 13, 0))
        } else {
            while digits.last == 0x30 { digits.removeLast() }
        }
        let sign = exponent < 0 ? "-" : "+"
        let shown = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        let point: [UInt8] = digits.isEmpty ? [] : [UInt8(ascii: ".")]
        let text = Array("0x\(mantissa >> 52)".utf8) + point + digits + Array("p\(sign)\(shown)".utf8)
        return upper ? text.map { ASCII.isLetter($0) ? $0 & 0xDF : $0 } : text
    }
}

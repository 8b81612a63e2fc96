/// A floating-point number with 64 bits of mantissa, as Go's `big.Float` has by default: what OPA calculates with where integers do not suffice.
///
/// The value is ±`mantissa` × 2^`exponent`; the mantissa's highest bit is set, or the value is zero.
struct WideFloat: Equatable {
    let isNegative: Bool
    let mantissa: UInt64
    let exponent: Int

    /// Powers of ten beyond this are refused: their digits would be written out.
    static let decimalExponentMax = 20_000

    var isZero: Bool { mantissa == 0 }

    /// Rounds to the nearest, ties to even. `sticky`: something below the magnitude's last bit is not zero.
    init(isNegative: Bool, magnitude: Magnitude, exponent: Int, sticky: Bool = false) {
        self.isNegative = isNegative
        let width = magnitude.bitWidth
        guard width > 0 else {
            mantissa = 0
            self.exponent = 0
            return
        }
        if width <= 64 {
            let value = magnitude.asUInt64!
            mantissa = value << UInt64(64 - width)
            self.exponent = exponent - (64 - width)
            return
        }
        let dropped = width - 64
        let kept = (magnitude >> dropped).asUInt64!
        let half = (magnitude >> (dropped - 1)).limbs[0] & 1 == 1
        let rest = sticky || magnitude.hasBits(below: dropped - 1)
        let up = half && (rest || kept & 1 == 1)
        if up && kept == .max {
            mantissa = 1 << 63
            self.exponent = exponent + dropped + 1
        } else {
            mantissa = up ? kept + 1 : kept
            self.exponent = exponent + dropped
        }
    }

    /// nil when the exponent is beyond `decimalExponentMax` or there are too many digits.
    init?(_ decimal: DecimalText) {
        guard abs(decimal.exponent) <= Self.decimalExponentMax, decimal.digits.count <= BuiltinLimits.integerDigitsMax else { return nil }
        var magnitude = Magnitude(decimal: decimal.digits)
        if decimal.exponent >= 0 {
            magnitude.multiply(byPowerOfTen: decimal.exponent)
            self.init(isNegative: decimal.isNegative, magnitude: magnitude, exponent: 0)
            return
        }
        // Enough bits that 66 remain after the division: 10 is less than 2^4.
        let shift = max(66 + 4 * -decimal.exponent - magnitude.bitWidth, 0)
        magnitude = magnitude << shift
        var sticky = false
        var left = -decimal.exponent
        while left > 0 {
            let step = min(left, 9)
            if magnitude.divide(by: (0..<step).reduce(1) { product, _ in product * 10 }) != 0 { sticky = true }
            left -= step
        }
        self.init(isNegative: decimal.isNegative, magnitude: magnitude, exponent: -shift, sticky: sticky)
    }

    private init(isNegative: Bool, mantissa: UInt64, exponent: Int) {
        (self.isNegative, self.mantissa, self.exponent) = (isNegative, mantissa, exponent)
    }

    static prefix func - (value: WideFloat) -> WideFloat {
        WideFloat(isNegative: !value.isNegative, mantissa: value.mantissa, exponent: value.exponent)
    }

    static func + (left: WideFloat, right: WideFloat) -> WideFloat {
        if left.isZero {
            return right.isZero ? WideFloat(isNegative: left.isNegative && right.isNegative, mantissa: 0, exponent: 0) : right
        }
        if right.isZero { return left }
        let (high, low) = left.exponent >= right.exponent ? (left, right) : (right, left)
        // So far apart that the smaller cannot change the rounding, but for its side of a tie, which there is none.
        if high.exponent - low.exponent > 130 { return high }
        var sum = Magnitude(high.mantissa) << (high.exponent - low.exponent)
        let other = Magnitude(low.mantissa)
        if high.isNegative == low.isNegative {
            sum.add(other)
            return WideFloat(isNegative: high.isNegative, magnitude: sum, exponent: low.exponent)
        }
        if sum < other {
            var difference = other
            difference.subtract(sum)
            return WideFloat(isNegative: low.isNegative, magnitude: difference, exponent: low.exponent)
        }
        sum.subtract(other)
        return WideFloat(isNegative: !sum.isZero && high.isNegative, magnitude: sum, exponent: low.exponent)
    }

    static func * (left: WideFloat, right: WideFloat) -> WideFloat {
        let product = left.mantissa.multipliedFullWidth(by: right.mantissa)
        var magnitude = Magnitude(product.high) << 64
        magnitude.add(Magnitude(product.low))
        return WideFloat(
            isNegative: left.isNegative != right.isNegative, magnitude: magnitude, exponent: left.exponent + right.exponent)
    }

    /// `right` is not zero.
    static func / (left: WideFloat, right: WideFloat) -> WideFloat {
        let negative = left.isNegative != right.isNegative
        if left.isZero { return WideFloat(isNegative: negative, mantissa: 0, exponent: 0) }
        // 64 whole bits, or 65, and a remainder; then two more bits and the sticky one.
        let dividend = UInt128(left.mantissa) << 64
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: UInt128(right.mantissa))
        let (more, rest) = (remainder << 2).quotientAndRemainder(dividingBy: UInt128(right.mantissa))
        var magnitude = Magnitude(UInt64(truncatingIfNeeded: quotient >> 64)) << 64
        magnitude.add(Magnitude(UInt64(truncatingIfNeeded: quotient)))
        magnitude = magnitude << 2
        magnitude.add(Magnitude(UInt64(more)))
        return WideFloat(
            isNegative: negative, magnitude: magnitude, exponent: left.exponent - right.exponent - 66, sticky: rest != 0)
    }

    var isInteger: Bool { isZero || exponent >= 0 || mantissa.trailingZeroBitCount >= -exponent }

    /// Without its fraction.
    var truncated: BigInteger {
        let magnitude = exponent >= 0 ? Magnitude(mantissa) << exponent : Magnitude(mantissa) >> -exponent
        return BigInteger(isNegative: isNegative, magnitude: magnitude)
    }

    /// The shortest digits that read back as the same value, in the form of OPA: whole numbers without an exponent.
    var text: String {
        if isZero { return isNegative ? "-0" : "0" }
        let digits = shortest()
        let sign = isNegative ? "-" : ""
        if isInteger {
            let text = String(decoding: digits.digits, as: UTF8.self)
            return sign + text + String(repeating: "0", count: max(digits.point - digits.digits.count, 0))
        }
        let exponent = digits.point - 1
        if exponent < -4 || exponent >= 6 {
            var text = String(decoding: digits.digits.prefix(1), as: UTF8.self)
            if digits.digits.count > 1 { text += "." + String(decoding: digits.digits.dropFirst(), as: UTF8.self) }
            return sign + text + "e" + (exponent < 0 ? "-" : "+") + (abs(exponent) < 10 ? "0" : "") + String(abs(exponent))
        }
        if digits.point <= 0 {
            return sign + "0." + String(repeating: "0", count: -digits.point) + String(decoding: digits.digits, as: UTF8.self)
        }
        return sign + String(decoding: digits.digits.prefix(digits.point), as: UTF8.self) + "."
            + String(decoding: digits.digits.dropFirst(digits.point), as: UTF8.self)
    }

    /// The fewest digits of a decimal that lies nearer to this value than to its neighbours.
    private func shortest() -> (digits: [UInt8], point: Int) {
        // Twice the mantissa, so that the bounds half way to the neighbours are whole; below a power of two the lower one is nearer.
        let scaled = Magnitude(mantissa) << 2
        var (upper, lower) = (scaled, scaled)
        upper.add(Magnitude(2))
        lower.subtract(Magnitude(mantissa == 1 << 63 ? 1 : 2))
        let value = Self.decimal(scaled, exponent - 2)
        let high = Self.decimal(upper, exponent - 2)
        let low = Self.decimal(lower, exponent - 2)
        let inclusive = mantissa & 1 == 0
        func digit(_ number: (digits: [UInt8], point: Int), _ position: Int) -> UInt8 {
            let index = position - (value.point - number.point)
            return index >= 0 && index < number.digits.count ? number.digits[index] : 0x30
        }
        var lowDiffers = false
        var highDiffers = false
        var highByMoreThanOne = false
        for index in value.digits.indices {
            let (l, m, u) = (digit(low, index), value.digits[index], digit(high, index))
            // Whether the digits so far, rounded down or up, stay within the bounds.
            if l != m { lowDiffers = true }
            let downFits = lowDiffers || (inclusive && index + 1 >= low.digits.count + (value.point - low.point))
            if !highDiffers {
                if m + 1 == u || (m == 0x39 && u == 0x30) {
                    highDiffers = true
                } else if m != u {
                    (highDiffers, highByMoreThanOne) = (true, true)
                }
            } else if !highByMoreThanOne, !(m == 0x39 && u == 0x30) {
                highByMoreThanOne = true
            }
            let upFits = highDiffers && (inclusive || highByMoreThanOne || index + 1 < high.digits.count + (value.point - high.point))
            if downFits || upFits {
                let next = index + 1 < value.digits.count ? value.digits[index + 1] : 0x30
                let isHalf = next == 0x35 && index + 2 >= value.digits.count
                let nearestIsUp = isHalf ? m & 1 == 1 : next >= 0x35
                let up = downFits && upFits ? nearestIsUp : upFits
                return Self.rounded(value, to: index + 1, up: up)
            }
        }
        return value
    }

    private static func rounded(_ number: (digits: [UInt8], point: Int), to count: Int, up: Bool) -> (digits: [UInt8], point: Int) {
        var digits = Array(number.digits.prefix(count))
        var point = number.point
        if up {
            while let last = digits.last, last == 0x39 { digits.removeLast() }
            if digits.isEmpty {
                digits = [0x31]
                point += 1
            } else {
                digits[digits.count - 1] += 1
            }
        }
        while digits.last == 0x30 { digits.removeLast() }
        return (digits, point)
    }

    /// magnitude × 2^exponent in full.
    private static func decimal(_ magnitude: Magnitude, _ exponent: Int) -> (digits: [UInt8], point: Int) {
        var number = magnitude
        if exponent >= 0 {
            number = number << exponent
        } else {
            var left = -exponent
            while left > 0 {
                let step = min(left, 13)
                number.multiply(by: (0..<step).reduce(1) { product, _ in product * 5 })
                left -= step
            }
        }
        var digits = Array(number.text().utf8)
        let point = digits.count + min(exponent, 0)
        while digits.last == 0x30 { digits.removeLast() }
        return (digits, point)
    }
}

/// The decimal digits of a double: 0.d₁d₂d₃… × 10^`point`. Zero has no digits.
struct DecimalDigits {
    private(set) var digits: [UInt8]
    private(set) var point: Int

    /// The fewest digits that read back as the same value.
    init(shortest value: Double) {
        let text = DecimalText(Array(value.magnitude.description.utf8))
        digits = text?.digits ?? []
        point = digits.isEmpty ? 0 : digits.count + (text?.exponent ?? 0)
    }

    /// All digits; a double always ends.
    init(exact value: Double) {
        let value = value.magnitude
        guard value > 0 else {
            (digits, point) = ([], 0)
            return
        }
        let mantissa = value.significandBitPattern | (value.isNormal ? 1 << 52 : 0)
        let exponent = (value.isNormal ? Int(value.exponentBitPattern) : 1) - 1075
        var number = Magnitude(mantissa)
        if exponent >= 0 {
            number = number << exponent
        } else {
            // m / 2^k is m × 5^k / 10^k.
            var left = -exponent
            while left > 0 {
                let step = min(left, 13)
                number.multiply(by: (0..<step).reduce(1) { product, _ in product * 5 })
                left -= step
            }
        }
        digits = Array(number.text().utf8)
        point = digits.count + min(exponent, 0)
        dropZeros()
    }

    private mutating func dropZeros() {
        while digits.last == 0x30 { digits.removeLast() }
        if digits.isEmpty { point = 0 }
    }

    /// Keeps `count` digits; exactly between two, the even one.
    mutating func round(to count: Int) {
        guard count < digits.count else { return }
        guard count >= 0 else {
            (digits, point) = ([], 0)
            return
        }
        let isHalf = digits[count] == 0x35 && count + 1 == digits.count
        let isOdd = count > 0 && digits[count - 1] & 1 == 1
        let up = isHalf ? isOdd : digits[count] >= 0x35
        digits.removeLast(digits.count - count)
        if up {
            var index = count - 1
            while index >= 0, digits[index] == 0x39 { index -= 1 }
            if index < 0 {
                digits = [0x31]
                point += 1
            } else {
                digits[index] += 1
                digits.removeLast(count - index - 1)
            }
        }
        dropZeros()
    }
}

/// An integer of any size: sign and magnitude; zero is not negative.
struct BigInteger: Equatable {
    let isNegative: Bool
    let magnitude: Magnitude

    init(isNegative: Bool, magnitude: Magnitude) {
        self.isNegative = isNegative && !magnitude.isZero
        self.magnitude = magnitude
    }

    init(_ value: Int64) {
        self.init(isNegative: value < 0, magnitude: Magnitude(value.magnitude))
    }

    /// Reads an optional sign and decimal digits; nil when the text is anything else.
    init?(_ text: some StringProtocol) {
        var digits = Array(text.utf8)
        var negative = false
        if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            digits.removeFirst()
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        self.init(isNegative: negative, magnitude: Magnitude(decimal: digits))
    }

    var asInt64: Int64? {
        guard let value = magnitude.asUInt64 else { return nil }
        if isNegative { return value <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return Int64(exactly: value)
    }

    func text(base: UInt32 = 10) -> String { (isNegative ? "-" : "") + magnitude.text(base: base) }
}

/// Bitwise operations on integers of any size, as if two's complement went on for ever.
extension BigInteger {
    private func twosComplement(limbs count: Int) -> [UInt32] {
        var limbs = magnitude.limbs + [UInt32](repeating: 0, count: count - magnitude.limbs.count)
        guard isNegative else { return limbs }
        var carry: UInt64 = 1
        for index in limbs.indices {
            carry += UInt64(~limbs[index])
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        return limbs
    }

    private init(twosComplement limbs: [UInt32]) {
        guard let last = limbs.last, last >> 31 == 1 else {
            self.init(isNegative: false, magnitude: Magnitude(limbs: limbs))
            return
        }
        var limbs = limbs
        var carry: UInt64 = 1
        for index in limbs.indices {
            carry += UInt64(~limbs[index])
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        self.init(isNegative: true, magnitude: Magnitude(limbs: limbs))
    }

    func bitwise(_ other: BigInteger, _ operation: (UInt32, UInt32) -> UInt32) -> BigInteger {
        let count = max(magnitude.limbs.count, other.magnitude.limbs.count) + 1
        return BigInteger(
            twosComplement: zip(twosComplement(limbs: count), other.twosComplement(limbs: count)).map(operation))
    }

    static prefix func ~ (value: BigInteger) -> BigInteger {
        BigInteger(twosComplement: value.twosComplement(limbs: value.magnitude.limbs.count + 1).map { ~$0 })
    }

    static func << (value: BigInteger, bits: Int) -> BigInteger {
        BigInteger(isNegative: value.isNegative, magnitude: value.magnitude << bits)
    }

    /// Arithmetic shift: rounds towards negative infinity.
    static func >> (value: BigInteger, bits: Int) -> BigInteger {
        var magnitude = value.magnitude >> bits
        if value.isNegative && value.magnitude.hasBits(below: bits) { magnitude.add(Magnitude(1)) }
        return BigInteger(isNegative: value.isNegative, magnitude: magnitude)
    }
}

/// A natural number of any size, in 32-bit limbs, least significant first, without leading zeros. Zero has no limbs.
struct Magnitude: Equatable {
    private(set) var limbs: [UInt32]

    init(_ value: UInt64 = 0) {
        limbs = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
        trim()
    }

    init(limbs: [UInt32]) {
        self.limbs = limbs
        trim()
    }

    /// Reads decimal digits; the caller has checked that they are digits.
    init(decimal digits: some Sequence<UInt8>) {
        limbs = []
        var chunk: UInt32 = 0
        var scale: UInt32 = 1
        for digit in digits {
            chunk = chunk * 10 + UInt32(digit - 0x30)
            scale *= 10
            if scale == 1_000_000_000 {
                multiply(by: scale, adding: chunk)
                chunk = 0
                scale = 1
            }
        }
        if scale > 1 { multiply(by: scale, adding: chunk) }
    }

    var isZero: Bool { limbs.isEmpty }

    var bitWidth: Int { limbs.isEmpty ? 0 : limbs.count * 32 - limbs[limbs.count - 1].leadingZeroBitCount }

    private mutating func trim() {
        while limbs.last == 0 { limbs.removeLast() }
    }

    mutating func multiply(by factor: UInt32, adding addend: UInt32 = 0) {
        var carry = UInt64(addend)
        for index in limbs.indices {
            carry += UInt64(limbs[index]) * UInt64(factor)
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
        trim()
    }

    mutating func multiply(byPowerOfTen exponent: Int) {
        var left = exponent
        while left >= 9 {
            multiply(by: 1_000_000_000)
            left -= 9
        }
        for _ in 0..<left { multiply(by: 10) }
    }

    /// Divides in place and gives the remainder.
    mutating func divide(by divisor: UInt32) -> UInt32 {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            let value = remainder << 32 | UInt64(limbs[index])
            limbs[index] = UInt32(value / UInt64(divisor))
            remainder = value % UInt64(divisor)
        }
        trim()
        return UInt32(remainder)
    }

    mutating func add(_ other: Magnitude) {
        var carry: UInt64 = 0
        for index in 0..<max(limbs.count, other.limbs.count) {
            if index == limbs.count { limbs.append(0) }
            carry += UInt64(limbs[index]) + UInt64(index < other.limbs.count ? other.limbs[index] : 0)
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Takes away `other`, which is not greater.
    mutating func subtract(_ other: Magnitude) {
        var borrow: Int64 = 0
        for index in limbs.indices {
            var value = Int64(limbs[index]) - borrow - Int64(index < other.limbs.count ? other.limbs[index] : 0)
            borrow = value < 0 ? 1 : 0
            if value < 0 { value += 1 << 32 }
            limbs[index] = UInt32(value)
        }
        precondition(borrow == 0, "a natural number would become negative")
        trim()
    }

    static func << (value: Magnitude, bits: Int) -> Magnitude {
        if value.isZero { return value }
        let shift = UInt32(bits % 32)
        var limbs = [UInt32](repeating: 0, count: bits / 32)
        limbs.reserveCapacity(limbs.count + value.limbs.count + 1)
        var carry: UInt32 = 0
        for limb in value.limbs {
            limbs.append(limb << shift | carry)
            carry = shift == 0 ? 0 : limb >> (32 - shift)
        }
        limbs.append(carry)
        return Magnitude(limbs: limbs)
    }

    static func >> (value: Magnitude, bits: Int) -> Magnitude {
        let skip = bits / 32
        if skip >= value.limbs.count { return Magnitude() }
        let shift = UInt32(bits % 32)
        var limbs: [UInt32] = []
        for index in skip..<value.limbs.count {
            let next = index + 1 < value.limbs.count ? value.limbs[index + 1] : 0
            limbs.append(shift == 0 ? value.limbs[index] : value.limbs[index] >> shift | next << (32 - shift))
        }
        return Magnitude(limbs: limbs)
    }

    /// Whether a bit below `bits` is set.
    func hasBits(below bits: Int) -> Bool {
        for (index, limb) in limbs.enumerated() {
            let low = index * 32
            if low >= bits { return false }
            let mask: UInt32 = bits - low >= 32 ? .max : (1 << UInt32(bits - low)) - 1
            if limb & mask != 0 { return true }
        }
        return false
    }

    static func < (left: Magnitude, right: Magnitude) -> Bool {
        if left.limbs.count != right.limbs.count { return left.limbs.count < right.limbs.count }
        for index in left.limbs.indices.reversed() where left.limbs[index] != right.limbs[index] {
            return left.limbs[index] < right.limbs[index]
        }
        return false
    }

    /// Digits in a base from 2 to 36, lower case.
    func text(base: UInt32 = 10) -> String {
        if isZero { return "0" }
        // As many digits at once as fit into a limb.
        var chunk = base
        var digitsPerChunk = 1
        while UInt64(chunk) * UInt64(base) <= UInt64(UInt32.max) {
            chunk *= base
            digitsPerChunk += 1
        }
        var value = self
        var digits: [UInt8] = []
        while !value.isZero {
            var part = value.divide(by: chunk)
            for _ in 0..<digitsPerChunk {
                let digit = UInt8(part % base)
                digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                part /= base
                if part == 0 && value.isZero { break }
            }
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }

    /// The value, when it fits.
    var asUInt64: UInt64? {
        switch limbs.count {
        case 0: 0
        case 1: UInt64(limbs[0])
        case 2: UInt64(limbs[1]) << 32 | UInt64(limbs[0])
        default: nil
        }
    }
}

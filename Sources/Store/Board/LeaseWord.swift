import Domain

/// What the board says of one lease, in 64 bits, so that a processor writes it whole.
///
///     bit 63      62 … 24                     23 … 8       7 … 0
///     isExpired   deadline, 10 ms of Uptime   generation   CRC-8 of the rest
///
/// Zero is an empty slot. A slot is given to another lease with another generation, so that a stale holder is never taken for the new one.
package struct LeaseWord: Hashable, Sendable {
    package static let empty = LeaseWord(rawValue: 0)
    /// Milliseconds of one step of the deadline.
    static let step: Int64 = 10
    private static let stepsMax: UInt64 = (1 << 39) - 1

    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameter deadline: rounded up to 10 ms, so that a lease never ends early.
    package init(deadline: Uptime, generation: UInt16, isExpired: Bool = false) {
        let steps = UInt64(max(0, deadline.milliseconds / Self.step + (deadline.milliseconds % Self.step > 0 ? 1 : 0)))
        precondition(steps <= Self.stepsMax, "a deadline in \(deadline.milliseconds) ms of uptime is 174 years away")
        let body = (isExpired ? 1 << 63 : 0) | steps << 24 | UInt64(generation) << 8
        rawValue = body | UInt64(Self.check(of: body))
    }

    package var isEmpty: Bool { rawValue == 0 }
    /// A set slot whose check byte is right.
    package var isValid: Bool { rawValue != 0 && UInt8(truncatingIfNeeded: rawValue) == Self.check(of: rawValue) }
    /// The writer has announced that the lease has ended; only the writer can bring it back.
    package var isExpired: Bool { rawValue >> 63 == 1 }
    package var generation: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 8) }
    package var deadline: Uptime { Uptime(milliseconds: Int64(rawValue >> 24 & Self.stepsMax) * Self.step) }

    /// CRC-8 (polynomial 0x07, beginning with 0xFF, so that a zero word is not valid) of the upper 56 bits.
    private static func check(of word: UInt64) -> UInt8 {
        var crc: UInt8 = 0xFF
        var rest = word
        for _ in 0..<7 {
            crc = table[Int(crc ^ UInt8(truncatingIfNeeded: rest >> 56))]
            rest <<= 8
        }
        return crc
    }

    private static let table: [UInt8] = (0..<256).map { start in
        (0..<8).reduce(UInt8(start)) { crc, _ in crc & 0x80 != 0 ? crc << 1 ^ 0x07 : crc << 1 }
    }
}

/// Tests on eight bytes at once (Warren, Hacker's Delight, 2nd edition, §6-1): a word is not 0 if one of its bytes is what was asked for.
///
/// A byte that follows one that was found may be reported wrongly; whether there is any is always right.
enum ByteWords {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether a byte is below `limit`, at most 128.
    @inline(__always)
    static func isBelow(_ word: UInt64, _ limit: UInt8) -> UInt64 { (word &- ones &* UInt64(limit)) & ~word & highBits }

    /// Whether a byte is `byte`.
    @inline(__always)
    static func has(_ word: UInt64, _ byte: UInt8) -> UInt64 { isBelow(word ^ ones &* UInt64(byte), 1) }

    /// Whether `test` holds for each eight bytes, and for what is left at the end, filled up with a letter.
    @inline(__always)
    static func areAll(_ bytes: UnsafeBufferPointer<UInt8>, _ test: (UInt64) -> Bool) -> Bool {
        guard let start = UnsafeRawPointer(bytes.baseAddress) else { return true }
        var at = 0
        while at + 8 <= bytes.count {
            guard test(start.loadUnaligned(fromByteOffset: at, as: UInt64.self)) else { return false }
            at += 8
        }
        if at == bytes.count { return true }
        // The last eight once more, where there are eight.
        if at > 0 { return test(start.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)) }
        var rest = ones &* 0x61
        for byte in bytes { rest = rest << 8 | UInt64(byte) }
        return test(rest)
    }
}

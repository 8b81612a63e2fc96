/// The identity of one request, written into its answer and into every log line about it.
///
/// Taken from `X-Request-Id` if that is 1…64 of `[A-Za-z0-9._-]`, else 32 hexadecimal digits made here. Lives without the heap.
package struct HTTPRequestID: Sendable, Equatable, CustomStringConvertible {
    typealias Storage = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    var storage: Storage = (0, 0, 0, 0, 0, 0, 0, 0)
    private(set) var count: UInt8 = 0

    /// Nil if `bytes` is not of the form above.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= 1, bytes.count <= 64 else { return nil }
        for byte in bytes where !ASCII.isRequestID(byte) { return nil }
        count = UInt8(bytes.count)
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: UnsafeRawBufferPointer(bytes)) }
    }

    /// Two random words as 32 hexadecimal digits.
    init(_ high: UInt64, _ low: UInt64) {
        storage.0 = Self.hex(high &>> 32)
        storage.1 = Self.hex(high & 0xffff_ffff)
        storage.2 = Self.hex(low &>> 32)
        storage.3 = Self.hex(low & 0xffff_ffff)
        count = 32
    }

    package func withUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        withUnsafeBytes(of: storage) { body(UnsafeBufferPointer(rebasing: $0.bindMemory(to: UInt8.self)[..<Int(count)])) }
    }

    /// 32 bytes long, as those that the door makes.
    var hasDigitsLength: Bool { count == 32 }

    /// Writes the 32 bytes of an identity of that length.
    @inline(__always)
    func copyDigits(to destination: UnsafeMutablePointer<UInt8>) {
        let words = UnsafeMutableRawPointer(destination)
        words.storeBytes(of: storage.0, as: UInt64.self)
        words.storeBytes(of: storage.1, toByteOffset: 8, as: UInt64.self)
        words.storeBytes(of: storage.2, toByteOffset: 16, as: UInt64.self)
        words.storeBytes(of: storage.3, toByteOffset: 24, as: UInt64.self)
    }

    package var description: String { withUTF8 { $0.text } }

    package static func == (a: HTTPRequestID, b: HTTPRequestID) -> Bool {
        a.withUTF8 { left in b.withUTF8 { right in left.elementsEqual(right) } }
    }

    /// The eight digits of a 32-bit number as eight bytes, most significant first in memory, all at once.
    @inline(__always)
    private static func hex(_ value: UInt64) -> UInt64 {
        var spread = ((value & 0xffff_0000) &<< 16) | (value & 0xffff)
        spread = ((spread & 0x0000_ff00_0000_ff00) &<< 8) | (spread & 0x0000_00ff_0000_00ff)
        spread = ((spread & 0x00f0_00f0_00f0_00f0) &<< 4) | (spread & 0x000f_000f_000f_000f)
        // 1 in each byte that is a letter.
        let letters = ((spread &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return ((spread | 0x3030_3030_3030_3030) &+ letters &* 0x27).bigEndian
    }
}

/// A fast generator for identities (xoroshiro128++, Blackman and Vigna 2019): seeded once, no system call a request. Not for secrets.
struct RequestIDGenerator {
    private var a: UInt64
    private var b: UInt64

    init(seed: (UInt64, UInt64)) {
        a = seed.0
        b = seed.1 | 1
    }

    mutating func next() -> UInt64 {
        let result = Self.rotate(a &+ b, 17) &+ a
        let mixed = b ^ a
        a = Self.rotate(a, 49) ^ mixed ^ (mixed &<< 21)
        b = Self.rotate(mixed, 28)
        return result
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { (value &<< by) | (value &>> (64 - by)) }
}

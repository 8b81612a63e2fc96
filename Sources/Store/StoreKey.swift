import Domain

/// A key being built on the stack: the table's id, then parts whose bytes sort as their values do.
///
/// Integers are big-endian, so that LMDB's byte order is numerical order. Nothing is allocated.
package struct StoreKey: ~Copyable {
    private var storage = InlineArray<512, UInt8>(repeating: 0)
    package private(set) var count = 1

    package init(_ table: Table) { storage[0] = table.id }

    package init(_ table: Table, _ bytes: some Sequence<UInt8>) {
        self.init(table)
        append(bytes)
    }

    package init(_ table: Table, _ number: UInt64) {
        self.init(table)
        append(number)
    }

    package mutating func append(_ byte: UInt8) {
        precondition(count < Limits.keyBytesMax, "a key is longer than LMDB allows")
        storage[count] = byte
        count += 1
    }

    package mutating func append(_ number: UInt16) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    package mutating func append(_ number: UInt32) {
        append(UInt16(truncatingIfNeeded: number >> 16))
        append(UInt16(truncatingIfNeeded: number))
    }

    package mutating func append(_ number: UInt64) {
        append(UInt32(truncatingIfNeeded: number >> 32))
        append(UInt32(truncatingIfNeeded: number))
    }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        // Whole, because a generic function of another module pays for each byte that it asks for.
        if bytes.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil {
            for byte in bytes { append(byte) }
        }
    }

    /// The text and a zero byte, so that `a` sorts before `ab` whatever follows. The text must hold no zero byte.
    package mutating func append(terminated text: String) {
        for byte in text.utf8 {
            precondition(byte != 0, "a zero byte inside a part of a key")
            append(byte)
        }
        append(0 as UInt8)
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(count + bytes.count <= Limits.keyBytesMax, "a key is longer than LMDB allows")
        let start = count
        var span = storage.mutableSpan
        span.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[start...]).copyMemory(from: bytes) }
        count += bytes.count
    }

    /// Lends the bytes.
    package borrowing func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let count = self.count
        return try storage.span.withUnsafeBytes { (bytes) throws(E) -> R in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }
}

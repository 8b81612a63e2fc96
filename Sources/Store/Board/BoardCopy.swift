import CPlatform
import Domain

/// One copy of the board on disk (Documentation/FORMATS.md §5): 80 bytes of header, little-endian, and the words of the slots up to the last used.
///
///     0      8        12      16        24    40     56      64    72     76
///     magic  version  period  sequence  boot  store  uptime  floor count  crc32c of all the rest   words…
package struct BoardCopy: Equatable, Sendable {
    static let magic: UInt64 = 0x5950_4f43_4f54_5350  // "PSTOCOPY"
    static let version: UInt32 = 2
    static let headerSize = 80
    /// What O_DIRECT asks of offset, length and address.
    static let sector = 512

    package let identity: BoardIdentity
    /// Rises by one with each copy.
    package let sequence: UInt64
    package let takenAt: Uptime
    /// What time it certainly was then; nil in a copy of version 1, which held whatever the clock said.
    package let timeFloor: Timestamp?
    package let period: Duration
    package let words: [LeaseWord]

    /// Bytes of a copy of so many slots.
    package static func bytes(slots: Int) -> Int { (headerSize + slots * 8 + sector - 1) / sector * sector }

    /// Fills in the header of `buffer`, in which the words already stand behind it.
    static func seal(
        _ buffer: UnsafeMutableRawBufferPointer, count: Int, identity: BoardIdentity, sequence: UInt64, now: Uptime, timeFloor: Timestamp,
        period: Duration
    ) {
        buffer.storeBytes(of: magic.littleEndian, toByteOffset: 0, as: UInt64.self)
        buffer.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt32.self)
        buffer.storeBytes(of: UInt32(clamping: period.wholeMilliseconds).littleEndian, toByteOffset: 12, as: UInt32.self)
        buffer.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
        buffer.storeIdentifier(identity.boot, at: 24)
        buffer.storeIdentifier(identity.store, at: 40)
        buffer.storeBytes(of: now.milliseconds.littleEndian, toByteOffset: 56, as: Int64.self)
        buffer.storeBytes(of: timeFloor.milliseconds.littleEndian, toByteOffset: 64, as: Int64.self)
        buffer.storeBytes(of: UInt32(count).littleEndian, toByteOffset: 72, as: UInt32.self)
        buffer.storeBytes(of: checksum(UnsafeRawBufferPointer(buffer), count: count).littleEndian, toByteOffset: 76, as: UInt32.self)
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer, count: Int) -> UInt32 {
        posto_crc32c(posto_crc32c(0, bytes.baseAddress, 76), bytes.baseAddress! + headerSize, count * 8)
    }

    /// Nil unless the bytes begin with a whole copy of this version or the one before.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerSize, UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) == Self.magic else { return nil }
        let version = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard (1...Self.version).contains(version) else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 72, as: UInt32.self)))
        guard count <= Limits.leaseSlotsMax, Self.headerSize + count * 8 <= bytes.count,
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 76, as: UInt32.self)) == Self.checksum(bytes, count: count)
        else { return nil }
        identity = BoardIdentity(boot: bytes.loadOptionalIdentifier(at: 24), store: bytes.loadIdentifier(at: 40))
        sequence = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        takenAt = Uptime(milliseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: Int64.self)))
        let floor = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 64, as: Int64.self))
        timeFloor = version >= 2 ? Timestamp(milliseconds: floor) : nil
        period = .milliseconds(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        words = (0..<count).map {
            LeaseWord(rawValue: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: Self.headerSize + $0 * 8, as: UInt64.self)))
        }
    }
}

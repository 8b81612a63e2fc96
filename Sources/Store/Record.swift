import CPlatform

/// The header before every value of the store: 24 bytes, little-endian (Documentation/FORMATS.md §2).
///
///     0      1         2       4        8        12      16
///     magic  version   flags   length   crc32c   epoch   revision   payload…
///
/// The CRC covers key, header (with the CRC as zero) and payload, so that a value under another key fails too.
package struct RecordHeader: Equatable, Sendable {
    package static let size = 24
    package static let magic: UInt8 = 0xA7
    package static let currentVersion: UInt8 = 1

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// A record of a stream: the payload begins with a `JournalPrefix`.
        package static let journal = Flags(rawValue: 1)
        /// First piece of a value too long for one; the payload begins with the number of pieces.
        package static let pieces = Flags(rawValue: 2)
        /// A record of a stream that tells of a row's removal; the payload ends with that row's key and, in two bytes, the key's length,
        /// so that salvage does not bring the row back.
        package static let removal = Flags(rawValue: 16)
    }

    package var version: UInt8 = RecordHeader.currentVersion
    package var flags: Flags
    /// Bytes of the payload.
    package var length: UInt32
    package var epoch: UInt32
    /// The revision that wrote it; the highest revision of a key wins in salvage.
    package var revision: UInt64

    package init(flags: Flags = [], length: UInt32, epoch: UInt32, revision: UInt64) {
        self.flags = flags
        self.length = length
        self.epoch = epoch
        self.revision = revision
    }

    /// Writes header and payload to `destination`, which must hold `size + payload.count` bytes.
    package func write(key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, to destination: UnsafeMutableRawBufferPointer) {
        precondition(destination.count == Self.size + payload.count && payload.count == Int(length))
        destination.baseAddress!.advanced(by: Self.size).copyMemory(
            from: payload.baseAddress ?? UnsafeRawPointer(destination.baseAddress!), byteCount: payload.count)
        seal(key: key, over: destination)
    }

    /// Reads and checks a stored value; nil if magic, version, length or CRC are not right.
    ///
    /// - Returns: the header and the payload, which lies inside `value`.
    package static func read(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> (
        header: RecordHeader, payload: UnsafeRawBufferPointer
    )? {
        guard value.count >= size, value[0] == magic, value[1] >= 1, value[1] <= currentVersion else { return nil }
        let length = UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard Int(length) == value.count - size else { return nil }
        let stored = UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        var zero: UInt32 = 0
        var crc = posto_crc32c(0, key.baseAddress, key.count)
        crc = posto_crc32c(crc, value.baseAddress, 8)
        crc = posto_crc32c(crc, &zero, 4)
        crc = posto_crc32c(crc, value.baseAddress! + 12, value.count - 12)
        guard crc == stored else { return nil }
        var header = RecordHeader(
            flags: Flags(rawValue: UInt16(littleEndian: value.loadUnaligned(fromByteOffset: 2, as: UInt16.self))),
            length: length,
            epoch: UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 12, as: UInt32.self)),
            revision: UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        header.version = value[1]
        return (header, UnsafeRawBufferPointer(rebasing: value[size...]))
    }
}

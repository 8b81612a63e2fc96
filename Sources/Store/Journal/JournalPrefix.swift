import Domain

/// What precedes the CloudEvent in the payload of a stream's record (Documentation/FORMATS.md §3), little-endian:
///
///     0                 8        16           20           24
///     trimmedThrough    time     dataOffset   dataLength   [hash: 32 bytes, if chained]
///
/// `dataOffset` counts from the first byte of the CloudEvent.
struct JournalPrefix: Equatable, Sendable {
    static let size = 24
    static let chainedSize = 56

    /// Everything through this seq had been deleted when the record was written: salvage drops what it finds below.
    var trimmedThrough: UInt64
    var time: Timestamp
    var dataOffset: UInt32
    var dataLength: UInt32
    /// SHA-256 of the previous record's hash and this CloudEvent; nil if the stream is not chained.
    var hash: Digest32?

    var encodedSize: Int { hash == nil ? Self.size : Self.chainedSize }

    func write(to destination: UnsafeMutableRawBufferPointer) {
        destination.storeBytes(of: trimmedThrough.littleEndian, toByteOffset: 0, as: UInt64.self)
        destination.storeBytes(of: time.milliseconds.littleEndian, toByteOffset: 8, as: Int64.self)
        destination.storeBytes(of: dataOffset.littleEndian, toByteOffset: 16, as: UInt32.self)
        destination.storeBytes(of: dataLength.littleEndian, toByteOffset: 20, as: UInt32.self)
        hash?.withBytes { UnsafeMutableRawBufferPointer(rebasing: destination[24..<56]).copyMemory(from: $0) }
    }

    /// nil if `bytes` is too short for it or the data would lie outside.
    init?(_ bytes: UnsafeRawBufferPointer, isChained: Bool) {
        guard bytes.count >= (isChained ? Self.chainedSize : Self.size) else { return nil }
        trimmedThrough = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        time = Timestamp(milliseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)))
        dataOffset = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        dataLength = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self))
        hash = isChained ? Digest32(UnsafeRawBufferPointer(rebasing: bytes[24..<56])) : nil
        guard Int(dataOffset) + Int(dataLength) <= bytes.count - encodedSize else { return nil }
    }

    init(trimmedThrough: UInt64, time: Timestamp, dataOffset: UInt32, dataLength: UInt32, hash: Digest32?) {
        self.trimmedThrough = trimmedThrough
        self.time = time
        self.dataOffset = dataOffset
        self.dataLength = dataLength
        self.hash = hash
    }
}

extension RecordHeader.Flags {
    /// The prefix of the stream's record carries a hash.
    package static let chained = RecordHeader.Flags(rawValue: 4)
    /// A later piece of a record; the key ends with its part number.
    package static let continuation = RecordHeader.Flags(rawValue: 8)
}

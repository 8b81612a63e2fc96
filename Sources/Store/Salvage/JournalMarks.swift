/// What salvage must know of a stream's records without the journal's own code: where the trim mark and the key of a removed row stand
/// (Documentation/FORMATS.md §7).
enum JournalMarks {
    /// The flag of a later piece of a record, which carries no prefix.
    static let continuation = RecordHeader.Flags(rawValue: 8)

    /// Everything up to this sequence number had been trimmed when the record was written: the first eight bytes, little-endian.
    static func trimmedThrough(_ payload: UnsafeRawBufferPointer) -> UInt64? {
        payload.count >= 8 ? UInt64(littleEndian: payload.loadUnaligned(as: UInt64.self)) : nil
    }

    /// The key of the row that the record tells was removed: before the last two bytes, which are its length, little-endian.
    static func removedKey(_ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard payload.count >= 2 else { return nil }
        let length = Int(UInt16(littleEndian: payload.loadUnaligned(fromByteOffset: payload.count - 2, as: UInt16.self)))
        guard length >= 1, length <= 511, length + 2 <= payload.count else { return nil }
        let key = UnsafeRawBufferPointer(rebasing: payload[(payload.count - 2 - length)..<(payload.count - 2)])
        // Records of streams are trimmed, never removed.
        return key[0] < 128 ? key : nil
    }

    /// The sequence number in the key of a stream's record: eight bytes after the table id, big-endian.
    static func sequence(_ key: UnsafeRawBufferPointer) -> UInt64? {
        key.count >= 9 ? UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self)) : nil
    }

    /// The number of a later piece, after the sequence number: two bytes, big-endian.
    static func part(_ key: UnsafeRawBufferPointer) -> Int? {
        key.count == 11 ? Int(UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 9, as: UInt16.self))) : nil
    }
}

import Domain

/// A stream's row in the table `streams`: its policy and its counters (Documentation/FORMATS.md §4).
///
/// The counters are stored, never scanned, so that opening does not depend on how much there is. The row is written once per commit that
/// touched the stream.
package struct StreamRow: Equatable, Sendable {
    static let version: UInt8 = 1
    private static let fixedSize = 152

    package var id: StreamID
    package var policy: StreamPolicy
    /// Records kept.
    package var records: UInt64 = 0
    /// Bytes of their keys and values.
    package var bytes: UInt64 = 0
    /// Everything through this seq was deleted; the first kept record is the next one.
    package var trimmed: UInt64 = 0
    /// The last seq that was given; 0: none yet.
    package var last: UInt64 = 0
    /// When the last record was written.
    package var lastTime = Timestamp(milliseconds: 0)
    /// Hash of the record `last`, for a chained stream.
    package var lastHash = Digest32()
    /// Hash of the record `trimmed`: the first kept one is chained to it.
    package var trimmedHash = Digest32()
    /// The seq of the last checkpoint.
    package var checkpoint: UInt64 = 0

    package init(id: StreamID, policy: StreamPolicy) {
        self.id = id
        self.policy = policy
    }

    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.fixedSize)
        bytes.withUnsafeMutableBytes { raw in
            raw[0] = Self.version
            raw[1] = id.number
            raw[2] = policy.priority.rawValue
            raw[3] = policy.isChained ? 1 : 0
            raw[4] = policy.whenFull.rawValue
            raw[5] = UInt8(policy.name.utf8.count)
            func put(_ value: UInt64, _ at: Int) { raw.storeBytes(of: value.littleEndian, toByteOffset: at, as: UInt64.self) }
            put(policy.bytesMax ?? .max, 8)
            put(policy.ageMax.map { UInt64(max(0, $0.wholeMilliseconds)) } ?? .max, 16)
            put(records, 24)
            put(self.bytes, 32)
            put(trimmed, 40)
            put(last, 48)
            put(UInt64(bitPattern: lastTime.milliseconds), 56)
            put(checkpoint, 64)
            lastHash.withBytes { UnsafeMutableRawBufferPointer(rebasing: raw[72..<104]).copyMemory(from: $0) }
            trimmedHash.withBytes { UnsafeMutableRawBufferPointer(rebasing: raw[104..<136]).copyMemory(from: $0) }
        }
        bytes.append(contentsOf: policy.name.utf8)
        return bytes
    }

    /// nil if it is not such a row.
    package init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= Self.fixedSize, raw[0] == Self.version, raw[1] < 128, raw.count == Self.fixedSize + Int(raw[5]),
            let priority = RecordPriority(rawValue: raw[2]), let whenFull = StreamPolicy.WhenFull(rawValue: raw[4])
        else { return nil }
        func get(_ at: Int) -> UInt64 { UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
        id = StreamID(raw[1])
        policy = StreamPolicy(
            name: String(decoding: raw[Self.fixedSize...], as: UTF8.self), priority: priority,
            bytesMax: get(8) == .max ? nil : get(8), ageMax: get(16) == .max ? nil : .milliseconds(Int64(clamping: get(16))),
            isChained: raw[3] & 1 != 0, whenFull: whenFull)
        records = get(24)
        bytes = get(32)
        trimmed = get(40)
        last = get(48)
        lastTime = Timestamp(milliseconds: Int64(bitPattern: get(56)))
        checkpoint = get(64)
        lastHash = Digest32(UnsafeRawBufferPointer(rebasing: raw[72..<104]))
        trimmedHash = Digest32(UnsafeRawBufferPointer(rebasing: raw[104..<136]))
    }

    static func key(_ id: StreamID) -> StoreKey { StoreKey(.streams, [id.number]) }
}

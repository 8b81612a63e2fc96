import Domain

/// The hash of a chained stream at one record, kept apart from the stream: its tail cannot be cut off unnoticed.
///
/// Row of the table `checkpoints` under stream ‖ seq (Documentation/FORMATS.md §4).
package struct JournalCheckpoint: Equatable, Sendable {
    package var seq: UInt64
    package var hash: Digest32
    package var time: Timestamp

    static let size = 48

    static func key(_ stream: StreamID, _ seq: UInt64) -> StoreKey {
        var key = StoreKey(.checkpoints, [stream.number])
        key.append(seq)
        return key
    }

    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        bytes.withUnsafeMutableBytes { raw in
            raw.storeBytes(of: seq.littleEndian, toByteOffset: 0, as: UInt64.self)
            raw.storeBytes(of: time.milliseconds.littleEndian, toByteOffset: 8, as: Int64.self)
            hash.withBytes { UnsafeMutableRawBufferPointer(rebasing: raw[16..<48]).copyMemory(from: $0) }
        }
        return bytes
    }

    init(seq: UInt64, hash: Digest32, time: Timestamp) {
        self.seq = seq
        self.hash = hash
        self.time = time
    }

    /// nil if it is not such a row. Bytes after the known ones are a later version's.
    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= Self.size else { return nil }
        seq = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
        time = Timestamp(milliseconds: Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: Int64.self)))
        hash = Digest32(UnsafeRawBufferPointer(rebasing: raw[16..<48]))
    }
}

extension Journal {
    /// Writes the checkpoint of a chained stream after `Limits.checkpointRecords` records or `Limits.checkpointInterval`.
    func checkpointIfDue(
        _ state: StreamState, in transaction: borrowing WriteTransaction, now: Timestamp, uptime: Uptime
    ) throws(StoreError) {
        let row = state.row
        guard row.policy.isChained, row.last > row.checkpoint else { return }
        let isDue = state.checkpointUptime.map { uptime - $0 >= Limits.checkpointInterval } ?? false
        if state.checkpointUptime == nil { state.checkpointUptime = uptime }
        guard isDue || row.last - row.checkpoint >= Limits.checkpointRecords else { return }
        let checkpoint = JournalCheckpoint(seq: row.last, hash: row.lastHash, time: now)
        try transaction.put(.checkpoints, JournalCheckpoint.key(row.id, row.last), checkpoint.encode(), revision: row.last)
        touch(state)
        state.row.checkpoint = row.last
        state.checkpointUptime = uptime
    }
}

/// Asks the writer for the checkpoints that are due: housekeeping submits it each minute, because a quiet stream has no commits.
package final class CheckpointRequest: WriteRequest {
    package init() {}
    package var priority: RecordPriority { .audit }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        for state in context.journal.streams {
            guard let state else { continue }
            try context.journal.checkpointIfDue(state, in: context.transaction, now: context.now, uptime: context.uptime)
        }
    }

    package func committed() {}
    package func failed(_ error: StoreError) {}
}

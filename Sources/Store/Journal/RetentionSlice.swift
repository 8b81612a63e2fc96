import CLMDB
import Domain
import Synchronization

/// A few of the oldest records of a stream, to be deleted in one commit with others' work.
///
/// At most `Limits.sliceRecordsMax` records and `Limits.slicePagesMax` pages, read beforehand by whoever planned it, so that the writer faults
/// no pages. Plan the next one after `committed`: one slice a commit at most.
package final class RetentionSlice: WriteRequest {
    package let stream: StreamID
    /// The last seq to go.
    package let through: UInt64
    private let onDone: @Sendable (Result<UInt64, StoreError>) -> Void
    private let deleted = Atomic<UInt64>(0)

    /// - Parameter onDone: how many records went, after the commit, on the writer's thread.
    package init(stream: StreamID, through: UInt64, onDone: @escaping @Sendable (Result<UInt64, StoreError>) -> Void = { _ in }) {
        self.stream = stream
        self.through = through
        self.onDone = onDone
    }

    package var priority: RecordPriority { .audit }
    package var releasesSpace: Bool { true }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        deleted.store(try context.journal.deleteOldest(stream, through: through, in: context.transaction), ordering: .relaxed)
    }

    package func committed() { onDone(.success(deleted.load(ordering: .relaxed))) }
    package func failed(_ error: StoreError) { onDone(.failure(error)) }

    /// Finds what the stream's policy no longer keeps, and reads it.
    ///
    /// By bytes: the oldest go until the stream is within `bytesMax`, unless it refuses new ones instead. By age: only with a trusted clock, and only records whose time is not
    /// in the future, so that a jump of the clock deletes nothing.
    /// - Parameter keptAfter: nothing after this seq goes, whatever the policy says (what a receiver has not acknowledged).
    /// - Returns: nil if there is nothing to delete.
    package static func plan(
        _ stream: StreamID, in environment: StoreEnvironment, now: Timestamp, isClockTrusted: Bool, keptAfter: UInt64 = .max,
        onDone: @escaping @Sendable (Result<UInt64, StoreError>) -> Void = { _ in }
    ) throws(StoreError) -> RetentionSlice? {
        let through = try environment.read { (transaction) throws(StoreError) -> UInt64? in
            guard let row = try transaction.streamRow(stream), row.records > 0 else { return nil }
            var excess = StreamRoom(row, pages: try transaction.pages(stream.table)).excess
            let oldest = row.policy.ageMax.flatMap {
                isClockTrusted ? Timestamp(milliseconds: now.milliseconds - $0.wholeMilliseconds) : nil
            }
            var through: UInt64?
            var pages = 0
            do throws(StoreError) {
                try transaction.scan(stream, after: row.trimmed, recordsMax: Limits.sliceRecordsMax) { (entry) throws(StoreError) in
                    let isOld = oldest.map { entry.time <= now && entry.time <= $0 } ?? false
                    guard excess > 0 || isOld, entry.seq <= keptAfter else { return false }
                    // A value above 2,018 bytes has a page of its own; nine short records share one.
                    pages += entry.storedBytes > 2_018 ? entry.pieces + 1 : 0
                    if through != nil, pages + Int(entry.seq - row.trimmed) / 9 > Limits.slicePagesMax { return false }
                    through = entry.seq
                    excess -= min(excess, UInt64(entry.storedBytes))
                    return true
                }
            } catch {
                // A damaged record must not be in the way for ever: when room is needed it goes by itself.
                guard error.code == .corrupted else { throw error }
                if through == nil, excess > 0, row.trimmed < keptAfter { through = row.trimmed + 1 }
            }
            return through
        }
        return through.map { RetentionSlice(stream: stream, through: $0, onDone: onDone) }
    }
}

extension Journal {
    /// Deletes the records through `seq`, with their pieces, and the checkpoints that tell nothing any more; returns how many records went.
    ///
    /// Deletes no more than a slice, so that a wrong `seq` cannot hold the writer.
    ///
    /// - Parameter bytesEnough: nothing more goes when that many bytes have gone.
    func deleteOldest(
        _ stream: StreamID, through seq: UInt64, bytesEnough: UInt64 = .max, in transaction: borrowing WriteTransaction
    ) throws(StoreError) -> UInt64 {
        let state = state(stream)
        var row = state.row
        var cursor: OpaquePointer?
        let table = environment.handles[Int(stream.table.id)]
        try StoreError.check(mdb_cursor_open(transaction.handle, table, &cursor), "open a cursor to delete")
        defer { mdb_cursor_close(cursor) }
        var deleted: UInt64 = 0
        var freed: UInt64 = 0
        var key = MDB_val()
        var value = MDB_val()
        while true {
            // After a deletion the cursor stands on the next record, which MDB_FIRST finds as well and plainly.
            let code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
            if code == MDB_NOTFOUND { break }
            try StoreError.check(code, "find the oldest record")
            let keyBytes = UnsafeRawBufferPointer(key)
            guard keyBytes.count >= 9 else { throw StoreError(.corrupted, "read the key of a stream's record") }
            let found = UInt64(bigEndian: keyBytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            if found > seq || (keyBytes.count == 9 && (deleted >= Limits.sliceRecordsMax || freed >= bytesEnough)) { break }
            if keyBytes.count == 9 {
                deleted += 1
                // The record after the last deleted one is chained to it. A damaged one is deleted as well, and leaves no hash.
                let record = RecordHeader.read(key: keyBytes, value: UnsafeRawBufferPointer(value))
                row.trimmedHash = record.flatMap { Self.hash(in: $0.payload, $0.header.flags) } ?? Digest32()
                row.trimmed = found
                row.records -= min(row.records, 1)
            }
            let size = UInt64(key.mv_size + value.mv_size)
            freed += size
            row.bytes -= min(row.bytes, size)
            try StoreError.check(mdb_cursor_del(cursor, 0), "delete the oldest record")
            transaction.meter.deleted()
        }
        guard deleted > 0 else { return 0 }
        if row.policy.isChained { try deleteCheckpoints(stream, before: row.trimmed, in: transaction) }
        touch(state)
        state.row = row
        return deleted
    }

    /// Keeps a stream's room bounded by the commit that writes into it, when whoever deletes beforehand is late or was never there: under the
    /// fastest load, or in a daemon that lives for moments. Twice what the batch can have added goes, so that it gains on it.
    func cutIfOverflowing(_ state: StreamState, in transaction: borrowing WriteTransaction) throws(StoreError) {
        guard !StreamRoom.isFar(state.row) else { return }
        let room = StreamRoom(state.row, pages: try transaction.pages(state.row.id.table))
        if room.isWanted(budgetBytes: environment.budgetBytes) { isRetentionWanted = true }
        guard room.isForced(budgetBytes: environment.budgetBytes) else { return }
        _ = try deleteOldest(
            state.row.id, through: state.row.last, bytesEnough: min(room.excess, UInt64(2 * Limits.batchBytesMax)), in: transaction)
    }

    private static func hash(in payload: UnsafeRawBufferPointer, _ flags: RecordHeader.Flags) -> Digest32? {
        guard flags.contains(.chained) else { return nil }
        let start = (flags.contains(.pieces) ? JournalPieces.headSize : 0) + JournalPrefix.size
        guard payload.count >= start + 32 else { return nil }
        return Digest32(UnsafeRawBufferPointer(rebasing: payload[start..<(start + 32)]))
    }

    private func deleteCheckpoints(
        _ stream: StreamID, before seq: UInt64, in transaction: borrowing WriteTransaction
    ) throws(StoreError) {
        var old: [UInt64] = []
        try transaction.scan(.checkpoints, prefix: StoreKey(.checkpoints, [stream.number]), limit: 16) {
            (_, payload, _) throws(StoreError) in
            guard let checkpoint = JournalCheckpoint(payload), checkpoint.seq < seq else { return false }
            old.append(checkpoint.seq)
            return true
        }
        for seq in old { try transaction.delete(.checkpoints, JournalCheckpoint.key(stream, seq)) }
    }
}

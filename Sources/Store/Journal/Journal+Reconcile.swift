import Domain

extension Journal {
    /// Brings the rows of the streams in line with the records that are there, after a salvage: rows and records lay on different pages, and
    /// either may be older than the other, or lost.
    ///
    /// Counters are counted. No seq is given twice that a record, a row, a checkpoint or `floors` says was given: a record that is appended
    /// must be the greatest, and whoever holds a revision must not meet another change under it. A gap stays a gap: readers that must not miss
    /// anything meet it, and the verifier tells it.
    ///
    /// Reads every record. After `open`, which makes the rows and the tables; before the writer starts, with a journal that is opened anew.
    ///
    /// - Parameter floors: by the stream's name, the highest seq that is known from elsewhere.
    package static func reconcile(_ environment: StoreEnvironment, floors: [String: UInt64] = [:]) throws(StoreError) {
        let rows = try environment.read { (transaction) throws(StoreError) in try transaction.streamRows() }
        for row in rows {
            let found = try environment.read { (transaction) throws(StoreError) in try StreamCensus.take(row, in: transaction) }
            let repaired = found.repaired(row, floor: floors[row.policy.name] ?? 0)
            guard repaired != row else { continue }
            try environment.write { (transaction) throws(StoreError) in
                try transaction.put(.streams, StreamRow.key(row.id), repaired.encode(), revision: repaired.last)
            }
        }
    }
}

/// What a walk over all records of a stream counted.
struct StreamCensus: Equatable {
    private(set) var records: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    /// Seq of the first and the last record; 0 if there is none.
    private(set) var first: UInt64 = 0
    private(set) var last: UInt64 = 0
    private var lastTime = Timestamp(milliseconds: 0)
    private var lastHash: Digest32?
    private var checkpoint: UInt64 = 0
    private var checkpointHash: Digest32?

    static func take(_ row: StreamRow, in transaction: borrowing ReadTransaction) throws(StoreError) -> StreamCensus {
        var census = StreamCensus()
        let table = row.id.table
        // Keys and sizes first, damaged records too: what is in the table counts, whether it can be read or not.
        try transaction.scan(
            table, from: StoreKey(table), prefix: StoreKey(table),
            onDamage: {
                census.count(key: $0, valueBytes: 0); return true
            }
        ) {
            (key, payload, _) throws(StoreError) in
            census.count(key: key, valueBytes: RecordHeader.size + payload.count)
            return true
        }
        if census.last > 0 {
            do throws(StoreError) {
                try transaction.scan(row.id, after: census.last - 1, recordsMax: 1) { (entry) throws(StoreError) in
                    census.lastTime = entry.time
                    census.lastHash = entry.hash
                    return false
                }
            } catch {
                guard error.code == .corrupted else { throw error }
            }
        }
        try transaction.scan(.checkpoints, prefix: StoreKey(.checkpoints, [row.id.number])) { (_, payload, _) throws(StoreError) in
            if let found = JournalCheckpoint(payload), found.seq > census.checkpoint {
                census.checkpoint = found.seq
                census.checkpointHash = found.hash
            }
            return true
        }
        return census
    }

    private mutating func count(key: UnsafeRawBufferPointer, valueBytes: Int) {
        bytes += UInt64(key.count + valueBytes)
        guard key.count >= 9 else { return }
        let seq = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        if first == 0 { first = seq }
        last = max(last, seq)
        if key.count == 9 { records += 1 }
    }

    /// The row as it has to be.
    func repaired(_ row: StreamRow, floor: UInt64) -> StreamRow {
        var repaired = row
        repaired.records = records
        repaired.bytes = bytes
        repaired.last = max(row.last, last, checkpoint, floor)
        if last >= row.last, last > 0 {
            repaired.lastTime = max(lastTime, row.lastTime)
            if let lastHash { repaired.lastHash = lastHash }
        }
        if checkpoint > max(last, row.last), let checkpointHash { repaired.lastHash = checkpointHash }
        // Everything before the first record is gone, however that came about; the hash it is chained to is known only if nothing was lost.
        let trimmed = records == 0 ? repaired.last : first - 1
        if trimmed != row.trimmed {
            repaired.trimmed = trimmed
            repaired.trimmedHash = trimmed == 0 ? Digest32() : records == 0 ? repaired.lastHash : row.trimmedHash
        }
        repaired.checkpoint = checkpoint
        return repaired
    }
}

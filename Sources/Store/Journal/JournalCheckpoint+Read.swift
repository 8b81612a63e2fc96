extension StoreReading where Self: ~Copyable {
    /// The last checkpoint of a chained stream; nil if it has none yet.
    package borrowing func lastCheckpoint(_ stream: StreamID) throws(StoreError) -> JournalCheckpoint? {
        guard let row = try streamRow(stream), row.checkpoint > 0 else { return nil }
        return try withValue(.checkpoints, JournalCheckpoint.key(stream, row.checkpoint)) { (payload, _) throws(StoreError) in
            guard let checkpoint = JournalCheckpoint(payload) else { throw StoreError(.corrupted, "read a checkpoint") }
            return checkpoint
        }
    }
}

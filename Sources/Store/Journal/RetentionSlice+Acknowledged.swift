import Domain

extension RetentionSlice {
    /// Finds records that a receiver has and whose grace is over: the oldest ones, acknowledged through `acknowledged` by a durable cursor, older
    /// than `grace`, or any of them while the stream holds more than `bytesKept`.
    ///
    /// - Returns: nil if there is nothing to delete.
    package static func plan(
        _ stream: StreamID, in environment: StoreEnvironment, acknowledged: UInt64, grace: Duration, bytesKept: UInt64, now: Timestamp,
        isClockTrusted: Bool, onDone: @escaping @Sendable (Result<UInt64, StoreError>) -> Void = { _ in }
    ) throws(StoreError) -> RetentionSlice? {
        let through = try environment.read { (transaction) throws(StoreError) -> UInt64? in
            guard let row = try transaction.streamRow(stream), row.records > 0, row.trimmed < acknowledged else { return nil }
            var excess = row.bytes > bytesKept ? row.bytes - bytesKept : 0
            let oldest = isClockTrusted ? Timestamp(milliseconds: now.milliseconds - grace.wholeMilliseconds) : nil
            var through: UInt64?
            var pages = 0
            try transaction.scan(stream, after: row.trimmed, recordsMax: Limits.sliceRecordsMax) { (entry) throws(StoreError) in
                let isOld = oldest.map { entry.time <= now && entry.time <= $0 } ?? false
                guard excess > 0 || isOld, entry.seq <= acknowledged else { return false }
                pages += entry.storedBytes > 2_018 ? entry.pieces + 1 : 0
                if through != nil, pages + Int(entry.seq - row.trimmed) / 9 > Limits.slicePagesMax { return false }
                through = entry.seq
                excess -= min(excess, UInt64(entry.storedBytes))
                return true
            }
            return through
        }
        return through.map { RetentionSlice(stream: stream, through: $0, onDone: onDone) }
    }
}

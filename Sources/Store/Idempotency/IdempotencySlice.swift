import Domain

/// Forgets the oldest idempotency keys: beyond `Limits.idempotencyKeysMax`, or older than `Limits.idempotencyAge` by a trusted clock.
///
/// Housekeeping plans one, submits it, and plans the next after it was committed.
package final class IdempotencySlice: WriteRequest {
    /// Rows of `dedup-age`, oldest first: what is deleted is decided again in the transaction.
    private let rowsMax: Int
    private let now: Timestamp
    private let isClockTrusted: Bool
    private let keysMax: Int
    private let onDone: @Sendable (StoreError?) -> Void

    /// - Returns: nil if nothing is due.
    package static func plan(
        in environment: StoreEnvironment, now: Timestamp, isClockTrusted: Bool, keysMax: Int = Int(Limits.idempotencyKeysMax),
        onDone: @escaping @Sendable (StoreError?) -> Void = { _ in }
    ) throws(StoreError) -> IdempotencySlice? {
        let due = try environment.read { (transaction) throws(StoreError) in
            try Self.due(transaction, now: now, isClockTrusted: isClockTrusted, keysMax: keysMax)
        }
        guard !due.isEmpty else { return nil }
        return IdempotencySlice(rowsMax: due.count, now: now, isClockTrusted: isClockTrusted, keysMax: keysMax, onDone: onDone)
    }

    private init(rowsMax: Int, now: Timestamp, isClockTrusted: Bool, keysMax: Int, onDone: @escaping @Sendable (StoreError?) -> Void) {
        self.rowsMax = rowsMax
        self.now = now
        self.isClockTrusted = isClockTrusted
        self.keysMax = keysMax
        self.onDone = onDone
    }

    package var priority: RecordPriority { .state }
    package var releasesSpace: Bool { true }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        let due = try Self.due(context.transaction, now: now, isClockTrusted: isClockTrusted, keysMax: keysMax)
        for row in due.prefix(rowsMax) {
            try context.transaction.delete(.dedupByAge, StoreKey(.dedupByAge, row.number))
            try context.transaction.delete(.dedup, StoreKey(.dedup, row.key))
        }
    }

    package func committed() { onDone(nil) }
    package func failed(_ error: StoreError) { onDone(error) }

    /// The keys are spread over their table, so each deletion touches a page of its own: a slice is as many rows as it may touch pages.
    private static func due(
        _ transaction: borrowing some StoreReading & ~Copyable, now: Timestamp, isClockTrusted: Bool, keysMax: Int
    ) throws(StoreError) -> [(number: UInt64, key: [UInt8])] {
        var excess = try transaction.count(.dedupByAge) - keysMax
        let oldest = now.milliseconds - Limits.idempotencyAge.wholeMilliseconds
        var due: [(UInt64, [UInt8])] = []
        let rowsMax = Limits.slicePagesMax / 2
        try transaction.scan(.dedupByAge, prefix: StoreKey(.dedupByAge), limit: rowsMax) { (key, payload, _) throws(StoreError) in
            guard key.count == 9, payload.count > 8 else { throw StoreError(.corrupted, "read an idempotency key's age") }
            let created = Int64(littleEndian: payload.loadUnaligned(as: Int64.self))
            guard excess > 0 || (isClockTrusted && created <= now.milliseconds && created <= oldest) else { return false }
            excess -= 1
            due.append((UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self)), Array(payload[8...])))
            return true
        }
        return due
    }
}

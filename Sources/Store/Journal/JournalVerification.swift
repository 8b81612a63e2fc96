import Crypto
import Domain

/// What walking a stream found.
package struct JournalVerification: Equatable, Sendable {
    package enum Finding: Equatable, Sendable {
        /// Every record follows from the one before, up to the last that was given.
        case intact
        /// The first record that is not what was written there, and why in words.
        case broken(seq: UInt64, reason: String)
    }

    package let finding: Finding
    /// Records that were walked and are right.
    package let records: UInt64
    /// The first and the last of them.
    package let first: UInt64
    package let last: UInt64

    package init(finding: Finding, records: UInt64, first: UInt64, last: UInt64) {
        self.finding = finding
        self.records = records
        self.first = first
        self.last = last
    }
}

/// Walks a stream: every seq is there, every record passes its check, and in a chained stream every hash follows from the one before.
///
/// The end is held against the stream's row and its last checkpoint, so that a tail that was cut off is noticed. Reads in slices of
/// `Limits.walkRecordsMax` records, each with a read transaction of its own; records that retention deletes meanwhile are passed over.
package struct JournalVerifier {
    private let environment: StoreEnvironment
    private let stream: StreamID
    private let hasher = SHA256()
    private var next: UInt64
    private var previous: Digest32
    private var first: UInt64
    private var records: UInt64 = 0

    /// - Throws: `.system` if there is no such stream.
    package static func verify(_ stream: StreamID, in environment: StoreEnvironment) throws(StoreError) -> JournalVerification {
        let row = try environment.read { (transaction) throws(StoreError) in try transaction.streamRow(stream) }
        guard let row else { throw StoreError(.system, "verify a stream that was never declared") }
        var verifier = JournalVerifier(environment, row)
        while true {
            if let finding = try verifier.walkSlice() {
                return JournalVerification(finding: finding, records: verifier.records, first: verifier.first, last: verifier.next - 1)
            }
        }
    }

    private init(_ environment: StoreEnvironment, _ row: StreamRow) {
        self.environment = environment
        stream = row.id
        next = row.trimmed + 1
        first = next
        previous = row.trimmedHash
    }

    /// nil: there is more.
    private mutating func walkSlice() throws(StoreError) -> JournalVerification.Finding? {
        let transaction = try ReadTransaction.begin(environment)
        guard let row = try transaction.streamRow(stream) else { return .broken(seq: next, reason: "the stream's row is gone") }
        if row.trimmed >= next {
            next = row.trimmed + 1
            first = next
            records = 0
            previous = row.trimmedHash
        }
        var finding: JournalVerification.Finding?
        var walk = self
        let began = walk.next
        do throws(StoreError) {
            try transaction.scan(stream, after: walk.next - 1) { (entry) throws(StoreError) in
                finding = try walk.check(entry, row, transaction)
                return finding == nil
            }
        } catch {
            guard error.code == .corrupted else { throw error }
            finding = .broken(seq: walk.next, reason: "it fails its check sum or lacks a piece")
        }
        self = walk
        if finding != nil { return finding }
        guard next == began else { return nil }
        // Nothing after `next - 1`: it must be what the row and the last checkpoint say.
        if next <= row.last { return .broken(seq: next, reason: "it is missing: the stream ends before its last record") }
        if let checkpoint = try lastCheckpoint(transaction), checkpoint.seq >= next {
            return .broken(seq: next, reason: "it is missing: a checkpoint stands at \(checkpoint.seq)")
        }
        if row.policy.isChained, row.lastHash != previous {
            return .broken(seq: row.last, reason: "its hash is not the one of the stream's row")
        }
        return .intact
    }

    private mutating func check(
        _ entry: JournalEntry, _ row: StreamRow, _ transaction: borrowing ReadTransaction
    ) throws(StoreError) -> JournalVerification.Finding? {
        guard entry.seq == next else { return .broken(seq: next, reason: "it is missing") }
        if row.policy.isChained {
            let hash = chainHash(hasher, previous, entry.cloudEvent)
            guard entry.hash == hash else { return .broken(seq: next, reason: "its hash does not follow from the record before") }
            let checkpoint = try transaction.withValue(.checkpoints, JournalCheckpoint.key(stream, next)) {
                (payload, _) throws(StoreError) in
                JournalCheckpoint(payload)
            }
            if let checkpoint, checkpoint?.hash != hash { return .broken(seq: next, reason: "its checkpoint has another hash") }
            previous = hash
        }
        guard entry.seq <= row.last else { return .broken(seq: next, reason: "the stream's row ends before it") }
        next += 1
        records += 1
        return nil
    }

    private func lastCheckpoint(_ transaction: borrowing ReadTransaction) throws(StoreError) -> JournalCheckpoint? {
        let row = try transaction.streamRow(stream)
        var seq = row?.checkpoint ?? 0
        // The row may have been set back as well: the table itself is asked.
        try transaction.scan(.checkpoints, prefix: StoreKey(.checkpoints, [stream.number])) { (_, payload, _) throws(StoreError) in
            seq = max(seq, JournalCheckpoint(payload)?.seq ?? 0)
            return true
        }
        guard seq > 0 else { return nil }
        return try transaction.withValue(.checkpoints, JournalCheckpoint.key(stream, seq)) { (payload, _) throws(StoreError) in
            JournalCheckpoint(payload)
        } ?? nil
    }
}

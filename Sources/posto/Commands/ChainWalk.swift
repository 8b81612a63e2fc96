import Crypto
import Domain
import HTTPClient
import Store

/// Computes the hash chain of the audit trail again from its records: hash = SHA-256(hash before ‖ event).
struct ChainWalk: StreamWalk {
    struct Checkpoint {
        let seq: UInt64
        let hash: String
    }

    private(set) var next: UInt64 = 1
    private let last: UInt64
    private let checkpoint: Checkpoint?
    private let hasher = SHA256()
    private var previous: Digest32?
    private var first: UInt64 = 1
    private var records: UInt64 = 0

    /// - Parameters:
    ///   - last: the record that the chain must reach.
    ///   - checkpoint: what was kept apart from the chain; its hash must be found in it.
    init(last: UInt64, checkpoint: Checkpoint?) {
        self.last = last
        self.checkpoint = checkpoint
    }

    func path(limit: Int) -> String { "/api/v1/audit?since=\(next - 1)&limit=\(limit)" }

    mutating func take(_ body: [UInt8], from address: ServerAddress) throws(CommandFailure) -> JournalVerification.Finding? {
        let page = try ServerConnection.document(body, of: address)
        guard let trimmed = page["trimmed_through"]?.int64, let records = page["records"] else {
            throw CommandFailure(
                .internal, "\(address) does not say what its audit trail begins with",
                hint: "it is of another version; use that version's posto")
        }
        let begin = UInt64(clamping: trimmed) + 1
        if previous == nil || begin > next {
            // The beginning, or what retention deleted while we read.
            guard let hash = page["previous_hash"]?.string.flatMap(Digest32.init(hex:)) else {
                return .broken(seq: next, reason: "the record before it is not there")
            }
            previous = hash
            (next, first, self.records) = (begin, begin, 0)
        }
        for record in records.elements {
            if let finding = take(record) { return finding }
        }
        return nil
    }

    private mutating func take(_ record: JSONValue) -> JournalVerification.Finding? {
        guard record["seq"]?.int64.map({ UInt64(clamping: $0) }) == next, let event = record["event"],
            event["postoseq"]?.string == "\(next)"
        else { return .broken(seq: next, reason: "it is missing") }
        let hash = event.rawBytes.withUnsafeBytes { chainHash(hasher, previous!, $0) }
        guard record["hash"]?.string == hash.hex else {
            return .broken(seq: next, reason: "its hash does not follow from the record before")
        }
        if let checkpoint, checkpoint.seq == next, checkpoint.hash != hash.hex {
            return .broken(seq: next, reason: "its checkpoint has another hash")
        }
        previous = hash
        next += 1
        records += 1
        return nil
    }

    func end() -> JournalVerification.Finding {
        if let checkpoint, checkpoint.seq >= next {
            return .broken(seq: next, reason: "it is missing: a checkpoint stands at \(checkpoint.seq)")
        }
        return next <= last ? .broken(seq: next, reason: "it is missing: the stream ends before its last record") : .intact
    }

    func result(_ finding: JournalVerification.Finding) -> JournalVerification {
        JournalVerification(finding: finding, records: records, first: first, last: next - 1)
    }
}

/// Checks that the records of a stream follow each other, for streams without a chain.
struct SequenceWalk: StreamWalk {
    private let name: String
    private(set) var next: UInt64
    private let last: UInt64
    private var first: UInt64
    private var records: UInt64 = 0

    init(name: String, next: UInt64, last: UInt64) {
        self.name = name
        self.next = next
        self.last = last
        first = next
    }

    func path(limit: Int) -> String { "/api/v1/streams/\(HumanText.percentEncoded(name))?since=\(next - 1)&limit=\(limit)" }

    mutating func take(_ body: [UInt8], from address: ServerAddress) throws(CommandFailure) -> JournalVerification.Finding? {
        for (index, line) in body.split(separator: 10).enumerated() {
            guard let event = (try? JSONDocument.parse(Array(line)))?.root, let seq = event["postoseq"]?.string.flatMap(UInt64.init) else {
                return .broken(seq: next, reason: "it is no CloudEvent")
            }
            if seq > next, index == 0 {
                // Retention takes the oldest away while we read; it never makes a hole within a page.
                (next, first, records) = (seq, seq, 0)
            }
            guard seq == next else { return .broken(seq: next, reason: "it is missing") }
            next += 1
            records += 1
        }
        return nil
    }

    func end() -> JournalVerification.Finding {
        next <= last ? .broken(seq: next, reason: "it is missing: the stream ends before its last record") : .intact
    }

    func result(_ finding: JournalVerification.Finding) -> JournalVerification {
        JournalVerification(finding: finding, records: records, first: first, last: next - 1)
    }
}

extension Digest32 {
    /// nil unless it is 64 hexadecimal digits.
    init?(hex: String) {
        let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }.map(UInt8.init)
        guard digits.count == 64, hex.utf8.count == 64 else { return nil }
        let bytes = stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        self = bytes.withUnsafeBytes { Digest32($0) }
    }
}

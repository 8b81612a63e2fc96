import Compression
import Crypto
import Domain
import Store

/// Reads records out of a stream and makes a request of them; keeps its memory from batch to batch, so that the backlog does not count.
struct BatchMaker: ~Copyable {
    private var lines = GrowingBytes(capacity: 64 * 1_024)
    private let encoder: ZstandardEncoder
    /// 0: nothing is compressed, whatever the receiver takes.
    private let level: Int
    private let hash = SHA256()

    /// - Parameter level: of Zstandard; 0: never compress.
    init(level: Int) {
        self.level = level
        encoder = ZstandardEncoder(level: max(1, level))
    }

    enum Made {
        case batch(OutgoingBatch, lineBytes: Int)
        /// Nothing of this range can be read.
        case gone(ClosedRange<UInt64>)
    }

    /// Reads the records of `send`, as many as it allows.
    mutating func make(
        _ send: SinkMachine.Send, _ source: SinkSource, epoch: UInt32, isCompressing: Bool
    ) throws(StoreError) -> Made {
        var seqs: [UInt64] = []
        seqs.reserveCapacity(min(send.recordsMax, send.range.count))
        lines.removeAll()
        var gone: ClosedRange<UInt64>?
        let upper = send.range.upperBound
        let lower = send.range.lowerBound
        var taken = GrowingBytes(capacity: 16)
        swap(&taken, &lines)
        defer { swap(&taken, &lines) }
        do throws(StoreError) {
            _ = try source.journal.environment.read { (transaction) throws(StoreError) in
                try transaction.scan(source.stream, after: lower - 1, bytesMax: send.bytesMax, recordsMax: send.recordsMax) {
                    (entry) throws(StoreError) in
                    if seqs.isEmpty, entry.seq > lower { gone = lower...min(upper, entry.seq - 1) }
                    guard gone == nil, entry.seq <= upper else { return false }
                    // A hole in the middle ends the batch; the next one begins with it.
                    if let last = seqs.last, entry.seq != last + 1 { return false }
                    seqs.append(entry.seq)
                    taken.append(entry.cloudEvent)
                    taken.append(UInt8(ascii: "\n"))
                    return entry.seq < upper
                }
            }
            if seqs.isEmpty, gone == nil { gone = send.range }
        } catch {
            guard error.code == .corrupted else { throw error }
            // What was read before it is sent; the damaged record itself is passed over.
            if seqs.isEmpty, gone == nil { gone = lower...lower }
        }
        if let gone { return .gone(gone) }
        return .batch(pack(taken.bytes, seqs, send, source.name, epoch, isCompressing), lineBytes: taken.count)
    }

    /// A record that is kept among the dead letters.
    mutating func make(_ line: [UInt8], _ send: SinkMachine.Send, _ source: SinkSource, epoch: UInt32, isCompressing: Bool) -> OutgoingBatch
    {
        lines.removeAll()
        lines.append(line)
        lines.append(UInt8(ascii: "\n"))
        return pack(lines.bytes, [send.range.lowerBound], send, source.name, epoch, isCompressing)
    }

    private func pack(
        _ bytes: UnsafeRawBufferPointer, _ seqs: [UInt64], _ send: SinkMachine.Send, _ name: String, _ epoch: UInt32, _ isCompressing: Bool
    ) -> OutgoingBatch {
        var body: [UInt8]?
        if isCompressing, level > 0 { body = encoder.encode(bytes) }
        let isCompressed = body != nil
        let final = body ?? Array(bytes)
        hash.begin()
        hash.update(final)
        return OutgoingBatch(
            stream: name, epoch: epoch, seqs: seqs, body: final, encoding: isCompressed ? "zstd" : nil,
            digest: ContentDigest.header(sha256: hash.finish()), kept: send.kept)
    }
}

/// A stream that a sink sends.
package struct SinkSource: Sendable {
    package let name: String
    package let stream: StreamID
    package let priority: RecordPriority
    package let journal: Journal
    package let isBulk: Bool

    package init(name: String, stream: StreamID, priority: RecordPriority, journal: Journal, isBulk: Bool) {
        self.name = name
        self.stream = stream
        self.priority = priority
        self.journal = journal
        self.isBulk = isBulk
    }
}

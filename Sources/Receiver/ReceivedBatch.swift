import Domain

/// One line of a batch: a CloudEvent with what the receiver needs to know of it.
package struct ReceivedLine: Equatable, Sendable {
    package let seq: UInt64
    /// The epoch in which the node wrote it, which may be older than the one it sends in.
    package let epoch: UInt32
    /// Where it lies in the batch's bytes, without its line feed.
    package let range: Range<Int>
    /// Why it is refused; nil: it is not.
    package let refusal: String?

    package init(seq: UInt64, epoch: UInt32, range: Range<Int>, refusal: String? = nil) {
        self.seq = seq
        self.epoch = epoch
        self.range = range
        self.refusal = refusal
    }
}

/// A request of `posto-uplink/1`, checked.
package struct ReceivedBatch: Sendable {
    package let node: String
    package let stream: String
    package let epoch: UInt32
    package let first: UInt64
    package let last: UInt64
    /// The first record that the node still keeps: what is missing before it will never come. nil: not said.
    package let kept: UInt64?
    /// The records through it were acknowledged in an earlier epoch. nil: not said.
    package let base: UInt64?
    package let bytes: [UInt8]
    package let lines: [ReceivedLine]
    /// `Content-Digest` of the bytes as they were sent.
    package let digest: String

    package init(
        node: String, stream: String, epoch: UInt32, first: UInt64, last: UInt64, kept: UInt64?, base: UInt64?, bytes: [UInt8],
        lines: [ReceivedLine], digest: String
    ) {
        self.node = node
        self.stream = stream
        self.epoch = epoch
        self.first = first
        self.last = last
        self.kept = kept
        self.base = base
        self.bytes = bytes
        self.lines = lines
        self.digest = digest
    }

    /// What a body cannot be. Nothing of it is stored.
    package enum Fault: Error, Equatable, Sendable {
        /// `line` counts from 1.
        case notJSON(line: Int)
        /// `postoseq` is missing, no number, not ascending or outside of the range that the headers give.
        case sequence(line: Int)
        case empty
    }

    /// Reads NDJSON of CloudEvents. A line whose number can be read and that is no event of this node and stream is refused by itself.
    package static func readLines(
        _ bytes: [UInt8], node: String, stream: String, epoch: UInt32, range: ClosedRange<UInt64>
    ) throws(Fault) -> [ReceivedLine] {
        var lines: [ReceivedLine] = []
        let source = "/node/\(node)/\(stream)"
        var at = 0
        var number = 0
        var before = range.lowerBound - 1
        while at < bytes.count {
            let end = bytes[at...].firstIndex(of: 10) ?? bytes.count
            defer { at = end + 1 }
            guard end > at else { continue }
            number += 1
            guard let document = try? JSONDocument.parse(Array(bytes[at..<end])) else { throw .notJSON(line: number) }
            let event = document.root
            guard let text = event["postoseq"]?.string, let seq = UInt64(text), seq > before, range.contains(seq) else {
                throw .sequence(line: number)
            }
            before = seq
            let written = event["postoepoch"]?.string.flatMap(UInt32.init)
            let isEvent =
                event["specversion"]?.equals("1.0") == true && event["source"]?.string == source
                && event["type"]?.string?.isEmpty == false && written != nil
                && event["id"]?.string == "\(written ?? 0)-\(seq)"
            let refusal: String? = !isEvent ? "schema" : written! > epoch ? "epoch" : nil
            lines.append(ReceivedLine(seq: seq, epoch: written ?? epoch, range: at..<end, refusal: refusal))
        }
        guard !lines.isEmpty else { throw .empty }
        return lines
    }
}

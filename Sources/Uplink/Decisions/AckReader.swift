import Domain

/// What a receiver says that it has: everything through `ackedTo` but `missing` and what it rejects.
package struct Ack: Equatable, Sendable {
    package struct Reject: Equatable, Sendable {
        package var seq: UInt64
        package var code: String
        /// Whether the same record may be taken later.
        package var mayRetry: Bool

        package init(seq: UInt64, code: String, mayRetry: Bool) {
            self.seq = seq
            self.code = code
            self.mayRetry = mayRetry
        }
    }

    package var marks: SequenceMarks
    package var rejects: [Reject]
    /// nil: at once.
    package var retryAfter: Duration?
    /// Bytes before compression that the receiver wants in a request; nil: as many as we like.
    package var windowBytes: Int?

    package init(marks: SequenceMarks, rejects: [Reject] = [], retryAfter: Duration? = nil, windowBytes: Int? = nil) {
        self.marks = marks
        self.rejects = rejects
        self.retryAfter = retryAfter
        self.windowBytes = windowBytes
    }
}

/// What an answer to a batch means.
package enum BatchAnswer: Equatable, Sendable {
    case ack(Ack)
    /// The receiver knows a later epoch of this node, or other records under our numbers.
    case fenced(epoch: UInt32, isConflict: Bool)
    /// Halve the batch.
    case tooLarge
    /// The receiver does not take the encoding.
    case unsupportedEncoding
    /// The records themselves are refused, all of them.
    case refused(code: String)
    case unauthorised(status: Int)
    /// It is there and wants to be asked later.
    case later(status: Int, retryAfter: Duration?)
    /// Nothing that a receiver would say, or nothing at all: no success, whatever its status.
    case failed(String)
}

/// Reads answers. An ack counts only if it parses, its epoch is ours and its digest is that of what was sent: a captive portal's 200, a
/// proxy's cache and another node's ack are failures of the transport.
package enum AckReader {
    /// An answer as it came. `body` has at most `Limits.uplinkAnswerBytesMax` bytes.
    package struct Answer: Equatable, Sendable {
        package var status: Int
        package var retryAfter: String?
        package var body: [UInt8]

        package init(status: Int, retryAfter: String? = nil, body: [UInt8]) {
            self.status = status
            self.retryAfter = retryAfter
            self.body = body
        }
    }

    package static func read(_ answer: Answer, epoch: UInt32, digest: String) -> BatchAnswer {
        switch answer.status {
        case 200...299: return ack(answer.body, epoch: epoch, digest: digest)
        case 409:
            guard let root = try? JSONDocument.parse(answer.body).root, let theirs = root["epoch"]?.int64, theirs >= 0,
                let number = UInt32(exactly: theirs)
            else { return .failed("a conflict that names no epoch") }
            let isConflict = root["code"]?.equals("conflict") ?? false
            return .fenced(epoch: number, isConflict: isConflict)
        case 413: return .tooLarge
        case 415: return .unsupportedEncoding
        case 401, 403: return .unauthorised(status: answer.status)
        case 408, 425, 429, 500, 502, 503, 504, 507:
            return .later(status: answer.status, retryAfter: retryAfter(answer.retryAfter))
        case 400, 422:
            // Only in a receiver's own words, and not when the bytes were spoilt on their way.
            guard let root = try? JSONDocument.parse(answer.body).root, let code = root["code"]?.string, code != "digest_mismatch" else {
                return .failed("status \(answer.status)")
            }
            return .refused(code: code)
        default: return .failed("status \(answer.status)")
        }
    }

    private static func ack(_ body: [UInt8], epoch: UInt32, digest: String) -> BatchAnswer {
        guard let root = try? JSONDocument.parse(body, bytesMax: Limits.uplinkAnswerBytesMax).root, root.kind == .object else {
            return .failed("an answer that is no ack")
        }
        guard let theirs = root["epoch"]?.int64, theirs == Int64(epoch) else { return .failed("an ack of another epoch") }
        guard root["digest"]?.string == digest else { return .failed("an ack of another request") }
        guard let marks = marks(root) else { return .failed("an ack that does not say what is there") }
        var rejects: [Ack.Reject] = []
        for item in root["rejected"]?.elements.map({ $0 }) ?? [] {
            guard let seq = item["seq"]?.int64, seq > 0 else { return .failed("an ack with a reject of nothing") }
            rejects.append(
                Ack.Reject(seq: UInt64(seq), code: item["code"]?.string ?? "unknown", mayRetry: item["retry"]?.bool ?? false))
        }
        let milliseconds = root["retry_after_ms"]?.int64 ?? 0
        let window = root["window"]?["bytes"]?.int64
        return .ack(
            Ack(
                marks: marks, rejects: rejects, retryAfter: milliseconds > 0 ? .milliseconds(milliseconds) : nil,
                windowBytes: window.flatMap { $0 > 0 ? Int(clamping: $0) : nil }))
    }

    /// `acked_to` and `missing`; nil if they are not there or contradict each other.
    static func marks(_ value: JSONValue) -> SequenceMarks? {
        guard let high = value["acked_to"]?.int64, high >= 0 else { return nil }
        var gaps: [ClosedRange<UInt64>] = []
        guard let missing = value["missing"] else { return SequenceMarks(through: UInt64(high)) }
        guard missing.kind == .array else { return nil }
        for range in missing.elements {
            let ends = range.elements.compactMap(\.int64)
            guard ends.count == 2, range.count == 2, ends[0] > 0, ends[0] <= ends[1] else { return nil }
            gaps.append(UInt64(ends[0])...UInt64(ends[1]))
        }
        return SequenceMarks(high: UInt64(high), gaps: gaps)
    }

    /// Seconds; a date is not worth its parser here, and counts as "later".
    static func retryAfter(_ text: String?) -> Duration? {
        guard let text, let seconds = Int64(text), seconds >= 0 else { return nil }
        return .seconds(seconds)
    }
}

/// What a receiver says of a node when it is asked.
package struct ResumeAnswer: Equatable, Sendable {
    package struct Stream: Equatable, Sendable {
        package var name: String
        package var epoch: UInt32
        package var marks: SequenceMarks

        package init(name: String, epoch: UInt32, marks: SequenceMarks) {
            self.name = name
            self.epoch = epoch
            self.marks = marks
        }
    }

    package var streams: [Stream]

    package init(streams: [Stream]) { self.streams = streams }

    /// nil unless it parses and names our node.
    package static func read(_ body: [UInt8], node: String) -> ResumeAnswer? {
        guard let root = try? JSONDocument.parse(body, bytesMax: Limits.uplinkAnswerBytesMax).root, root["node"]?.string == node,
            let list = root["streams"], list.kind == .array
        else { return nil }
        var streams: [Stream] = []
        for item in list.elements {
            guard let name = item["stream"]?.string, let epoch = item["epoch"]?.int64, let number = UInt32(exactly: epoch),
                let marks = AckReader.marks(item)
            else { return nil }
            streams.append(Stream(name: name, epoch: number, marks: marks))
        }
        return ResumeAnswer(streams: streams)
    }
}

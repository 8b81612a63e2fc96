import Compression
import Crypto
import Domain
import HTTPClient

/// A way to a receiver. One thread; calls block until there is an answer or none will come.
package protocol UplinkTransport {
    /// What the receiver has of this node.
    func ask(node: String) -> TransportAnswer
    func send(_ batch: OutgoingBatch, node: String) -> TransportAnswer
}

package enum TransportAnswer: Equatable, Sendable {
    case answer(AckReader.Answer)
    /// Nobody answered, or not in time, or not in HTTP.
    case failure(String)
}

/// Records on their way, and what is said about them.
package struct OutgoingBatch: Sendable {
    package var stream: String
    package var epoch: UInt32
    package var seqs: [UInt64]
    /// As they are sent: NDJSON, compressed or not.
    package var body: [UInt8]
    package var encoding: String?
    package var digest: String
    package var kept: UInt64
    package var base: UInt64
}

/// `posto-uplink/1` over HTTP.
package final class HTTPTransport: UplinkTransport {
    private let uploader: HTTPUploader

    package init(_ options: HTTPUploader.Options, isStopped: @escaping @Sendable () -> Bool) {
        uploader = HTTPUploader(options, isStopped: isStopped)
    }

    package func ask(node: String) -> TransportAnswer {
        exchange("/v1/uplink/\(node)", [("Accept", "application/json")], nil)
    }

    package func send(_ batch: OutgoingBatch, node: String) -> TransportAnswer {
        var headers = [
            ("Content-Type", "application/x-ndjson"), ("Content-Digest", batch.digest), ("Uplink-Epoch", "\(batch.epoch)"),
            ("Uplink-First", "\(batch.seqs.first!)"), ("Uplink-Last", "\(batch.seqs.last!)"), ("Uplink-Kept", "\(batch.kept)"),
        ]
        if let encoding = batch.encoding { headers.append(("Content-Encoding", encoding)) }
        if batch.base > 0 { headers.append(("Uplink-Base", "\(batch.base)")) }
        return exchange("/v1/uplink/\(node)/\(batch.stream)", headers, batch.body)
    }

    private func exchange(_ path: String, _ headers: [(String, String)], _ body: [UInt8]?) -> TransportAnswer {
        do throws(HTTPClientError) {
            let answer = try uploader.exchange(
                path, headers: headers.map { (name: $0.0, value: $0.1) }, body: body, replyBytesMax: Limits.uplinkAnswerBytesMax)
            return .answer(AckReader.Answer(status: answer.status, retryAfter: answer.retryAfter, body: answer.body))
        } catch {
            return .failure(error.reason)
        }
    }
}

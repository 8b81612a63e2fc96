import Compression
import Crypto
import Domain
import HTTPServer

/// Reads a request of `posto-uplink/1`: headers, digest, encoding, lines.
enum BatchReader {
    static func read(_ request: borrowing HTTPRequest, node: String, stream: String) throws(ReceiverRefusal) -> ReceivedBatch {
        try checkName(node, "node")
        try checkName(stream, "stream")
        let epoch = try number(request.header("Uplink-Epoch"), "Uplink-Epoch")
        let first = try number(request.header("Uplink-First"), "Uplink-First")
        let last = try number(request.header("Uplink-Last"), "Uplink-Last")
        guard (1...UInt64(UInt32.max)).contains(epoch), first >= 1, first <= last else {
            throw ReceiverRefusal(400, "validation_error", "Uplink-Epoch, Uplink-First and Uplink-Last do not fit together.")
        }
        let body = Array(request.body)
        let hash = ContentDigest.header(sha256: SHA256.digest(body))
        guard let digest = request.header("Content-Digest").flatMap(ContentDigest.sha256) else {
            throw ReceiverRefusal(400, "validation_error", "Content-Digest with sha-256 is missing.")
        }
        guard digest == hash else { throw ReceiverRefusal(400, "digest_mismatch", "Content-Digest is not that of the bytes that came.") }
        let bytes = try decode(body, request.header("Content-Encoding"))
        let lines: [ReceivedLine]
        do throws(ReceivedBatch.Fault) {
            lines = try ReceivedBatch.readLines(bytes, node: node, stream: stream, epoch: UInt32(epoch), range: first...last)
        } catch {
            switch error {
            case .notJSON(let line): throw ReceiverRefusal(400, "malformed_json", "Line \(line) is not JSON.")
            case .sequence(let line):
                throw ReceiverRefusal(400, "validation_error", "Line \(line) has no postoseq that rises within Uplink-First and Uplink-Last.")
            case .empty: throw ReceiverRefusal(400, "malformed_json", "The batch is empty.")
            }
        }
        return ReceivedBatch(
            node: node, stream: stream, epoch: UInt32(epoch), first: first, last: last,
            kept: request.header("Uplink-Kept").flatMap(UInt64.init), base: request.header("Uplink-Base").flatMap(UInt64.init),
            bytes: bytes, lines: lines, digest: digest)
    }

    private static func decode(_ body: [UInt8], _ encoding: String?) throws(ReceiverRefusal) -> [UInt8] {
        switch encoding?.lowercased() {
        case nil, "identity": return body
        case "zstd":
            do throws(ZstandardFault) {
                return try body.span.withUnsafeBytes { (raw) throws(ZstandardFault) in
                    try Zstandard.decode(raw, bytesMax: Limits.uplinkBatchBytesMax + Limits.journalRecordBytesMax)
                }
            } catch {
                if error == .tooLarge { throw ReceiverRefusal(413, "too_large", "The batch is too large once it is decompressed.") }
                throw ReceiverRefusal(400, "malformed_request", "The body is not Zstandard.")
            }
        default:
            throw ReceiverRefusal(
                415, "unsupported_encoding", "Content-Encoding is zstd, or left out.", headers: [HTTPHeader("Accept-Encoding", "zstd")])
        }
    }

    /// Names become parts of keys: 1 to 128 letters, digits, `.`, `_`, `-`.
    static func checkName(_ name: String, _ what: String) throws(ReceiverRefusal) {
        let fits =
            (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 46 || $0 == 95 }
        guard fits else { throw ReceiverRefusal(400, "validation_error", "The name of the \(what) is not one.") }
    }

    private static func number(_ text: String?, _ name: String) throws(ReceiverRefusal) -> UInt64 {
        guard let text, let value = UInt64(text) else {
            throw ReceiverRefusal(400, "validation_error", "The header \(name) is missing or no number.")
        }
        return value
    }
}

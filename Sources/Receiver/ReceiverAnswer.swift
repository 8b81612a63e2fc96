import Domain
import HTTPServer
import Store
import Synchronization

/// A request that is answered without storing anything.
struct ReceiverRefusal: Error {
    let response: HTTPResponse

    init(_ status: Int, _ code: String, _ detail: String, headers: [HTTPHeader] = []) {
        response = ReceiverAnswer.refusal(status, code, detail, headers: headers)
    }

    init(_ error: StoreError) {
        switch error.code {
        case .full: self.init(507, "insufficient_storage", "The receiver has no room.", headers: [HTTPHeader("Retry-After", "60")])
        case .busy: self.init(429, "too_many_requests", "Too much waits for the disk.", headers: [HTTPHeader("Retry-After", "1")])
        default: self.init(503, "store_failed", "The receiver's store: \(error).", headers: [HTTPHeader("Retry-After", "5")])
        }
    }
}

/// The receiver's answers in JSON.
enum ReceiverAnswer {
    static func refusal(_ status: some BinaryInteger, _ code: String, _ detail: String, headers: [HTTPHeader] = []) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.key("type"); json.string("urn:posto:problem:\(code)")
            json.key("code"); json.string(code)
            json.key("status"); json.integer(Int(status))
            json.key("detail"); json.string(detail)
        }
        return HTTPResponse(status: UInt16(status), contentType: .problemJSON, headers: headers, body: .bytes(json.finish()))
    }

    static func response(_ decision: ReceiveDecision, _ batch: ReceivedBatch) -> HTTPResponse {
        switch decision.outcome {
        case .tooManyGaps:
            return refusal(429, "too_many_gaps", "Send what is missing first.", headers: [HTTPHeader("Retry-After", "1")])
        case .fenced(let epoch, let isConflict):
            var json = JSONWriter()
            json.object { json in
                json.key("epoch"); json.unsigned(UInt64(epoch))
                json.key("code"); json.string(isConflict ? "conflict" as StaticString : "fenced")
            }
            return HTTPResponse(status: 409, body: .bytes(json.finish()))
        case .received: return HTTPResponse(status: 200, body: .bytes(ack(decision, batch)))
        }
    }

    private static func ack(_ decision: ReceiveDecision, _ batch: ReceivedBatch) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.key("epoch"); json.unsigned(UInt64(batch.epoch))
            json.key("acked_to"); json.unsigned(decision.marks.high)
            json.key("missing"); ranges(decision.missing, &json)
            json.key("rejected")
            json.array { json in
                for refusal in decision.refusals {
                    json.object { json in
                        json.key("seq"); json.unsigned(refusal.seq)
                        json.key("code"); json.string(refusal.code)
                        json.key("retry"); json.bool(false)
                    }
                }
            }
            json.key("digest"); json.string(batch.digest)
            json.key("retry_after_ms"); json.integer(0)
            json.key("window")
            json.object { json in
                json.key("bytes"); json.integer(Limits.uplinkBatchBytesMax)
                json.key("inflight"); json.integer(1)
            }
        }
        return json.finish()
    }

    static func node(_ node: String, _ series: [ReceivedSeries]) -> [UInt8] {
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.key("node"); json.string(node)
            json.key("streams")
            json.array { json in
                for one in series {
                    json.object { json in
                        json.key("stream"); json.string(one.stream)
                        json.key("epoch"); json.unsigned(UInt64(one.epoch))
                        json.key("acked_to"); json.unsigned(one.marks.high)
                        json.key("missing"); ranges(one.marks.gaps, &json)
                        json.key("records"); json.unsigned(one.records)
                        json.key("bytes"); json.unsigned(one.bytes)
                        json.key("last_received_at"); json.timestamp(one.lastReceived)
                    }
                }
            }
        }
        return json.finish()
    }

    private static func ranges(_ ranges: [ClosedRange<UInt64>], _ json: inout JSONWriter) {
        json.array { json in
            for range in ranges {
                json.array { json in
                    json.unsigned(range.lowerBound)
                    json.unsigned(range.upperBound)
                }
            }
        }
    }
}

/// Answers that wait for the end of their commit.
final class ReceiverCompletions: Sendable {
    private let waiting = Mutex<[(HTTPTicket, HTTPResponse)]>([])

    func add(_ ticket: HTTPTicket, _ response: HTTPResponse) { waiting.withLock { $0.append((ticket, response)) } }

    func flush(through door: HTTPDoor?) {
        let all = waiting.withLock { waiting in
            defer { waiting.removeAll(keepingCapacity: true) }
            return waiting
        }
        guard !all.isEmpty else { return }
        door?.completeAll(all)
    }
}

import Compression
import Crypto
import Domain
import HTTPServer
import Store

/// The reference receiver of `posto-uplink/1`: for pilots and tests, and the truth that other receivers are compared with.
///
///     POST /v1/uplink/{node}/{stream}     a batch; the answer is an ack of what is on the disk
///     GET  /v1/uplink/{node}              what there is of the node
///     GET  /v1/uplink/{node}/{stream}     the stored lines, in order
///     GET  /health/live
// SAFETY: `writer` is set once by `attach`, before the server starts; the rest never changes.
package final class ReceiverServer: HTTPHandler, @unchecked Sendable {
    private enum Route: UInt16 { case batch = 1, node, lines, live }

    private let environment: StoreEnvironment
    private let tokens: ReceiverTokens
    private let router: HTTPRouter<Route>
    private let completions = ReceiverCompletions()
    private var writer: StoreWriter?
    private var door: HTTPDoor?

    package init(environment: StoreEnvironment, tokens: ReceiverTokens) {
        self.environment = environment
        self.tokens = tokens
        var router = HTTPRouter<Route>()
        router.add(.post, "/v1/uplink/{node}/{stream}", .batch)
        router.add(.get, "/v1/uplink/{node}", .node)
        router.add(.get, "/v1/uplink/{node}/{stream}", .lines)
        router.add(.get, "/health/live", .live)
        self.router = router
    }

    package func attach(_ writer: StoreWriter, _ door: HTTPDoor) {
        self.writer = writer
        self.door = door
    }

    /// The writer's thread, after each commit: the acks of a batch of batches go out together.
    package func committed() { completions.flush(through: door) }

    package func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission {
        if let length = head.contentLength, length > UInt64(Limits.uplinkBatchBytesMax) {
            return .refuse(ReceiverAnswer.refusal(413, "too_large", "The batch has more than \(Limits.uplinkBatchBytesMax) bytes."))
        }
        return .accept(bodyMax: Limits.uplinkBatchBytesMax)
    }

    package func handle(_ request: borrowing HTTPRequest) -> HTTPReply {
        switch router.table.match(request.method, request.path) {
        case .found(let index, let parameters):
            let route = router.values[index]
            if route == .live { return .answer(HTTPResponse(status: 200, body: .bytes(Array(#"{"status":"live"}"#.utf8)))) }
            guard tokens.accept(request.header("Authorization")) else {
                return .answer(
                    ReceiverAnswer.refusal(
                        401, "unauthenticated", "The receiver does not know this token.",
                        headers: [HTTPHeader("WWW-Authenticate", "Bearer realm=\"posto-uplink\"")]))
            }
            let node = parameters.string(0, in: request.path)
            do throws(ReceiverRefusal) {
                switch route {
                case .batch: return try receive(request, node, parameters.string(1, in: request.path))
                case .node: return .answer(try known(node))
                case .lines: return .answer(try lines(request, node, parameters.string(1, in: request.path)))
                case .live: preconditionFailure("answered above")
                }
            } catch {
                return .answer(error.response)
            }
        case .methodNotAllowed(let allow):
            return .answer(
                ReceiverAnswer.refusal(
                    405, "method_not_allowed", "This path takes \(allow).", headers: [HTTPHeader("Allow", allow)]))
        case .options(let allow): return .answer(HTTPResponse(status: 204, headers: [HTTPHeader("Allow", allow)]))
        case .notFound: return .answer(ReceiverAnswer.refusal(404, "not_found", "There is nothing at this path."))
        }
    }

    package func refusal(
        _ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?
    ) -> HTTPResponse {
        ReceiverAnswer.refusal(refusal.status, "malformed_request", "The request was refused: \(refusal.code).")
    }

    // MARK: Routes

    private func receive(_ request: borrowing HTTPRequest, _ node: String, _ stream: String) throws(ReceiverRefusal) -> HTTPReply {
        let batch = try BatchReader.read(request, node: node, stream: stream)
        guard let writer else { throw ReceiverRefusal(503, "starting", "The receiver is starting.") }
        let ticket = request.suspend(until: HTTPDoor.uptimeNanoseconds() + 30_000_000_000, waiter: nil)
        let completions = self.completions
        let receive = ReceiveRequest(batch) { result in
            switch result {
            case .success(let decision): completions.add(ticket, ReceiverAnswer.response(decision, batch))
            case .failure(let error): ticket.complete(ReceiverRefusal(error).response)
            }
        }
        do throws(StoreError) { try writer.submit(receive) } catch { ticket.complete(ReceiverRefusal(error).response) }
        return .later
    }

    private func known(_ node: String) throws(ReceiverRefusal) -> HTTPResponse {
        try BatchReader.checkName(node, "node")
        let series: [ReceivedSeries]
        do throws(StoreError) {
            series = try environment.read { (transaction) throws(StoreError) in try transaction.receivedSeries(node) }
        } catch {
            throw ReceiverRefusal(error)
        }
        return HTTPResponse(status: 200, body: .bytes(ReceiverAnswer.node(node, series)))
    }

    private func lines(_ request: borrowing HTTPRequest, _ node: String, _ stream: String) throws(ReceiverRefusal) -> HTTPResponse {
        try BatchReader.checkName(node, "node")
        try BatchReader.checkName(stream, "stream")
        func number(_ name: StaticString, _ fallback: UInt64) throws(ReceiverRefusal) -> UInt64 {
            guard let text = request.query(name) else { return fallback }
            guard let value = UInt64(text) else { throw ReceiverRefusal(400, "validation_error", "\(name) is not a number.") }
            return value
        }
        let epoch = request.query("epoch") == nil ? nil : UInt32(clamping: try number("epoch", 0))
        let after = try number("after", 0)
        let limit = min(max(1, try number("limit", 1_000)), UInt64(Limits.uplinkBatchRecordsMax))
        let found: [UInt8]?
        do throws(StoreError) {
            found = try environment.read { (transaction) throws(StoreError) -> [UInt8]? in
                let series = try transaction.receivedSeries(node, stream)
                guard let wanted = epoch == nil ? series.last : series.first(where: { $0.epoch == epoch }) else { return nil }
                return try transaction.receivedLines(
                    wanted.number, after: after, limit: Int(limit), bytesMax: Limits.uplinkBatchBytesMax)
            }
        } catch {
            throw ReceiverRefusal(error)
        }
        guard let found else { throw ReceiverRefusal(404, "unknown_stream", "Nothing was received of this stream in this epoch.") }
        return HTTPResponse(status: 200, contentType: .ndjson, body: .bytes(found))
    }
}

import Glibc
import HTTPServer
import Synchronization
import TLS
import TestSupport

/// Answers by path: what the tests need from the other side of the door.
final class TestHandler: HTTPHandler, HTTPWaiter {
    struct Seen: Sendable {
        var tickets: [HTTPTicket] = []
        /// Those of requests that give themselves a number (`?n=`); the door may take up requests in another order than they were sent.
        var numbered: [Int: HTTPTicket] = [:]
        var departed: [HTTPTicket] = []
        var outcomes: [HTTPOutcome] = []
        var admitted = 0
        var handled: [String] = []
        var polls = 0
        var stream: HTTPStream?
        var streamsClosed = 0
    }

    let seen = Mutex(Seen())
    var snapshot: Seen { seen.withLock { $0 } }
    let bodyMax: Int
    let write = WriteWaiter()
    /// One small enough to be sent as it is, one that a client may want compressed.
    let prepared = HTTPResponse(status: 200, body: .bytes(Array(#"{"small":true}"#.utf8)), revision: 7).prepared
    let preparedLarge = HTTPResponse(status: 200, contentType: .text, body: .bytes(Array(repeating: 0x61, count: 5_000))).prepared

    init(bodyMax: Int = 100_000) { self.bodyMax = bodyMax }

    func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool {
        let isPoll = requestLine.starts(with: "GET /poll".utf8)
        if isPoll { seen.withLock { $0.polls += 1 } }
        return isPoll
    }

    func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission {
        seen.withLock { $0.admitted += 1 }
        if head.pathString == "/forbidden" { return .refuse(Self.text("no", status: 401)) }
        return .accept(bodyMax: bodyMax)
    }

    static func text(_ text: String, status: UInt16 = 200, headers: [HTTPHeader] = []) -> HTTPResponse {
        HTTPResponse(status: status, contentType: .text, headers: headers, body: .bytes(Array(text.utf8)))
    }

    func handle(_ request: borrowing HTTPRequest) -> HTTPReply {
        let path = request.pathString
        seen.withLock { $0.handled.append(path) }
        request.tag(7)
        switch path {
        case "/echo":
            return .answer(HTTPResponse(status: 200, contentType: .octets, body: .bytes(Array(request.body))))
        case "/size": return .answer(Self.text("\(request.body.count)"))
        case "/peer": return .answer(Self.text("\(request.peer)"))
        case "/query": return .answer(Self.text(request.queryItems().map { "\($0.name)=\($0.value)" }.joined(separator: "|")))
        case "/trace": return .answer(Self.text(request.traceparent ?? "none"))
        case "/header": return .answer(Self.text(request.header("x-test") ?? "none"))
        case "/revision": return .answer(HTTPResponse(status: 200, body: .bytes(Array("{}".utf8)), revision: 18_446_744_073_709_551_615))
        case "/large":
            let count = Int(request.query("n") ?? "") ?? 5_000
            return .answer(Self.text(String(repeating: "posto ", count: count / 6)))
        case "/file":
            let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
            return .answer(HTTPResponse(status: 200, contentType: .octets, body: .file(descriptor: descriptor, size: 1_000_000)))
        case "/stream":
            let stream = HTTPStream(onClosed: { [weak self] in self?.seen.withLock { $0.streamsClosed += 1 } })
            seen.withLock { $0.stream = stream }
            stream.push(Array("first".utf8))
            return .answer(HTTPResponse(status: 200, contentType: .eventStream, body: .stream(stream)))
        case "/prepared": return .answer(prepared)
        case "/prepared-large": return .answer(preparedLarge)
        case "/nothing": return .answer(HTTPResponse(status: 204))
        case "/poll", "/write", "/bare":
            let milliseconds = UInt64(request.query("ms") ?? "") ?? 60_000
            let deadline = HTTPDoor.uptimeNanoseconds() + milliseconds * 1_000_000
            let waiter: (any HTTPWaiter)? = path == "/poll" ? self : path == "/write" ? write : nil
            let ticket = request.suspend(until: deadline, waiter: waiter)
            let number = Int(request.query("n") ?? "")
            seen.withLock { seen in
                seen.tickets.append(ticket)
                if let number { seen.numbered[number] = ticket }
            }
            return .later
        case "/now":
            // Completed before the handler has returned.
            let ticket = request.suspend(until: nil, waiter: nil)
            ticket.complete(Self.text("first"))
            ticket.complete(Self.text("second"))
            return .later
        default: return .answer(Self.text(path))
        }
    }

    func refusal(_ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?) -> HTTPResponse {
        HTTPResponse(status: refusal.status, contentType: .problemJSON, body: .bytes(Array("\(refusal.code)".utf8)))
    }

    func finished(_ outcome: HTTPOutcome) { seen.withLock { $0.outcomes.append(outcome) } }

    func departed(_ ticket: HTTPTicket) { seen.withLock { $0.departed.append(ticket) } }
    func timedOut(_ ticket: HTTPTicket) -> HTTPResponse { Self.text("nothing new") }
}

final class WriteWaiter: HTTPWaiter {
    func departed(_ ticket: HTTPTicket) {}
    func timedOut(_ ticket: HTTPTicket) -> HTTPResponse { TestHandler.text("not durable yet", status: 503) }
    var endsWithClient: Bool { false }
}

/// A server on a free port of the loopback, stopped when the test ends.
final class TestServer {
    let server: HTTPDoor
    let handler: TestHandler

    private let wire: Wire

    init(
        bodyMax: Int = 100_000, listeners: [HTTPListener] = [.tcp(host: "127.0.0.1", port: 0)], wire: Wire = .plain,
        _ change: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws {
        handler = TestHandler(bodyMax: bodyMax)
        self.wire = wire
        var configuration = HTTPServerConfiguration(
            listeners: wire == .tls ? listeners.map { .tls($0) } : listeners, ownHosts: ["posto.example"])
        if wire != .plain { configuration.identity = Self.identity }
        change(&configuration)
        server = try HTTPDoor(configuration: configuration, handler: handler)
        server.start()
    }

    deinit { server.stop() }

    func client(_ index: Int = 0, from source: String? = nil) -> RawClient {
        RawClient(server.bound[index], from: source, tls: wire == .tlsBesidePlain ? RawClient.authority12 : nil)
    }

    // SAFETY: certificate and key were made a moment ago; if they do not fit every test would fail, and the trap says why.
    static let identity = try! TLSServerIdentity(
        chain: TestAuthority.shared.localhost.certificateBytes, key: TestAuthority.shared.localhost.keyBytes)
}

/// What is between client and server: nothing, TLS 1.3 on a listener of its own, or TLS 1.2 on one that takes plain clients, too.
enum Wire: CaseIterable { case plain, tls, tlsBesidePlain }

/// Asks again and again, because the other thread, or the kernel, may need a moment.
func eventually(seconds: Double = 60, _ condition: () -> Bool) -> Bool {
    let deadline = HTTPDoor.uptimeNanoseconds() + UInt64(seconds * 1e9)
    while HTTPDoor.uptimeNanoseconds() < deadline {
        if condition() { return true }
        // Not a spin: the thread that is waited for may need this core.
        poll(nil, 0, 1)
    }
    return condition()
}

let get = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"

func get(_ target: String, _ headers: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n" }

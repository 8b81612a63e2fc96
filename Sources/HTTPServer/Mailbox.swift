import CPlatform
import Glibc
import Synchronization

/// What other threads ask of the HTTP thread: one lock, and one write to an eventfd for each batch that it has not noticed yet.
final class Mailbox: Sendable {
    struct Completion: Sendable {
        let id: UInt64
        let response: HTTPResponse
    }

    enum Request: Sendable {
        case perform(@Sendable () -> Void)
        /// A stream has something to send, or ended.
        case stream(id: UInt64)
        /// A stream's reader is too slow.
        case cut(id: UInt64)
        /// A connection whose handshake is done.
        case adopt(HandedConnection)
        /// What the new certificate proves to be ours.
        case certificateNames([String])
        /// After a drain: no connection comes from the TLS thread any more.
        case tlsIsQuiet
        case drain(deadline: UInt64)
        case stop
    }

    struct Contents: Sendable {
        var completions: [Completion] = []
        var requests: [Request] = []
        var signalled = false
    }

    let descriptor: Int32
    private let contents = Mutex(Contents())

    init() throws(HTTPServerError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        if descriptor < 0 { throw HTTPServerError(.system(errno: errno), "eventfd") }
    }

    deinit { close(descriptor) }

    func complete(_ id: UInt64, _ response: HTTPResponse) {
        signal { $0.completions.append(Completion(id: id, response: response)) }
    }

    func complete(_ batch: [(HTTPTicket, HTTPResponse)]) {
        guard !batch.isEmpty else { return }
        signal { contents in
            for (ticket, response) in batch { contents.completions.append(Completion(id: ticket.id, response: response)) }
        }
    }

    func post(_ request: Request) {
        signal { $0.requests.append(request) }
    }

    /// Exchanges what came in against `emptied`, whose storage is used again.
    func take(_ emptied: inout Contents) {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        contents.withLock { contents in
            contents.signalled = false
            swap(&contents, &emptied)
        }
    }

    /// Once nobody reads any more: who was on the way to the HTTP thread is sent away.
    func closeHanded() {
        var last = Contents()
        take(&last)
        for case .adopt(let handed) in last.requests { close(handed.descriptor) }
    }

    private func signal(_ body: (inout Contents) -> Void) {
        let first = contents.withLock { contents in
            body(&contents)
            defer { contents.signalled = true }
            return !contents.signalled
        }
        guard first else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }
}

import CPlatform
import Glibc
import Synchronization
import TLS

/// What other threads ask of the TLS thread.
final class TLSMailbox: Sendable {
    enum Request: Sendable {
        /// A client that began a handshake on a listener that takes both. The descriptor goes over to the TLS thread.
        case take(ArrivingConnection)
        /// For handshakes from now on.
        case identity(TLSServerIdentity)
        /// No new connections; what came is passed on, then the HTTP thread is told to drain until then.
        case drain(deadline: UInt64)
        /// The HTTP thread has ended: send what is left, at the latest until then.
        case finish(deadline: UInt64)
        case stop
    }

    let descriptor: Int32
    private let requests = Mutex<[Request]>([])

    init() throws(HTTPServerError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        if descriptor < 0 { throw HTTPServerError(.system(errno: errno), "eventfd") }
    }

    deinit { close(descriptor) }

    func post(_ request: Request) {
        requests.withLock { $0.append(request) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Once nobody reads any more.
    func closeArriving() {
        for case .take(let arriving) in take() { close(arriving.descriptor) }
    }

    func take() -> [Request] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return requests.withLock { requests in
            defer { requests = [] }
            return requests
        }
    }
}

import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import Synchronization
import TLS

/// The daemon's HTTP door: strict, fast, one thread; and a second one if it also listens for TLS.
///
/// `init` binds, `start` serves, `drain` ends gently, `stop` at once. libmicrohttpd is touched by the HTTP thread alone; everybody else talks
/// to it through the mailbox.
package final class HTTPDoor: Sendable {
    package let gauges = HTTPGauges()
    /// Nil without a certificate.
    package let tlsGauges: TLSGauges?
    /// Where it listens, in the order of the configuration, with the ports that were picked.
    package let bound: [HTTPAddress]

    private enum Stage: Sendable { case bound, running(http: UInt, tls: UInt?), finished }
    private let mailbox: Mailbox
    private let core: LoopBox
    private let tls: TLSBox?
    private let stage = Mutex(Stage.bound)

    package convenience init(configuration: HTTPServerConfiguration, handler: any HTTPHandler) throws(HTTPServerError) {
        try self.init(configuration: configuration, handler: handler, floor: nil)
    }

    init(configuration: HTTPServerConfiguration, handler: any HTTPHandler, floor: FloorAnswer?) throws(HTTPServerError) {
        var configuration = configuration
        let sockets = try Self.listen(configuration.listeners)
        let secure = sockets.filter(\.isTLS)
        let room = Self.affordableConnections(configuration.connectionsMax, hasTLS: configuration.identity != nil)
        configuration.connectionsMax = room.all
        bound = sockets.map(\.address)
        mailbox = try Mailbox()
        let identity = floor == nil ? configuration.identity : nil
        let tlsMailbox = try identity.map { (_) throws(HTTPServerError) in try TLSMailbox() }
        core = LoopBox(
            try HTTPLoop(
                configuration: configuration, handler: handler, listeners: sockets.filter { !$0.isTLS }, mailbox: mailbox, gauges: gauges,
                tls: tlsMailbox, floor: floor))
        guard let identity, let tlsMailbox else {
            precondition(secure.isEmpty, "a TLS listener without a certificate")
            tlsGauges = nil
            tls = nil
            return
        }
        let gauges = TLSGauges()
        tlsGauges = gauges
        tls = TLSBox(
            try TLSTerminator(
                configuration: configuration, identity: identity, listeners: secure.map { ($0.place, $0) }, connectionsMax: room.tls,
                mailbox: tlsMailbox, loop: mailbox, gauges: gauges))
    }

    private static func listen(_ listeners: [HTTPListener]) throws(HTTPServerError) -> [ListenSocket] {
        var sockets: [ListenSocket] = []
        for (place, listener) in listeners.enumerated() {
            do throws(HTTPServerError) {
                var socket = try ListenSocket.open(listener)
                socket.place = place
                sockets.append(socket)
            } catch {
                for socket in sockets {
                    if let path = socket.ownPath { unlink(path) }
                    close(socket.descriptor)
                }
                throw error
            }
        }
        return sockets
    }

    /// Raises the soft limit of descriptors to the hard one and leaves some for the store, the uplink and files.
    /// One over TLS takes three: the client's and both ends of its pair.
    private static func affordableConnections(_ wanted: Int, hasTLS: Bool) -> (all: Int, tls: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return (min(wanted, 512), min(wanted, 128)) }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let room = Int(min(limit.rlim_cur, 1 << 24))
        let free = room - max(32, min(256, room / 4))
        let tls = hasTLS ? max(1, min(wanted, free / 4)) : 0
        return (max(1, min(wanted, free - 2 * tls, 1 << 24 - 1)), tls)
    }

    /// Starts the HTTP thread. Once.
    package func start() {
        stage.withLock { stage in
            guard case .bound = stage else { preconditionFailure("an HTTP server starts once") }
            // SAFETY (both): the thread takes over the reference that is retained here.
            let http = Self.startThread(serve, Unmanaged.passRetained(core).toOpaque())
            let secure = tls.map { Self.startThread(terminate, Unmanaged.passRetained($0).toOpaque()) }
            stage = .running(http: http, tls: secure)
        }
    }

    /// SAFETY: the thread takes over the reference that `context` retains.
    private static func startThread(
        _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer
    ) -> UInt {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 2 * 1_024 * 1_024)
        var thread = pthread_t()
        let result = pthread_create(&thread, &attributes, body, context)
        precondition(result == 0, "pthread_create: \(result)")
        pthread_attr_destroy(&attributes)
        return thread
    }

    /// Makes handshakes with this certificate from now on; open connections go on with theirs. Without a TLS listener nothing happens.
    package func replace(_ identity: TLSServerIdentity) {
        guard let tls else { return }
        mailbox.post(.certificateNames(identity.hostNames))
        tls.terminator.mailbox.post(.identity(identity))
    }

    /// Completes a group of requests with one lock and one wake-up: all that one commit made durable.
    package func completeAll(_ completions: [(HTTPTicket, HTTPResponse)]) { mailbox.complete(completions) }

    /// Runs `body` on the HTTP thread, soon.
    package func perform(onLoop body: @escaping @Sendable () -> Void) { mailbox.post(.perform(body)) }

    /// Stops accepting, answers what is in flight and the long polls, ends idle connections, and returns when the last connection is gone,
    /// at the latest at `deadline` (nanoseconds since boot).
    package func drain(deadline: UInt64) {
        // The TLS thread passes on what it has before it tells the HTTP thread.
        if let tls { tls.terminator.mailbox.post(.drain(deadline: deadline)) } else { mailbox.post(.drain(deadline: deadline)) }
        join()
    }

    /// Ends at once; suspended requests may see their connection close.
    package func stop() {
        mailbox.post(.stop)
        join()
    }

    private func join() {
        let threads: (http: UInt, tls: UInt?)? = stage.withLock { stage in
            defer { stage = .finished }
            if case .running(let http, let tls) = stage { return (http, tls) }
            return nil
        }
        guard let threads else { return }
        pthread_join(threads.http, nil)
        if let tls, let thread = threads.tls {
            // What the HTTP thread said last is still on its way to the clients.
            tls.terminator.mailbox.post(.finish(deadline: HTTPLoop.clock() + Limits.tlsLingerNanoseconds))
            pthread_join(thread, nil)
            tls.terminator.mailbox.closeArriving()
        }
        mailbox.closeHanded()
    }

    /// When its threads last turned, in nanoseconds since boot, of two the one that is longer ago: at least every second while they are healthy.
    package var lastAliveNanoseconds: UInt64 {
        let http = core.loop.beat.load(ordering: .relaxed)
        return tls.map { min(http, $0.terminator.beat.load(ordering: .relaxed)) } ?? http
    }

    /// The clock of all deadlines here: nanoseconds since boot (CLOCK_BOOTTIME).
    package static func uptimeNanoseconds() -> UInt64 { HTTPLoop.clock() }
}

/// Carries the loop to its thread.
///
/// SAFETY: the loop is touched by the creating thread before `pthread_create` and by the HTTP thread after it; `beat` is atomic.
private final class LoopBox: @unchecked Sendable {
    let loop: HTTPLoop

    init(_ loop: HTTPLoop) { self.loop = loop }
}

/// SAFETY: as of `LoopBox`; `beat` is atomic and `mailbox` locks.
private final class TLSBox: @unchecked Sendable {
    let terminator: TLSTerminator

    init(_ terminator: TLSTerminator) { self.terminator = terminator }
}

// SAFETY: the argument is the box that `start` retained for this thread.
private let terminate: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    Unmanaged<TLSBox>.fromOpaque(context!).takeRetainedValue().terminator.run()
    return nil
}

// SAFETY: as above.
private let serve: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    Unmanaged<LoopBox>.fromOpaque(context!).takeRetainedValue().loop.run()
    return nil
}

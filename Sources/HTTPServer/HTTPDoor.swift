import CMicroHTTPD
import CPlatform
import Glibc
import Synchronization

/// The daemon's HTTP door: strict, fast, one thread.
///
/// `init` binds, `start` serves, `drain` ends gently, `stop` at once. libmicrohttpd is touched by the HTTP thread alone; everybody else talks
/// to it through the mailbox.
package final class HTTPDoor: Sendable {
    package let gauges = HTTPGauges()
    /// Where it listens, in the order of the configuration, with the ports that were picked.
    package let bound: [HTTPAddress]

    private enum Stage: Sendable { case bound, running(UInt), finished }
    private let mailbox: Mailbox
    private let core: LoopBox
    private let stage = Mutex(Stage.bound)

    package convenience init(configuration: HTTPServerConfiguration, handler: any HTTPHandler) throws(HTTPServerError) {
        try self.init(configuration: configuration, handler: handler, floor: nil)
    }

    init(configuration: HTTPServerConfiguration, handler: any HTTPHandler, floor: FloorAnswer?) throws(HTTPServerError) {
        var configuration = configuration
        configuration.connectionsMax = Self.affordableConnections(configuration.connectionsMax)
        var sockets: [ListenSocket] = []
        for listener in configuration.listeners {
            do throws(HTTPServerError) {
                sockets.append(try ListenSocket.open(listener))
            } catch {
                for socket in sockets {
                    if let path = socket.ownPath { unlink(path) }
                    close(socket.descriptor)
                }
                throw error
            }
        }
        bound = sockets.map(\.address)
        mailbox = try Mailbox()
        core = LoopBox(
            try HTTPLoop(
                configuration: configuration, handler: handler, listeners: sockets, mailbox: mailbox, gauges: gauges, floor: floor))
    }

    /// Raises the soft limit of descriptors to the hard one and leaves some for the store, the uplink and files.
    private static func affordableConnections(_ wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return min(wanted, 512) }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let room = Int(min(limit.rlim_cur, 1 << 24))
        return max(1, min(wanted, room - max(32, min(256, room / 4)), 1 << 24 - 1))
    }

    /// Starts the HTTP thread. Once.
    package func start() {
        stage.withLock { stage in
            guard case .bound = stage else { preconditionFailure("an HTTP server starts once") }
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, 2 * 1_024 * 1_024)
            var thread = pthread_t()
            // SAFETY: the thread takes over the reference that is retained here.
            let result = pthread_create(&thread, &attributes, serve, Unmanaged.passRetained(core).toOpaque())
            precondition(result == 0, "pthread_create: \(result)")
            pthread_attr_destroy(&attributes)
            stage = .running(thread)
        }
    }

    /// Completes a group of requests with one lock and one wake-up: all that one commit made durable.
    package func completeAll(_ completions: [(HTTPTicket, HTTPResponse)]) { mailbox.complete(completions) }

    /// Runs `body` on the HTTP thread, soon.
    package func perform(onLoop body: @escaping @Sendable () -> Void) { mailbox.post(.perform(body)) }

    /// Stops accepting, answers what is in flight and the long polls, ends idle connections, and returns when the last connection is gone,
    /// at the latest at `deadline` (nanoseconds since boot).
    package func drain(deadline: UInt64) {
        mailbox.post(.drain(deadline: deadline))
        join()
    }

    /// Ends at once; suspended requests may see their connection close.
    package func stop() {
        mailbox.post(.stop)
        join()
    }

    private func join() {
        let thread: UInt? = stage.withLock { stage in
            defer { stage = .finished }
            if case .running(let thread) = stage { return thread }
            return nil
        }
        if let thread { pthread_join(thread, nil) }
    }

    /// When the loop last turned, in nanoseconds since boot: at least every second while it is healthy.
    package var lastAliveNanoseconds: UInt64 { core.loop.beat.load(ordering: .relaxed) }

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

// SAFETY: the argument is the box that `start` retained for this thread.
private let serve: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    Unmanaged<LoopBox>.fromOpaque(context!).takeRetainedValue().loop.run()
    return nil
}

import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import Synchronization
import TLS

/// The TLS thread: makes handshakes, and passes the bytes inside of TLS to and from the HTTP thread, over a pair of Unix sockets for each
/// connection (Documentation/decisions/0020).
///
///     client ══ TLS ══▶ TLSTerminator ── pair ──▶ HTTPLoop ──▶ libmicrohttpd
///
/// The HTTP thread sees connections like those of its own listeners: every check, limit, deadline and kind of answer holds for both. And
/// whatever a crowd of handshakes costs, it costs this thread.
final class TLSTerminator {
    let configuration: HTTPServerConfiguration
    let connectionsMax: Int
    let handshakeNanoseconds: UInt64
    let flushNanoseconds: UInt64
    let mailbox: TLSMailbox
    /// The HTTP thread's.
    let loop: Mailbox
    let gauges: TLSGauges
    /// Nanoseconds since boot of the last turn; read by the watchdog.
    let beat: Atomic<UInt64>

    var identity: TLSServerIdentity
    /// With their places in the configuration.
    var listeners: [(index: Int, socket: ListenSocket)]
    var listenersPausedUntil: UInt64?
    let epoll: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>
    /// For bytes on their way through.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    var connections: [TLSConnection?] = []
    var freeSlots: [Int] = []
    var count = 0
    var unfinished = 0
    var addresses: [AddressKey: AddressCount] = [:]
    private var serial: UInt32 = 0
    /// Connections in whose session more bytes wait, which the kernel does not know of.
    var again: [TLSConnection] = []
    private var shaking: [TLSConnection] = []

    var now: UInt64
    var nextScan: UInt64 = .max
    var identities: RequestIDGenerator
    var gate = LogGate()
    /// Not nil once the HTTP thread is to be told that nothing more comes.
    var quietDeadline: UInt64?
    var isQuiet = false
    /// Not nil once the HTTP thread has ended.
    var finishDeadline: UInt64?
    var isStopping = false

    struct AddressCount {
        var open = 0
        var unfinished = 0
    }

    init(
        configuration: HTTPServerConfiguration, identity: TLSServerIdentity, listeners: [(index: Int, socket: ListenSocket)],
        connectionsMax: Int, mailbox: TLSMailbox, loop: Mailbox, gauges: TLSGauges
    ) throws(HTTPServerError) {
        self.configuration = configuration
        self.identity = identity
        self.listeners = listeners
        self.connectionsMax = connectionsMax
        self.mailbox = mailbox
        self.loop = loop
        self.gauges = gauges
        handshakeNanoseconds = configuration.handshakeTimeout.nanoseconds
        flushNanoseconds = configuration.writeTimeout.nanoseconds
        now = HTTPLoop.clock()
        beat = Atomic(now)
        var random = SystemRandomNumberGenerator()
        identities = RequestIDGenerator(seed: (random.next(), random.next()))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { throw HTTPServerError(.system(errno: errno), "epoll_create1") }
        events = .allocate(capacity: 256)
    }

    deinit {
        close(epoll)
        events.deallocate()
        scratch.deallocate()
    }

    /// Serves until `stop`, or until all is sent after `finish`.
    func run() {
        posto_name_thread("posto-tls")
        // A client that is gone must not end the process.
        signal(SIGPIPE, SIG_IGN)
        var clock = clockid_t()
        if pthread_getcpuclockid(pthread_self(), &clock) == 0 { gauges.setClock(clock) }
        set(mailbox.descriptor, .wake, 0, UInt32(EPOLLIN.rawValue), index: 0, serial: 0)
        for (place, listener) in listeners.enumerated() {
            set(listener.socket.descriptor, .listener, 0, UInt32(EPOLLIN.rawValue), index: place, serial: 0)
        }
        while !isStopping { turn() }
        closeListeners()
        for connection in connections { if let connection { destroy(connection) } }
    }

    /// What is open goes first, then handshakes, then new connections, each with a bound: whoever has a connection does not wait for a crowd.
    private func turn() {
        let ready = Int(epoll_wait(epoll, events.baseAddress!, Int32(events.count), waitMilliseconds()))
        now = HTTPLoop.clock()
        beat.store(now, ordering: .relaxed)
        var isWoken = false
        var accepting: [Int] = []
        if !again.isEmpty { readOn() }
        for i in 0..<max(0, ready) {
            let tag = TLSEventTag(events[i].data.u64)
            switch tag.kind {
            case .wake: isWoken = true
            case .listener: accepting.append(tag.index)
            case .client, .server:
                guard let connection = connections[tag.index], connection.serial == tag.serial else { continue }
                if connection.isUnfinished { shaking.append(connection) } else { relay(connection, tag.kind, events[i].events) }
            }
        }
        for connection in shaking.prefix(Limits.tlsHandshakeStepsPerTurnMax) { step(connection) }
        shaking.removeAll(keepingCapacity: true)
        for place in accepting { acceptConnections(place) }
        if isWoken { readMailbox() }
        if now >= nextScan { scanDeadlines() }
        if quietDeadline != nil { becomeQuiet() }
        if finishDeadline != nil, count == 0 || now >= finishDeadline! { isStopping = true }
        gauges.setOpen(count, unfinished: unfinished)
    }

    /// At most a second, so that the watchdog sees us alive.
    private func waitMilliseconds() -> Int32 {
        if !again.isEmpty { return 0 }
        let until = min(nextScan, finishDeadline ?? .max, quietDeadline == nil || isQuiet ? .max : now + 20_000_000)
        guard until > now else { return 0 }
        return Int32(min(1_000, (until - now + 999_999) / 1_000_000))
    }

    private func readMailbox() {
        for request in mailbox.take() {
            switch request {
            case .take(let arriving): take(arriving, isCounted: true)
            case .identity(let identity): self.identity = identity
            case .drain(let deadline): beginDrain(deadline)
            case .finish(let deadline):
                finishDeadline = deadline
                becomeFinishing()
            case .stop: isStopping = true
            }
        }
    }

    func newSerial() -> UInt32 {
        serial &+= 1
        return serial
    }

    /// Tells the kernel what to watch for; a mask of 0 takes the descriptor out, because a hung-up one would be reported whatever the mask.
    func set(_ descriptor: Int32, _ kind: TLSEventKind, _ old: UInt32, _ new: UInt32, index: Int, serial: UInt32) {
        guard old != new else { return }
        var event = epoll_event(events: new, data: epoll_data_t(u64: TLSEventTag(kind: kind, index: index, serial: serial).word))
        let operation = new == 0 ? EPOLL_CTL_DEL : old == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        if epoll_ctl(epoll, operation, descriptor, &event) != 0 {
            configuration.log("epoll_ctl on descriptor \(descriptor) of the TLS thread: errno \(errno)")
        }
    }
}

/// What the TLS thread waits for.
enum TLSEventKind: UInt64 { case wake, listener, client, server }

typealias TLSEventTag = EventTag<TLSEventKind>

import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import Synchronization
import TLS

/// The HTTP thread: one epoll set with the listeners, the mailbox, two libmicrohttpd daemons nested in it, and connections that have not
/// said anything yet.
///
/// libmicrohttpd's own thread would block for ever as soon as 128 events come at once, and it walks all suspended connections at each wake-up.
/// So we run its daemons from here, and long polls have one of their own.
final class HTTPLoop {
    /// The two daemons: ordinary requests, long polls.
    static let ordinary = 0
    static let polls = 1

    let configuration: HTTPServerConfiguration
    let timeouts: Timeouts
    let handler: any HTTPHandler
    let mailbox: Mailbox
    /// Of the TLS thread; nil without a certificate.
    let tls: TLSMailbox?
    let gauges: HTTPGauges
    /// Nanoseconds since boot of the last turn; read by the watchdog.
    let beat: Atomic<UInt64>
    /// Says only this, without any of our checks: the floor of the measurements.
    let floor: FloorAnswer?

    var listeners: [ListenSocket]
    var listenersPausedUntil: UInt64?
    var daemons: [OpaquePointer] = []
    var dirty = [false, false]
    let epoll: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>

    let slots: UnsafeMutableBufferPointer<ConnectionPointer?>
    let deadlines: UnsafeMutableBufferPointer<UInt64>
    var freeSlots: [Int] = []
    /// No slot at or beyond it was ever used.
    var slotsUsed = 0
    var connectionCount = 0
    var serial: UInt32 = 0
    var addresses: [AddressKey: Int] = [:]
    /// Handed to libmicrohttpd right now, for `NOTIFY_CONNECTION`.
    var adding: ConnectionPointer?

    var now: UInt64
    /// Of this turn, for the answers' headers.
    var date = HTTPDate()
    var nextScan: UInt64 = 0
    var generation: UInt64 = 0
    /// Tickets of requests that are put to sleep after the daemon's run.
    var falling: [UInt64] = []
    var letters = Mailbox.Contents()
    /// How many completions of `letters` were seen to.
    var lettersRead = 0
    var hosts: HostCheck
    var identities: RequestIDGenerator
    var gzip = Gzip()
    var logGate = LogGate()
    let logger = UnsafeMutablePointer<posto_mhd_logger>.allocate(capacity: 1)
    let hooks = UnsafeMutablePointer<posto_http_hooks>.allocate(capacity: 1)

    /// Not nil once the server drains: when to stop waiting.
    var drainDeadline: UInt64?
    /// While draining: until when a connection that has sent nothing yet is waited for.
    var silenceDeadline: UInt64 = 0
    /// No connection comes from the TLS thread any more, or there is none.
    var isTLSQuiet: Bool
    var isStopping = false

    init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler, listeners: [ListenSocket], mailbox: Mailbox, gauges: HTTPGauges,
        tls: TLSMailbox?, floor: FloorAnswer?
    ) throws(HTTPServerError) {
        self.configuration = configuration
        timeouts = Timeouts(configuration)
        self.handler = handler
        self.listeners = listeners
        self.mailbox = mailbox
        self.gauges = gauges
        self.floor = floor
        self.tls = tls
        isTLSQuiet = tls == nil
        now = Self.clock()
        beat = Atomic(now)
        hosts = HostCheck(ownHosts: configuration.ownHosts)
        hosts.certificateNames = configuration.identity?.hostNames ?? []
        var random = SystemRandomNumberGenerator()
        identities = RequestIDGenerator(seed: (random.next(), random.next()))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { throw HTTPServerError(.system(errno: errno), "epoll_create1") }
        events = .allocate(capacity: 256)
        slots = .allocate(capacity: configuration.connectionsMax)
        slots.initialize(repeating: nil)
        deadlines = .allocate(capacity: configuration.connectionsMax)
        deadlines.initialize(repeating: .max)
        // Descriptors are small numbers: connections, over TLS with two more each, and what else is open.
        let received = configuration.connectionsMax * (tls == nil ? 1 : 3) + 4_096
        hooks.initialize(
            to: posto_http_hooks(
                refused: libraryRefused, context: nil, received: posto_received_allocate(received), received_count: received))
    }

    deinit {
        close(epoll)
        events.deallocate()
        slots.deallocate()
        deadlines.deallocate()
        logger.deallocate()
        free(hooks.pointee.received)
        hooks.deallocate()
    }

    /// Nanoseconds since boot, suspended time included.
    static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Serves until `stop` or the end of a drain.
    func run() {
        startDaemons()
        if floor == nil {
            // SAFETY: the loop outlives its own `run`.
            hooks.pointee.context = Unmanaged.passUnretained(self).toOpaque()
            posto_http_hooks_install(hooks)
        }
        defer { posto_http_hooks_install(nil) }
        watch(mailbox.descriptor, .wake, UInt32(EPOLLIN.rawValue), add: true)
        for (index, listener) in listeners.enumerated() {
            watch(listener.descriptor, .listener, UInt32(EPOLLIN.rawValue), index: index, add: true)
        }
        while !isStopping {
            turn()
            if drainDeadline != nil { drainStep() }
        }
        stopDaemons()
    }

    private func turn() {
        let count = Int(epoll_wait(epoll, events.baseAddress!, Int32(events.count), waitMilliseconds()))
        now = Self.clock()
        date.set(time(nil))
        beat.store(now, ordering: .relaxed)
        if hasLetters { readLetters() }
        if count > 0 {
            for i in 0..<count { dispatch(events[i]) }
        }
        for index in 0..<2 where dirty[index] { runDaemon(index) }
        if now >= nextScan { scanDeadlines() }
    }

    /// At most a second, so that the watchdog sees us alive.
    private func waitMilliseconds() -> Int32 {
        if dirty[0] || dirty[1] || hasLetters { return 0 }
        let until = min(nextScan, drainDeadline == nil ? .max : now + 20_000_000)
        guard until > now else { return 0 }
        return Int32(min(1_000, (until - now + 999_999) / 1_000_000))
    }

    private func dispatch(_ event: epoll_event) {
        let tag = EventTag<HTTPEventKind>(event.data.u64)
        switch tag.kind {
        case .daemon: dirty[tag.index] = true
        case .wake: readMailbox()
        case .listener: acceptConnections(tag.index)
        case .connection:
            guard let connection = slots[tag.index], connection.pointee.serial == tag.serial else { return }
            if connection.pointee.phase == .accepted { firstBytes(connection) } else { hungUp(connection) }
        }
    }

    func runDaemon(_ index: Int) {
        let daemon = daemons[index]
        // A resumed request is answered in one run, written in the next, and read again in a third.
        var rounds = 4
        var wait: UInt64 = 0
        repeat {
            MHD_run(daemon)
            if !falling.isEmpty { suspendFalling() }
            rounds -= 1
            dirty[index] = MHD_get_timeout(daemon, &wait) == .YES && wait == 0
        } while dirty[index] && rounds > 0
    }

    func watch(_ descriptor: Int32, _ kind: HTTPEventKind, _ mask: UInt32, index: Int = 0, serial: UInt32 = 0, add: Bool) {
        var event = epoll_event(
            events: mask, data: epoll_data_t(u64: EventTag<HTTPEventKind>(kind: kind, index: index, serial: serial).word))
        if epoll_ctl(epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0 {
            configuration.log("epoll_ctl on descriptor \(descriptor): errno \(errno)")
        }
    }
}

/// What the HTTP thread waits for.
enum HTTPEventKind: UInt64 { case daemon, wake, listener, connection }

/// What an event of an epoll set belongs to: kind in the top byte, serial of the connection, slot or index in the low 24 bits.
struct EventTag<Kind: RawRepresentable<UInt64>> {
    let word: UInt64

    init(_ word: UInt64) { self.word = word }

    init(kind: Kind, index: Int, serial: UInt32) {
        word = kind.rawValue << 56 | UInt64(serial) << 24 | UInt64(index)
    }

    var kind: Kind { Kind(rawValue: word >> 56)! }
    var index: Int { Int(word & 0xff_ffff) }
    var serial: UInt32 { UInt32(truncatingIfNeeded: word >> 24) }
}

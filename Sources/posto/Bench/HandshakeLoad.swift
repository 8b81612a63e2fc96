import CPlatform
import Glibc
import Synchronization
import TLS

/// Connections that are made only for their handshake, so many at once: each is replaced as soon as its handshake is done.
enum HandshakeLoad {
    private static let atOnce = 16

    static func run(
        _ setting: BenchSetting, port: UInt16, _ client: TLSClient, against process: Int32
    ) throws(BenchFailure) -> LoadResult {
        let before = ProcFigures.cpuNanoseconds(process)
        var result = LoadResult()
        let began = LoadClock.now()
        try make(port, client, &result) { LoadClock.now() - began < setting.nanoseconds }
        result.nanoseconds = LoadClock.now() - began
        result.serverNanoseconds = ProcFigures.cpuNanoseconds(process) - before
        return result
    }

    static func make(_ port: UInt16, _ client: TLSClient, _ result: inout LoadResult, goesOn: () -> Bool) throws(BenchFailure) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        defer { close(epoll) }
        var events = [epoll_event](repeating: epoll_event(), count: atOnce)
        let shaking = UnsafeMutablePointer<Shaking>.allocate(capacity: atOnce)
        defer { shaking.deallocate() }
        for index in 0..<atOnce { (shaking + index).initialize(to: try Shaking(port, client, epoll, index)) }
        defer { shaking.deinitialize(count: atOnce) }
        while goesOn() {
            let ready = Int(epoll_wait(epoll, &events, Int32(atOnce), 5_000))
            guard ready > 0 else { throw BenchFailure("no handshake went on for 5 s") }
            for i in 0..<ready {
                let index = Int(events[i].data.u64)
                switch shaking[index].session.handshake() {
                case .wantsRead, .wantsWrite: continue
                case .failed(let reason): throw BenchFailure("a handshake failed: \(reason)")
                case .done:
                    result.latencies.append(UInt32(clamping: LoadClock.now() - shaking[index].since))
                    (shaking + index).deinitialize(count: 1)
                    (shaking + index).initialize(to: try Shaking(port, client, epoll, index))
                }
            }
        }
    }
}

/// One connection in its handshake.
private struct Shaking: ~Copyable {
    let descriptor: Int32
    let since = LoadClock.now()
    var session: TLSSession

    init(_ port: UInt16, _ client: TLSClient, _ epoll: Int32, _ index: Int) throws(BenchFailure) {
        descriptor = try LoadConnection.connect(port)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        // Ended by a reset: a hundred thousand connections would be waited for otherwise, until no port is left.
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        session = client.session(to: "localhost", descriptor: descriptor)
        _ = session.handshake()
        var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data_t(u64: UInt64(index)))
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    deinit { close(descriptor) }
}

/// Handshakes without end, on a thread of their own.
final class HandshakeStorm: Sendable {
    private let port: UInt16
    private let client: TLSClient
    private let isOver = Atomic(false)
    private let thread = Mutex<UInt>(0)

    init(port: UInt16, _ client: TLSClient) {
        self.port = port
        self.client = client
    }

    func start() {
        var made = pthread_t()
        // SAFETY: the thread takes over the reference that is retained here.
        let code = pthread_create(
            &made, nil,
            { context in
                let storm = Unmanaged<HandshakeStorm>.fromOpaque(context!).takeRetainedValue()
                var result = LoadResult()
                try? HandshakeLoad.make(storm.port, storm.client, &result) { !storm.isOver.load(ordering: .relaxed) }
                return nil
            },
            // SAFETY: as above.
            Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "pthread_create: \(code)")
        thread.withLock { $0 = made }
    }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        pthread_join(thread.withLock { $0 }, nil)
    }
}

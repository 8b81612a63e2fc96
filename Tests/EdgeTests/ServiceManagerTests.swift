import CPlatform
import Domain
import Glibc
import ServiceManager
import Testing

/// The datagrams of `NOTIFY_SOCKET` while `body` runs. In a process of its own: the environment belongs to all threads.
private func notifications(_ body: (ServiceNotifier) -> Void) -> [String] {
    let path = temporaryPath("notify.sock")
    let socket = TestServer.unixSocket(at: path, type: Int32(SOCK_DGRAM.rawValue))
    defer {
        close(socket)
        unlink(path)
    }
    setenv("NOTIFY_SOCKET", path, 1)
    body(ServiceNotifier())
    var result: [String] = []
    while true {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count <= 0 { return result }
        result.append(String(decoding: bytes[..<count], as: UTF8.self))
    }
}

@Suite("systemd")
struct ServiceManagerTests {
    @Test("systemd is told of readiness, status, reload, stop and life")
    func notify() async {
        await #expect(processExitsWith: .success) {
            let told = notifications { notifier in
                notifier.ready(status: "107 services")
                notifier.status("two\nlines")
                notifier.reloading()
                notifier.extendTimeout(.milliseconds(1_500))
                notifier.stopping(status: "draining")
                notifier.feedWatchdog()
            }
            precondition(told.count == 6)
            precondition(told[0] == "READY=1\nSTATUS=107 services\nMAINPID=\(getpid())")
            precondition(told[1] == "STATUS=two lines")
            precondition(told[2].hasPrefix("RELOADING=1\nMONOTONIC_USEC=") && UInt64(told[2].dropFirst(27)) ?? 0 > 0)
            precondition(told[3] == "EXTEND_TIMEOUT_USEC=1500000")
            precondition(told[4] == "STOPPING=1\nSTATUS=draining")
            precondition(told[5] == "WATCHDOG=1")
        }
    }

    @Test("the watchdog's interval is read when it is meant for this process")
    func watchdog() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            precondition(ServiceNotifier.watchdogInterval() == nil)
            setenv("WATCHDOG_USEC", "2000000", 1)
            setenv("WATCHDOG_PID", "1", 1)
            precondition(ServiceNotifier.watchdogInterval() == nil)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            precondition(ServiceNotifier.watchdogInterval() == .seconds(2))
        }
    }

    @Test("sockets of systemd are taken over by name, once, and what does not listen is left out")
    func activation() async {
        await #expect(processExitsWith: .success) {
            let path = temporaryPath("activated.sock")
            let unix = TestServer.unixSocket(at: path, type: Int32(SOCK_STREAM.rawValue))
            precondition(listen(unix, 8) == 0)
            let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            precondition(listen(tcp, 8) == 0)
            let plain = open("/dev/null", O_RDONLY)
            // First out of the way, then in place: the new numbers may be the old ones.
            let moved = [unix, tcp, plain].map { fcntl($0, F_DUPFD, 100) }
            for (i, fd) in moved.enumerated() { precondition(dup2(fd, 3 + Int32(i)) >= 0) }
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", "3", 1)
            setenv("LISTEN_FDNAMES", "api:lan:odd", 1)
            let taken = ActivatedSocket.takeAll()
            unlink(path)
            precondition(taken.map(\.descriptor) == [3, 4])
            precondition(taken.map(\.name) == ["api", "lan"])
            precondition(taken.map(\.family) == [.unix, .tcp])
            precondition(ActivatedSocket.takeAll().isEmpty)
            precondition(getenv("LISTEN_FDS") == nil)
        }
    }

    @Test("signals wait until they are asked for")
    func signals() async {
        await #expect(processExitsWith: .success) {
            let waiter = SignalWaiter()
            precondition(waiter.wait(timeoutMilliseconds: 0) == nil)
            // To this thread: the others of a test process do not block them.
            pthread_kill(pthread_self(), SIGHUP)
            precondition(waiter.wait(timeoutMilliseconds: 5_000) == .reload)
            pthread_kill(pthread_self(), SIGTERM)
            precondition(waiter.wait() == .terminate)
            pthread_kill(pthread_self(), SIGINT)
            precondition(waiter.wait() == .terminate)
            precondition(waiter.wait(timeoutMilliseconds: 1) == nil)
        }
    }

    @Test("a sample of the system is plausible, and work shows in it")
    func sampler() {
        var sampler = SystemSampler(now: Uptime(milliseconds: 0))
        var sum: UInt64 = 1
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .milliseconds(100) { for i in 0..<1_000 as Range<UInt64> { sum = sum &* 31 &+ i } }
        #expect(sum != 0)
        let busy = sampler.sample(now: Uptime(milliseconds: (ContinuousClock.now - start).wholeMilliseconds))
        #expect(busy.cpuPercent > 5)
        #expect(busy.cpuPercent <= 100)
        #expect(busy.threads >= 1)
        #expect(busy.residentBytes > 1 << 20)
        #expect(busy.anonymousBytes > 0)
        #expect(busy.anonymousBytes <= busy.residentBytes)
        #expect(busy.memoryPercent.map { $0 > 0 && $0 <= 100 } ?? true)
        // No time has passed, or the clock stepped back: no division by nothing.
        #expect(sampler.sample(now: Uptime(milliseconds: 0)).cpuPercent == 0)
    }
}

import CPlatform
import Domain
import Glibc

/// Long polls that wait for one change: how long until the last of them has its answer.
enum WatchBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("watch")
        let daemon = try BenchChild.daemon(folder)
        var number = 0
        for count in [1_000, 5_000] {
            let watchers = try Watchers(port: daemon.port, count: count)
            var runs: [Wake] = []
            for _ in 0..<setting.rounds {
                number += 1
                runs.append(try watchers.wake(by: BenchService(number)))
            }
            let threads = ProcFigures.threads(daemon.process)
            report.add(
                BenchFigure(
                    name: "watch: \(count) long polls, the \(count == 1_000 ? "last" : "1,000th") answered after the change",
                    value: runs.map { $0.milliseconds(1_000) }.median, unit: "ms", goal: count == 1_000 ? .atMost(12) : nil,
                    p50: runs.map { $0.milliseconds(500) }.median, p99: runs.map { $0.milliseconds(990) }.median,
                    note:
                        "the change is durable \(BenchReport.number(runs.map(\.changed).median)) ms after it was sent; times count from there;"
                        + " worst of \(runs.count) runs \(BenchReport.number(runs.map { $0.milliseconds(1_000) }.max()!)) ms; the daemon has"
                        + " \(threads) threads, one of them for HTTP"))
            if count > 1_000 {
                report.add(
                    BenchFigure(
                        name: "watch: \(count) long polls, all answered", value: runs.map { $0.milliseconds(count) }.median, unit: "ms"))
            }
        }
        daemon.stop()
        try setting.remove(folder)
    }

    struct Wake {
        /// From sending the change to its answer, in milliseconds.
        var changed: Double
        /// When each answer was there, from sending the change, in nanoseconds, sorted.
        var answers: [UInt64]

        func milliseconds(_ count: Int) -> Double { max(0, Double(answers[count - 1]) / 1e6 - changed) }
    }
}

/// So many long polls of one daemon.
private final class Watchers {
    private let port: UInt16
    private let count: Int
    private let connections: UnsafeMutablePointer<LoadConnection>
    private let epoll: Int32

    init(port: UInt16, count: Int) throws(BenchFailure) {
        self.port = port
        self.count = count
        connections = .allocate(capacity: count)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        // The first bytes of a connection say that it will wait, so the request goes out as soon as it is open.
        let revision = try Self.revision(port)
        for index in 0..<count {
            (connections + index).initialize(to: try LoadConnection(port: port))
            var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data_t(u64: UInt64(index)))
            epoll_ctl(epoll, EPOLL_CTL_ADD, connections[index].descriptor, &event)
            try ask(index, since: revision)
        }
    }

    deinit {
        connections.deinitialize(count: count)
        connections.deallocate()
        close(epoll)
    }

    private func ask(_ index: Int, since: UInt64) throws(BenchFailure) {
        connections[index].request = LoadRequest.bytes("GET", "/api/v1/changes?since=\(since)&wait=300s")
        try connections[index].send(at: LoadClock.now())
    }

    /// Registers a service when all wait, collects the answers, and asks again.
    func wake(by service: BenchService) throws(BenchFailure) -> WatchBench.Wake {
        try waitUntilAllWait()
        var change = try LoadConnection(port: port)
        change.request = LoadRequest.bytes("POST", "/api/v1/register", body: service.registration)
        var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data_t(u64: .max))
        epoll_ctl(epoll, EPOLL_CTL_ADD, change.descriptor, &event)
        var wake = WatchBench.Wake(changed: 0, answers: [])
        let began = LoadClock.now()
        try change.send(at: began)
        var isChanged = false
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while wake.answers.count < count || !isChanged {
            let ready = Int(epoll_wait(epoll, &events, Int32(events.count), 5_000))
            guard ready > 0 else { throw BenchFailure("\(count - wake.answers.count) long polls were not answered within 5 s") }
            for i in 0..<ready {
                if events[i].data.u64 == .max {
                    if change.receive() == .whole {
                        isChanged = true
                        wake.changed = Double(LoadClock.now() - began) / 1e6
                    }
                } else {
                    let index = Int(events[i].data.u64)
                    switch connections[index].receive() {
                    case .partial: continue
                    case .broken: throw BenchFailure("a long poll's connection was closed")
                    case .whole: wake.answers.append(LoadClock.now() - began)
                    }
                }
            }
        }
        let revision = try Self.revision(port)
        for index in 0..<count { try ask(index, since: revision) }
        return wake
    }

    /// The daemon says how many wait.
    private func waitUntilAllWait() throws(BenchFailure) {
        for _ in 0..<500 {
            let (_, body) = try LoadRequest.answer(port: port, LoadRequest.bytes("GET", "/metrics"))
            let text = String(decoding: body, as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix(Self.gauge) }
            if let value = line?.split(separator: " ").last.flatMap({ Double($0) }), Int(value) >= count { return }
            usleep(10_000)
        }
        throw BenchFailure("the daemon does not hold \(count) long polls")
    }

    private static let gauge = "posto_watchers "

    private static func revision(_ port: UInt16) throws(BenchFailure) -> UInt64 {
        let (_, body) = try LoadRequest.answer(port: port, LoadRequest.bytes("GET", "/api/v1/services?limit=1"))
        guard let document = try? JSONDocument.parse(body), let revision = document.root["revision"]?.int64 else {
            throw BenchFailure("the list has no revision")
        }
        return UInt64(revision)
    }
}

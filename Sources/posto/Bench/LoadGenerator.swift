import CPlatform
import Glibc
import TLS

/// Clients on one thread: each connection sends its next request when the answer to the last one is whole (a closed loop), or requests leave
/// at a given rate (paced), and are timed from when they were due, so that a server that stalls cannot hide it.
final class LoadGenerator {
    private let port: UInt16
    private let count: Int
    private let connections: UnsafeMutablePointer<LoadConnection>
    private let epoll: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init(port: UInt16, connections count: Int, tls: TLSClient? = nil) throws(BenchFailure) {
        self.port = port
        self.count = count
        connections = .allocate(capacity: count)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        events = .allocate(capacity: 256)
        for index in 0..<count {
            (connections + index).initialize(to: try LoadConnection(port: port))
            if let tls { try connections[index].begin(tls) }
            var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data_t(u64: UInt64(index)))
            epoll_ctl(epoll, EPOLL_CTL_ADD, connections[index].descriptor, &event)
        }
    }

    deinit {
        connections.deinitialize(count: count)
        connections.deallocate()
        events.deallocate()
        close(epoll)
    }

    /// Closed loop for so long, or until `render` says that there is no more to send.
    ///
    /// - Parameter render: writes the next request of a connection into its array, which holds the last one; false ends that connection's work.
    func run(nanoseconds: UInt64 = .max, render: (inout [UInt8]) -> Bool) throws(BenchFailure) -> LoadResult {
        var result = LoadResult()
        result.latencies.reserveCapacity(1 << 18)
        let began = LoadClock.now()
        let (until, _) = began.addingReportingOverflow(nanoseconds)
        let end = until < began ? .max : until
        var out = 0
        for index in 0..<count where render(&connections[index].request) {
            try connections[index].send(at: LoadClock.now())
            out += 1
        }
        var last = began
        while out > 0 {
            let ready = Int(epoll_wait(epoll, events.baseAddress!, Int32(events.count), 5_000))
            guard ready > 0 else { throw BenchFailure("the server did not answer for 5 s") }
            for i in 0..<ready {
                let index = Int(events[i].data.u64)
                switch connections[index].receive() {
                case .partial: continue
                case .broken: throw BenchFailure("the server closed a connection")
                case .whole: break
                }
                last = LoadClock.now()
                note(index, at: last, &result)
                if last < end, render(&connections[index].request) {
                    try connections[index].send(at: last)
                } else {
                    out -= 1
                }
            }
        }
        result.nanoseconds = last - began
        return result
    }

    /// So many requests a second for so long, spread over the connections that are free.
    func runPaced(perSecond: Int, nanoseconds: UInt64, request: [UInt8]) throws(BenchFailure) -> LoadResult {
        var result = LoadResult()
        var free = Array(0..<count)
        for index in free { connections[index].request = request }
        let began = LoadClock.now()
        let total = Int(nanoseconds / 1_000) * perSecond / 1_000_000
        var sent = 0
        while result.latencies.count + result.errors < total {
            let now = LoadClock.now()
            // The one that rested longest, so that none rests until the server ends it.
            while sent < total, let index = free.first {
                let due = began + UInt64(sent) * 1_000_000_000 / UInt64(perSecond)
                guard due <= now else { break }
                free.removeFirst()
                try connections[index].send(at: due)
                sent += 1
            }
            // Without waiting: a sleeping client would be late, and the answer's time would be the kernel's timer.
            let ready = Int(epoll_wait(epoll, events.baseAddress!, Int32(events.count), 0))
            for i in 0..<max(0, ready) {
                let index = Int(events[i].data.u64)
                switch connections[index].receive() {
                case .partial: continue
                case .broken: throw BenchFailure("the server closed a connection")
                case .whole: break
                }
                note(index, at: LoadClock.now(), &result)
                free.append(index)
            }
        }
        result.nanoseconds = LoadClock.now() - began
        return result
    }

    private func note(_ index: Int, at now: UInt64, _ result: inout LoadResult) {
        if connections[index].status < 400 {
            result.latencies.append(UInt32(clamping: now - connections[index].since))
        } else {
            result.errors += 1
        }
    }
}

/// Single requests, for what is not timed.
enum LoadRequest {
    static func bytes(_ method: String, _ path: String, body: [UInt8] = []) -> [UInt8] {
        var request = Array("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n".utf8)
        if !body.isEmpty { request += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n".utf8 }
        request += "\r\n".utf8
        return request + body
    }

    /// Sends one request on a connection of its own and waits for the answer.
    @discardableResult
    static func answer(port: UInt16, _ request: [UInt8]) throws(BenchFailure) -> (status: Int, body: [UInt8]) {
        var connection = try LoadConnection(port: port)
        connection.request = request
        try connection.send(at: LoadClock.now())
        while true {
            switch connection.receive(wait: true) {
            case .partial: continue
            case .broken: throw BenchFailure("the server closed a connection")
            case .whole: return (connection.status, Array(connection.body))
            }
        }
    }
}

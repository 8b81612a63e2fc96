import Domain
import Glibc
import HTTPServer
import Registry
import ServiceManager
import Store
import Synchronization
import TestSupport

@testable import API

/// A node without its housekeeping: store, registry and interface behind a real socket; time stands still until the test moves it.
final class TestNode {
    let folder = TemporaryFolder()
    let journal: Journal
    let writer: StoreWriter
    let registry: ServiceRegistry
    let api: APIServer
    private let server: HTTPDoor
    private let port: UInt16

    init(statics: [StaticInstance] = [], access: AccessPolicy? = nil) throws {
        let clock = Clock()
        self.clock = clock
        let time = TimeSource(uptime: { clock.uptime }, timestamp: { clock.wall })
        let environment = try StoreEnvironment.open(
            StoreEnvironment.Options(path: folder.file("state.mdb"), budgetBytes: 64 << 20, diskFreeBytesMin: 1 << 20))
        let identity = try StoreIdentity.loadOrCreate(
            in: environment, nodeID: "n1", proposedNodeID: "n1", now: clock.wall, randomBytes: { [UInt8](repeating: 7, count: $0) })
        journal = try Journal.open(
            environment, nodeID: "n1", epoch: identity.epoch,
            policies: [StreamPolicy(name: "state", priority: .state), StreamPolicy(name: "audit", priority: .audit, isChained: true)])
        let boardIdentity = BoardIdentity(boot: Identifier16(high: 1, low: 1), store: Identifier16(identity.storeID)!)
        let (board, _) = try LeaseBoard.open(path: folder.file("board"), identity: boardIdentity, capacity: 4_096, now: clock.uptime)
        let leases = LeaseKeeper(board: board, grace: .seconds(15), now: clock.uptime, generation: 1)
        let registry = ServiceRegistry(
            environment: environment, leases: leases, time: time, statics: StaticServices(StaticServiceSet(statics)),
            defaultTenant: "default")
        self.registry = registry
        let facts = NodeFacts(
            id: "n1", site: "lisbon", tenant: "default", labels: [("rack", "7")], version: "0.0.0", epoch: identity.epoch,
            startedAt: clock.wall, started: clock.uptime, heartbeatSeconds: 30, graceSeconds: 15, ttlSeconds: 60)
        let api = APIServer(
            registry: registry, time: time, facts: facts,
            access: access ?? AccessPolicy(loopback: .service, isDevelopment: true, ownUserID: 1, administratorGroupID: nil),
            streams: StreamReader(journals: [journal]), log: Log(level: .error, sink: .json(STDERR_FILENO), time: time),
            readings: { NodeReadings() }, makeBackup: { $0(.failure(StoreError(.busy, "no backups here"))) })
        self.api = api
        writer = StoreWriter(
            environment: environment, journal: journal, time: time, onBatchCommitted: { _ in api.batchCommitted() }, onFatal: { _ in })
        registry.attach(writer: writer, checks: nil)
        _ = try registry.load(ready: clock.uptime) { _, _, _ in nil }
        server = try HTTPDoor(configuration: HTTPServerConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)]), handler: api)
        guard case .tcp(_, let port) = server.bound[0] else { preconditionFailure("not a TCP socket") }
        self.port = port
        api.attach(server)
        writer.start()
        server.start()
    }

    final class Clock: Sendable {
        private let moved = Atomic<Int64>(0)
        var uptime: Uptime { Uptime(milliseconds: 10_000 + moved.load(ordering: .relaxed)) }
        var wall: Timestamp { Timestamp(milliseconds: 1_795_000_000_000 + moved.load(ordering: .relaxed)) }
        func advance(_ duration: Duration) { moved.add(duration.wholeMilliseconds, ordering: .relaxed) }
    }
    let clock: Clock

    deinit {
        server.stop()
        writer.stop()
    }

    struct Reply {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
        subscript(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
        func json() throws -> JSONValue { try JSONDocument.parse(body).root }
    }

    /// A connection whose answers are read with a deadline.
    final class Connection {
        private let descriptor: Int32
        private var buffer: [UInt8] = []

        init(port: UInt16) {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var to = sockaddr_in()
            to.sin_family = sa_family_t(AF_INET)
            to.sin_port = port.bigEndian
            to.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let result = withUnsafePointer(to: &to) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            precondition(result == 0, "connect: \(errno)")
        }

        deinit { close(descriptor) }

        func send(_ text: String) {
            let bytes = Array(text.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if count <= 0 { return }
                sent += count
            }
        }

        /// More bytes into the buffer; false when none come within ten seconds or the peer has closed.
        private func fill() -> Bool {
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&poller, 1, 10_000) > 0 else { return false }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { buffer += chunk[..<count] }
            return count > 0
        }

        private func line() -> String? {
            while true {
                if let end = buffer.firstIndex(of: 10) {
                    let line = String(decoding: buffer[..<end].filter { $0 != 13 }, as: UTF8.self)
                    buffer.removeFirst(end + 1)
                    return line
                }
                guard fill() else { return nil }
            }
        }

        private func take(_ count: Int) -> [UInt8]? {
            while buffer.count < count { guard fill() else { return nil } }
            defer { buffer.removeFirst(count) }
            return Array(buffer[..<count])
        }

        func head() -> Reply? {
            guard let first = line() else { return nil }
            var reply = Reply()
            reply.status = first.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            while let line = line(), !line.isEmpty {
                guard let colon = line.firstIndex(of: ":") else { return nil }
                reply.headers.append((String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " })))
            }
            return reply
        }

        func reply(hasBody: Bool = true) -> Reply? {
            guard var reply = head() else { return nil }
            guard hasBody, reply.status != 204, let length = reply["Content-Length"].flatMap({ Int($0) }) else { return reply }
            guard let body = take(length) else { return nil }
            reply.body = body
            return reply
        }

        /// The next chunk of a chunked body.
        func chunk() -> String? {
            guard let line = line(), let size = Int(line, radix: 16), let data = take(size + 2) else { return nil }
            return String(decoding: data.dropLast(2), as: UTF8.self)
        }
    }

    func connect() -> Connection { Connection(port: port) }

    func send(_ method: String, _ target: String, _ body: String = "", headers: [String] = [], over connection: Connection? = nil)
        -> Connection
    {
        let connection = connection ?? connect()
        var text = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        for header in headers { text += header + "\r\n" }
        if !body.isEmpty || method == "POST" { text += "Content-Length: \(body.utf8.count)\r\n" }
        connection.send(text + "\r\n" + body)
        return connection
    }

    func ask(_ method: String, _ target: String, _ body: String = "", headers: [String] = []) -> Reply {
        send(method, target, body, headers: headers).reply(hasBody: method != "HEAD") ?? Reply()
    }

    static func registration(_ service: String, port: Int = 9_000, more: String = "") -> String {
        #"{"service_name":"\#(service)","host":"127.0.0.1","port":\#(port),"health_endpoint":"/health"\#(more)}"#
    }

    @discardableResult
    func register(_ service: String, port: Int = 9_000, more: String = "") -> Reply {
        ask("POST", "/api/v1/register", Self.registration(service, port: port, more: more))
    }
}

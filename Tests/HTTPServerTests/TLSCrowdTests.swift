import CPlatform
import Glibc
import HTTPServer
import TLS
import TestSupport
import Testing

/// Those who begin a handshake and do not end it. None of them may make the TLS thread work on its own, or keep others waiting.
@Suite("TLS crowds", .serialized) struct TLSCrowdTests {
    /// A ClientHello of TLS 1.3 as openssl sends it, to be sent in parts.
    private static let hello: [UInt8] = {
        // The session writes it to one end of a pair, and the other end reads it.
        var ends: (Int32, Int32) = (-1, -1)
        precondition(posto_socket_pair(&ends.0, &ends.1) == 0)
        var session = RawClient.authority.session(to: "localhost", descriptor: ends.0)
        _ = session.handshake()
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(ends.1, &bytes, bytes.count, 0)
        close(ends.0)
        close(ends.1)
        return Array(bytes.prefix(count))
    }()

    /// A plain socket to a port that expects TLS.
    private func stranger(_ server: TestServer) -> RawClient {
        guard case .tls(let host, let port) = server.server.bound[0] else { preconditionFailure("not TLS") }
        return RawClient(.tcp(host: host, port: port))
    }

    private func cpuNanoseconds(_ server: TestServer) -> UInt64 {
        var used = timespec()
        guard clock_gettime(server.server.tlsGauges!.cpuClock, &used) == 0 else { return 0 }
        return UInt64(used.tv_sec) * 1_000_000_000 + UInt64(used.tv_nsec)
    }

    enum Stranger: String, CaseIterable {
        case silent, half, whole, garbage, garbageRecords, bytewise
    }

    @Test(
        "whoever stops in the middle of a handshake costs no time of the processor, and is gone at the deadline",
        arguments: Stranger.allCases)
    func stopped(_ kind: Stranger) throws {
        let server = try TestServer(listeners: [.tcp(host: "127.0.0.1", port: 0)], wire: .tls) { $0.handshakeTimeout = .seconds(3) }
        #expect(server.client().request(get)?.status == 200)
        let hello = Self.hello
        let clients = (0..<20).map { _ in stranger(server) }
        #expect(eventually { server.server.tlsGauges!.handshaking == 20 || kind == .garbage })
        for client in clients {
            switch kind {
            case .silent: break
            case .half: client.send(Array(hello.prefix(hello.count / 2)))
            case .whole: client.send(hello)
            case .garbage: client.send([0xff, 0xfe, 0, 1, 2, 3])
            case .garbageRecords: client.send([22, 3, 1, 0x40, 0] + [UInt8](repeating: 0x5a, count: 9_000))
            case .bytewise: for byte in hello.dropLast() { client.send([byte]) }
            }
        }
        let before = (cpu: cpuNanoseconds(server), wall: HTTPDoor.uptimeNanoseconds())
        for client in clients { #expect(client.waitForEnd(seconds: 60).ended) }
        let cpu = cpuNanoseconds(server) - before.cpu
        let wall = HTTPDoor.uptimeNanoseconds() - before.wall
        // A spin would use all the time that the thread gets. Twenty answers to a ClientHello take some 10 ms in all.
        if kind != .garbage, kind != .garbageRecords { #expect(Double(cpu) / Double(wall) < 0.2, "\(cpu / 1_000) of \(wall / 1_000) µs") }
        print("20 strangers, \(kind): \(cpu / 1_000) of \(wall / 1_000) µs")
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
        #expect(server.handler.snapshot.handled.count == 1)
        #expect(server.client().request(get)?.status == 200)
    }

    @Test("a client that asks for new keys again and again is served")
    func newKeys() throws {
        let server = try TestServer(wire: .tls)
        let client = server.client()
        for _ in 0..<50 {
            #expect(client.rekey(get))
            #expect(client.reply()?.status == 200)
        }
    }

    @Test("a client that asks for new keys and reads nothing costs no time of the processor, and is cut")
    func newKeysUnread() throws {
        let server = try TestServer(wire: .tls) { $0.writeTimeout = .seconds(4) }
        let client = server.client()
        // More than the kernel's buffers take; then every answer to a request for keys finds no room.
        for _ in 0..<60 { client.send(get("/file")) }
        #expect(eventually { server.handler.snapshot.handled.count >= 3 })
        for _ in 0..<2_000 where !client.rekey("GET ") { break }
        let before = (cpu: cpuNanoseconds(server), wall: HTTPDoor.uptimeNanoseconds())
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
        let cpu = cpuNanoseconds(server) - before.cpu
        let wall = HTTPDoor.uptimeNanoseconds() - before.wall
        print("new keys, unread: \(cpu / 1_000) of \(wall / 1_000) µs")
        #expect(Double(cpu) / Double(wall) < 0.3)
    }

    @Test("a crowd of 500 that stopped in the middle keeps neither TLS nor plain callers from being served")
    func halfOpen() throws {
        let server = try TestServer(
            listeners: [.tls(.tcp(host: "127.0.0.1", port: 0)), .tcp(host: "127.0.0.1", port: 0)], wire: .tlsBesidePlain
        ) { $0.handshakeTimeout = .seconds(600) }
        let crowd = (0..<500).map { number in
            let client = stranger(server)
            client.send(Array(Self.hello.prefix(number % 3 == 0 ? 0 : number % 3 == 1 ? 100 : Self.hello.count)))
            return client
        }
        #expect(eventually { server.server.tlsGauges!.handshaking == 500 })
        let plain = RawClient(server.server.bound[1])
        let secure = RawClient(server.server.bound[0])
        let before = (cpu: cpuNanoseconds(server), wall: HTTPDoor.uptimeNanoseconds())
        for _ in 0..<200 {
            #expect(plain.request(get)?.status == 200)
            #expect(secure.request(get)?.status == 200)
        }
        let share = Double(cpuNanoseconds(server) - before.cpu) / Double(HTTPDoor.uptimeNanoseconds() - before.wall)
        #expect(share < 0.9, "the TLS thread sleeps between requests")
        #expect(RawClient(server.server.bound[0]).request(get)?.status == 200)
        withExtendedLifetime(crowd) {}
    }

    @Test("200 handshakes at once all succeed")
    func together() throws {
        let server = try TestServer(wire: .tls)
        let clients = (0..<200).map { _ in stranger(server) }
        for client in clients { client.beginTLS() }
        for client in clients { #expect(client.finishTLS()) }
        for client in clients { client.send(get) }
        for client in clients { #expect(client.reply()?.status == 200) }
        #expect(server.server.tlsGauges?.completed.tls13 == 200)
    }

    @Test("unfinished handshakes of one address have a limit, and another address is served")
    func perAddress() throws {
        let server = try TestServer(wire: .tls) { $0.countsLoopback = true }
        guard case .tls(let host, let port) = server.server.bound[0] else { return }
        let greedy = (0..<70).map { _ in RawClient(.tcp(host: host, port: port), from: "127.0.0.2") }
        #expect(eventually { server.server.tlsGauges!.failed.first { $0.failure == .crowded }!.count == 6 })
        #expect(server.server.tlsGauges!.handshaking == 64)
        #expect(server.client(from: "127.0.0.3").request(get)?.status == 200)
        withExtendedLifetime(greedy) {}
    }

    @Test("a drain sends what is said last, and waits for nobody's handshake")
    func drain() throws {
        let server = try TestServer(wire: .tls)
        let half = stranger(server)
        half.send(Array(Self.hello.prefix(100)))
        let poll = server.client()
        poll.send(get("/poll"))
        #expect(eventually { server.server.gauges.suspended == 1 })
        let late = (0..<20).map { _ in server.client() }
        for client in late { client.send(get("/large?n=300000")) }
        server.server.drain(deadline: HTTPDoor.uptimeNanoseconds() + 60_000_000_000)
        #expect(poll.reply()?.text == "nothing new")
        for client in late { #expect(client.reply()?.body.count == 300_000) }
        #expect(half.waitForEnd().ended)
        #expect(server.server.tlsGauges?.connections == 0)
    }
}

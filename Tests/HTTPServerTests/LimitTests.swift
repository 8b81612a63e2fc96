import CPlatform
import Glibc
import HTTPServer
import Testing

/// Limits, deadlines, compression, listeners, and the end.
@Suite("HTTP limits", .serialized) struct LimitTests {
    private func refused(_ server: TestServer, _ code: String) -> UInt64 {
        server.server.gauges.refused.first { "\($0.code)" == code }!.count
    }

    @Test("over the limit of connections a client is told at once, and served when there is room again", arguments: [Wire.plain, .tls])
    func connections(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) { $0.connectionsMax = 3 }
        var clients = (0..<3).map { _ in server.client() }
        for client in clients { #expect(client.request(get)?.status == 200) }
        let fourth = server.client()
        let refusal = fourth.request(get)
        #expect(refusal?.status == 503)
        #expect(refusal?["X-Request-Id"]?.count == 32)
        #expect(refusal?["Connection"] == "close")
        #expect(refusal?["Content-Type"] == "application/problem+json")
        #expect(fourth.waitForEnd() == (true, 0))
        clients.removeLast()
        #expect(eventually { server.server.gauges.connections == 2 })
        #expect(server.client().request(get)?.status == 200)
        #expect(refused(server, "too_many_connections") == 1)
    }

    @Test("loopback is exempt from the limit per address")
    func perAddress() throws {
        let server = try TestServer { $0.connectionsPerAddressMax = 1 }
        let clients = (0..<3).map { _ in server.client() }
        for client in clients { #expect(client.request(get)?.status == 200) }
    }

    @Test(
        "an address with all its connections is told 429 while others are served, and comes back when it has closed one",
        arguments: [Wire.plain, .tls])
    func perAddressRefusal(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) {
            $0.connectionsPerAddressMax = 2
            $0.countsLoopback = true
        }
        var greedy = (0..<2).map { _ in server.client(from: "127.0.0.2") }
        for client in greedy { #expect(client.request(get)?.status == 200) }
        for _ in 0..<20 {
            let third = server.client(from: "127.0.0.2")
            let refusal = third.request(get)
            #expect(refusal?.status == 429)
            #expect(refusal?.text == "too_many_connections_from_address")
            #expect(refusal?["X-Request-Id"]?.count == 32)
            #expect(third.waitForEnd() == (true, 0))
        }
        #expect(server.client(from: "127.0.0.3").request(get)?.status == 200)
        for client in greedy { #expect(client.request(get)?.status == 200) }
        #expect(refused(server, "too_many_connections_from_address") == 20)
        greedy.removeLast()
        #expect(eventually { server.server.gauges.connections == 1 })
        #expect(server.client(from: "127.0.0.2").request(get)?.status == 200)
    }

    @Test("two hundred slow clients of seven kinds are gone soon after their deadline, and nobody waits for them", arguments: Wire.allCases)
    func slowloris(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) {
            $0.firstByteTimeout = .milliseconds(1_500)
            $0.headTimeout = .milliseconds(1_500)
            $0.bodyTimeout = .milliseconds(1_500)
            $0.idleTimeout = .milliseconds(1_500)
            $0.writeTimeout = .milliseconds(1_500)
        }
        let kinds: [(name: String, start: String, drip: String)] = [
            ("silent", "", ""), ("half a request line", "GET /he", ""), ("a request line that drips", "GET /", "a"),
            ("headers that drip", "GET / HTTP/1.1\r\nHost: localhost\r\n", "X: y\r\n"),
            ("a body that drips", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n", "a"),
            ("chunks that drip", "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
            ("idle behind an answer", get, ""),
        ]
        let start = HTTPDoor.uptimeNanoseconds()
        let slow = (0..<210).map { number in
            let client = server.client()
            client.send(kinds[number % 7].start)
            return client
        }
        let other = server.client()
        #expect(eventually { server.server.gauges.accepted == 211 })
        let gathered = HTTPDoor.uptimeNanoseconds()
        var slowest: UInt64 = 0
        var nextDrip = start
        while server.server.gauges.connections > 1, HTTPDoor.uptimeNanoseconds() - start < 60_000_000_000 {
            let asked = HTTPDoor.uptimeNanoseconds()
            if asked >= nextDrip {
                nextDrip = asked + 25_000_000
                for (number, client) in slow.enumerated() where !kinds[number % 7].drip.isEmpty { client.send(kinds[number % 7].drip) }
            }
            #expect(other.request(get)?.status == 200)
            slowest = max(slowest, HTTPDoor.uptimeNanoseconds() - asked)
        }
        #expect(server.server.gauges.connections == 1)
        #expect(HTTPDoor.uptimeNanoseconds() - gathered < 5_000_000_000)
        #expect(slowest < 1_000_000_000, "the longest that another client waited")
        #expect(refused(server, "request_timeout") == 90, "who had a head or a body under way is told 408")
        for (number, client) in slow.enumerated() where kinds[number % 7].name == "a body that drips" {
            let reply = client.reply()
            #expect(reply == nil || reply?.status == 408)
        }
    }

    @Test(
        "slow clients of every kind are ended at their deadline while others are served",
        arguments: [
            ("", false), ("GET / HT", false), ("GET / HTTP/1.1\r\nHost: loc", true),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc", true),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true),
        ], Wire.allCases)
    func slow(_ kind: (beginning: String, told: Bool), _ wire: Wire) throws {
        let (beginning, told) = kind
        let server = try TestServer(wire: wire) {
            $0.firstByteTimeout = .milliseconds(100)
            $0.headTimeout = .milliseconds(100)
            $0.bodyTimeout = .milliseconds(100)
        }
        let slow = server.client()
        if !beginning.isEmpty { slow.send(beginning) }
        let other = server.client()
        #expect(other.request(get)?.status == 200)
        if told {
            let reply = slow.reply()
            #expect(reply?.status == 408)
            #expect(reply?["X-Request-Id"]?.count == 32)
            #expect(reply?["Connection"] == "close")
            #expect(reply?.text == "request_timeout")
        }
        #expect(slow.waitForEnd().ended)
    }

    @Test("a client that sends a byte now and then does not live for ever", arguments: Wire.allCases)
    func trickle(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) { $0.headTimeout = .milliseconds(200) }
        let client = server.client()
        let start = HTTPDoor.uptimeNanoseconds()
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        var poller = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
        // The wait for an answer is what spaces the bytes.
        while poll(&poller, 1, 20) == 0, HTTPDoor.uptimeNanoseconds() - start < 5_000_000_000 { client.send("a") }
        #expect(client.reply()?.status == 408)
        #expect(HTTPDoor.uptimeNanoseconds() - start < 2_000_000_000)
    }

    @Test("an idle connection is closed", arguments: Wire.allCases)
    func idle(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) { $0.idleTimeout = .milliseconds(100) }
        let client = server.client()
        _ = client.request(get)
        #expect(client.waitForEnd() == (true, 0))
    }

    @Test("a client that does not read its answer is cut", arguments: Wire.allCases)
    func unread(_ wire: Wire) throws {
        let server = try TestServer(wire: wire) { $0.writeTimeout = .milliseconds(200) }
        let client = server.client()
        // More than the kernel's buffers take.
        for _ in 0..<60 { client.send(get("/file")) }
        #expect(eventually { server.server.gauges.connections == 0 })
        #expect(eventually { (server.server.tlsGauges?.connections ?? 0) == 0 })
    }

    @Test(
        "large text is compressed if the client asks and can take it",
        arguments: [
            ("gzip", true), ("gzip, deflate, br", true), ("deflate;q=1, gzip;q=0.5", true), ("*", true), ("gzip;q=0", false),
            ("gzip;q=0.000, *", false),
            ("identity", false), ("br", false),
        ])
    func compression(_ accepted: String, _ compressed: Bool) throws {
        let server = try TestServer()
        let client = server.client()
        for _ in 0..<2 {
            let reply = try #require(client.request(get("/large", "Accept-Encoding: \(accepted)\r\n")))
            #expect(reply["Vary"] == "Accept-Encoding")
            #expect(reply["Content-Encoding"] == (compressed ? "gzip" : nil))
            if compressed {
                #expect(reply.body.count < 200)
                #expect(reply.body.starts(with: [0x1f, 0x8b]))
            } else {
                #expect(reply.body.count == 4_998)
            }
        }
        #expect(client.request(get("/large?n=1200", "Accept-Encoding: \(accepted)\r\n"))?["Vary"] == nil)
        #expect(client.request(get("/file", "Accept-Encoding: \(accepted)\r\n"))?["Content-Encoding"] == nil)
    }

    private static func path() -> String { "/tmp/posto-http-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock" }

    @Test("a Unix socket tells who connects, needs no Host, and is removed at the end")
    func unix() throws {
        let path = Self.path()
        do {
            let server = try TestServer(listeners: [.unix(path: path), .tcp(host: "127.0.0.1", port: 0)])
            let client = server.client()
            #expect(client.request("GET /peer HTTP/1.1\r\n\r\n")?.text == "local(uid: \(getuid()), gid: \(getgid()), pid: \(getpid()))")
            #expect(client.request("GET /peer HTTP/1.1\r\nHost: anything\r\n\r\n")?.status == 200)
            #expect(client.request("GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n")?.status == 403)
            #expect(server.client(1).request(get("/peer"))?.text.hasPrefix("loopback") == true)
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o666)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test("a stale socket file is replaced, and one in use is not")
    func staleSocket() throws {
        let path = Self.path()
        let first = try TestServer(listeners: [.unix(path: path)])
        #expect(throws: HTTPServerError.self) { _ = try TestServer(listeners: [.unix(path: path)]) }
        #expect(first.client().request(get)?.status == 200)
        // A process that died leaves its file behind.
        let stale = Self.path()
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: stale.utf8) }
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        close(descriptor)
        let second = try TestServer(listeners: [.unix(path: stale)])
        #expect(second.client().request(get)?.status == 200)
    }

    @Test("an address in use is an error that says so")
    func addressInUse() throws {
        let server = try TestServer()
        guard case .tcp(_, let port) = server.server.bound[0] else { return }
        do {
            _ = try TestServer(listeners: [.tcp(host: "127.0.0.1", port: port)])
            Issue.record("bound twice")
        } catch let error as HTTPServerError {
            #expect(error.code == .addressInUse)
        }
    }

    @Test("a socket from activation is used, and left alive for the next process")
    func activation() throws {
        let outer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(outer, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        listen(outer, 16)
        let bound: HTTPAddress
        do {
            let server = try TestServer(listeners: [.descriptor(dup(outer))])
            bound = server.server.bound[0]
            #expect(server.client().request(get)?.status == 200)
            server.server.drain(deadline: HTTPDoor.uptimeNanoseconds() + 1_000_000_000)
        }
        // Waits in the queue until somebody serves it.
        let waiting = RawClient(bound)
        waiting.send(get)
        let next = try TestServer(listeners: [.descriptor(outer)])
        #expect(waiting.reply()?.status == 200)
        #expect(next.client().request(get)?.status == 200)
        #expect(throws: HTTPServerError.self) { _ = try TestServer(listeners: [.descriptor(0)]) }
    }

    @Test(
        "a drain answers all that was received, wakes long polls, closes idle connections, and refuses new ones", arguments: Wire.allCases)
    func drain(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let idle = server.client()
        _ = idle.request(get)
        let poll = server.client()
        poll.send(get("/poll"))
        // One after the other, so that the last ticket is the write's.
        #expect(eventually { server.server.gauges.suspended == 1 })
        let write = server.client()
        write.send(get("/write"))
        #expect(eventually { server.server.gauges.suspended == 2 })
        let late = (0..<50).map { _ in server.client() }
        for client in late { client.send(get) }
        let ticket = server.handler.snapshot.tickets.last!
        // The disk answers while the server drains.
        server.server.perform { ticket.complete(TestHandler.text("durable")) }
        server.server.drain(deadline: HTTPDoor.uptimeNanoseconds() + 60_000_000_000)
        #expect(poll.reply()?.text == "nothing new")
        #expect(write.reply()?.text == "durable")
        for client in late { #expect(client.reply()?.text == "/hello") }
        #expect(idle.waitForEnd() == (true, 0))
        #expect(server.server.gauges.connections == 0)
    }

    @Test("a drain ends at its deadline, whoever is still asleep", arguments: Wire.allCases)
    func drainDeadline(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get("/bare"))
        #expect(eventually { server.server.gauges.suspended == 1 })
        let start = HTTPDoor.uptimeNanoseconds()
        server.server.drain(deadline: start + 200_000_000)
        #expect((200_000_000..<2_000_000_000).contains(HTTPDoor.uptimeNanoseconds() - start))
        #expect(client.reply()?.status == 503)
    }

    @Test("stopping at once does not abort with sleepers and streams", arguments: Wire.allCases)
    func stop(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let clients = (0..<20).map { _ in server.client() }
        for (index, client) in clients.enumerated() { client.send(get(["/poll", "/bare", "/stream", "/file"][index % 4])) }
        #expect(eventually { server.server.gauges.suspended == 10 })
        server.server.stop()
        #expect(server.server.gauges.connections == 0)
    }

    @Test("the loop shows that it is alive each second")
    func beat() throws {
        let server = try TestServer()
        let first = server.server.lastAliveNanoseconds
        #expect(eventually { server.server.lastAliveNanoseconds > first })
        #expect(HTTPDoor.uptimeNanoseconds() - server.server.lastAliveNanoseconds < 2_000_000_000)
    }
}

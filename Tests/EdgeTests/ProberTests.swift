import Domain
import Glibc
import HTTPClient
import Testing

private let loopback = [Network("127.0.0.0/8")!]

/// Polls until all have come; the deadline is only for a broken prober.
private func results(_ prober: Prober) -> [UInt64: ProbeResult.Outcome] {
    let deadline = ContinuousClock.now + .seconds(60)
    var all: [UInt64: ProbeResult.Outcome] = [:]
    while prober.pending > 0 || all.isEmpty, ContinuousClock.now < deadline {
        for result in prober.poll(timeoutMilliseconds: 1_000) { all[result.id] = result.outcome }
    }
    return all
}

private func probe(
    _ kind: ProbeRequest.Kind = .http(path: "/health"), host: String = "127.0.0.1", port: UInt16, timeout: Duration = .seconds(60),
    networks: [Network] = loopback
) -> ProbeResult.Outcome? {
    let prober = Prober(networks: networks)
    #expect(prober.start(ProbeRequest(id: 7, kind: kind, host: host, port: port, timeout: timeout)))
    return results(prober)[7]
}

@Suite("Probes")
struct ProberTests {
    @Test("the status decides: 200 passes, 429 warns, all else fails, and no redirect is followed")
    func statuses() {
        let server = TestServer { connection in
            guard let request = connection.request() else { return }
            let code = request.dropFirst(5).prefix(3)
            connection.reply("\(code) Word", headers: "Location: http://127.0.0.1:1/\r\n")
        }
        defer { server.stop() }
        let expected: [(Int, ProbeResult.Outcome)] = [
            (200, .passing), (429, .warning), (204, .failing(.status(204))), (302, .failing(.status(302))), (404, .failing(.status(404))),
            (500, .failing(.status(500))), (503, .failing(.status(503))),
        ]
        for (code, outcome) in expected { #expect(probe(.http(path: "/\(code)"), port: server.port) == outcome) }
    }

    @Test("the request is a plain GET of the path with the host as it was registered")
    func request() {
        let server = TestServer { connection in
            let request = connection.request() ?? ""
            let isRight =
                request.hasPrefix("GET /health/live?deep=1 HTTP/1.1\r\nHost: localhost:") && request.contains("User-Agent: posto-probe")
            connection.reply(isRight ? "200 OK" : "500 Wrong")
        }
        defer { server.stop() }
        #expect(probe(.http(path: "/health/live?deep=1"), host: "localhost", port: server.port) == .passing)
    }

    @Test("nobody listening is refused, silence is a time-out, nonsense is a broken answer")
    func failures() {
        let silent = TestServer { $0.waitForClose() }
        let rude = TestServer { connection in
            _ = connection.request()
            connection.send("220 smtp.example ESMTP\r\n")
        }
        let absent = TestServer { _ in }
        defer {
            silent.stop()
            rude.stop()
        }
        absent.stop()
        #expect(probe(port: absent.port) == .failing(.refused))
        #expect(probe(.tcp, port: absent.port) == .failing(.refused))
        #expect(probe(port: silent.port, timeout: .milliseconds(200)) == .failing(.timedOut))
        #expect(probe(port: rude.port) == .failing(.brokenAnswer))
        #expect(probe(host: "no such host", port: 80) == .failing(.badAddress))
        #expect(probe(.http(path: "/a b"), port: 80) == .failing(.badAddress))
        #expect(probe(.http(path: "/\r\nX: y"), port: 80) == .failing(.badAddress))
        #expect(probe(.http(path: "x"), port: 80) == .failing(.badAddress))
    }

    @Test("a connection that opens is all that TCP needs")
    func tcp() {
        let server = TestServer { $0.waitForClose() }
        defer { server.stop() }
        #expect(probe(.tcp, port: server.port) == .passing)
    }

    @Test("an endless body does not hold a probe")
    func endlessBody() {
        let server = TestServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            for _ in 0..<100 { connection.send(String(repeating: "x", count: 10_000)) }
            connection.waitForClose()
        }
        defer { server.stop() }
        #expect(probe(port: server.port, timeout: .seconds(60)) == .passing)
    }

    @Test("an address outside of the networks is never connected to, neither by number nor by name")
    func forbidden() {
        let server = TestServer { connection in
            if connection.request() != nil { connection.reply("200 OK") }
        }
        defer { server.stop() }
        let others = [Network("10.0.0.0/8")!, Network("127.0.0.2/32")!, Network("::/0")!]
        #expect(probe(port: server.port, networks: others) == .forbidden)
        #expect(probe(.tcp, port: server.port, networks: []) == .forbidden)
        #expect(probe(host: "localhost", port: server.port, networks: [Network("10.0.0.0/8")!]) == .forbidden)
        #expect(server.connections == 0)
        #expect(probe(port: server.port, networks: [Network("127.0.0.1/32")!]) == .passing)
    }

    @Test("every probe has a new connection, and leaves nothing open")
    func freshConnections() throws {
        let server = TestServer { connection in
            while connection.request() != nil { connection.reply("200 OK") }
        }
        defer { server.stop() }
        let prober = Prober(networks: loopback)
        for round in 1...20 as ClosedRange<UInt64> {
            #expect(
                prober.start(ProbeRequest(id: round, kind: .http(path: "/"), host: "127.0.0.1", port: server.port, timeout: .seconds(60))))
            #expect(prober.start(ProbeRequest(id: 100 + round, kind: .tcp, host: "127.0.0.1", port: server.port, timeout: .seconds(60))))
            #expect(results(prober) == [round: .passing, 100 + round: .passing])
        }
        #expect(server.connections == 40)
        // The other side has seen all of them close, so none leaked.
        let deadline = ContinuousClock.now + .seconds(60)
        while server.openConnections > 0, ContinuousClock.now < deadline { _ = prober.poll(timeoutMilliseconds: 5) }
        #expect(server.openConnections == 0)
    }

    @Test("more probes than the limit wait for their turn, and all are answered")
    func bounded() {
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            connection.reply("200 OK")
            connection.waitForClose()
        }
        defer { server.stop() }
        let prober = Prober(networks: loopback)
        let count = Limits.probesInFlightMax * 4
        for id in 0..<count {
            #expect(
                prober.start(
                    ProbeRequest(id: UInt64(id), kind: .http(path: "/"), host: "127.0.0.1", port: server.port, timeout: .seconds(60))))
        }
        let all = results(prober)
        #expect(all.count == count)
        #expect(all.values.allSatisfy { $0 == .passing })
        // A connection that closes on our side may be open on the other for a moment.
        #expect(server.mostConnections <= Limits.probesInFlightMax * 2)
        #expect(prober.pending == 0)
    }

    @Test("a full queue refuses")
    func fullQueue() {
        let prober = Prober(networks: [])
        let request = ProbeRequest(id: 1, kind: .tcp, host: "127.0.0.1", port: 1, timeout: .seconds(1))
        for _ in 0..<Limits.probesQueuedMax where !prober.start(request) { Issue.record("refused too early") }
        #expect(!prober.start(request))
        #expect(prober.poll(timeoutMilliseconds: 0).count == Limits.probesQueuedMax)
        #expect(prober.start(request))
    }

    @Test("another thread ends a poll that waits")
    func wake() {
        let prober = Prober(networks: [])
        var thread = pthread_t()
        // SAFETY: the thread is joined before `prober` goes.
        let context = Unmanaged.passUnretained(prober).toOpaque()
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Prober>.fromOpaque($0!).takeUnretainedValue().wake(); return nil
            }, context)
        let duration = ContinuousClock().measure { #expect(prober.poll(timeoutMilliseconds: 60_000).isEmpty) }
        pthread_join(thread, nil)
        #expect(duration < .seconds(30))
    }
}

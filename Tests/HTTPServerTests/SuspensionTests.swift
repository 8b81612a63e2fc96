import CPlatform
import Glibc
import HTTPServer
import Testing

/// Requests that sleep: durable writes, long polls, streams, and crowds of them.
@Suite("HTTP suspension", .serialized) struct SuspensionTests {
    private func tickets(_ server: TestServer, _ count: Int) -> [HTTPTicket] {
        #expect(eventually { server.server.gauges.suspended == count })
        return server.handler.snapshot.tickets
    }

    @Test("the first answer wins, also one given before the handler returned", arguments: Wire.allCases)
    func firstWins(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        for _ in 0..<3 { #expect(client.request(get("/now"))?.text == "first") }
        #expect(client.request(get)?.text == "/hello")
    }

    @Test("another thread answers a suspended request", arguments: ["/poll", "/write", "/bare"], Wire.allCases)
    func completed(_ path: String, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get(path))
        let ticket = tickets(server, 1)[0]
        ticket.complete(TestHandler.text("done"))
        ticket.complete(TestHandler.text("too late"))
        #expect(client.reply()?.text == "done")
        #expect(server.server.gauges.suspended == 0)
        ticket.complete(TestHandler.text("much too late"))
        #expect(client.request(get)?.text == "/hello")
    }

    @Test("a long poll's first request goes to the daemon for polls and keeps its connection", arguments: Wire.allCases)
    func pollKeepsConnection(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get("/poll"))
        tickets(server, 1)[0].complete(TestHandler.text("news"))
        #expect(client.reply()?["Connection"] == nil)
        #expect(server.handler.snapshot.polls == 1)
        #expect(client.request(get)?.status == 200)
    }

    @Test("a long poll on a connection that began otherwise works, and its answer ends the connection", arguments: Wire.allCases)
    func pollOnOrdinary(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        _ = client.request(get)
        client.send(get("/poll"))
        tickets(server, 1)[0].complete(TestHandler.text("news"))
        let reply = client.reply()
        #expect(reply?.text == "news")
        #expect(reply?["Connection"] == "close")
        #expect(client.waitForEnd().ended)
    }

    @Test(
        "when the deadline passes the waiter answers, or the door if there is none",
        arguments: [
            ("/poll", 200, "nothing new"), ("/write", 503, "not durable yet"), ("/bare", 504, "answer_timeout"),
        ], Wire.allCases)
    func timeOut(_ expected: (path: String, status: Int, text: String), _ wire: Wire) throws {
        let (path, status, text) = expected
        let server = try TestServer(wire: wire)
        let reply = server.client().request(get("\(path)?ms=50"))
        #expect(reply?.status == status)
        #expect(reply?.text == text)
    }

    @Test("a long poller that hangs up is noticed", arguments: [true, false], Wire.allCases)
    func departed(_ politely: Bool, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        var client: RawClient? = server.client()
        client!.send(get("/poll"))
        let ticket = tickets(server, 1)[0]
        if !politely { client!.abort() }
        client = nil
        #expect(eventually { server.handler.snapshot.departed == [ticket] })
        #expect(eventually { server.server.gauges.connections == 0 })
        ticket.complete(TestHandler.text("nobody"))
        #expect(server.client().request(get)?.status == 200)
    }

    @Test("a client that shut down its sending side gets the answer of its write", arguments: ["/write", "/bare"], Wire.allCases)
    func halfClosed(_ path: String, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get(path))
        client.finishSending()
        let ticket = tickets(server, 1)[0]
        ticket.complete(TestHandler.text("durable"))
        #expect(client.reply()?.text == "durable")
        #expect(client.waitForEnd().ended)
    }

    @Test("a client that shut down its sending side gets a plain answer", arguments: Wire.allCases)
    func halfClosedPlain(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get)
        client.finishSending()
        #expect(client.reply()?.text == "/hello")
    }

    @Test("lock-step bursts do not stall", arguments: [127, 128, 129, 256, 1_000], Wire.allCases)
    func bursts(_ count: Int, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let clients = (0..<count).map { _ in server.client() }
        for _ in 0..<3 {
            for client in clients { client.send(get) }
            for client in clients { #expect(client.reply()?.status == 200) }
        }
    }

    @Test("lock-step bursts of suspended requests do not stall", arguments: [127, 128, 129, 256, 1_000], Wire.allCases)
    func suspendedBursts(_ count: Int, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let clients = (0..<count).map { _ in server.client() }
        for round in 1...3 {
            for client in clients { client.send(get("/bare")) }
            let waiting = tickets(server, count).suffix(count)
            server.server.completeAll(waiting.map { ($0, TestHandler.text("\(round)")) })
            for client in clients { #expect(client.reply()?.text == "\(round)") }
        }
    }

    @Test("of 5,000 long polls 1,000 are woken, and the others sleep on")
    func wake() throws {
        let server = try TestServer()
        let clients = (0..<5_000).map { _ in server.client() }
        for (number, client) in clients.enumerated() { client.send(get("/poll?n=\(number)&ms=600000")) }
        #expect(eventually { server.server.gauges.suspended == 5_000 })
        let waiting = server.handler.snapshot.numbered
        let start = HTTPDoor.uptimeNanoseconds()
        server.server.completeAll((0..<1_000).map { (waiting[$0]!, TestHandler.text("news")) })
        #expect(eventually { server.server.gauges.suspended == 4_000 })
        print("1,000 of 5,000 long polls woken in \((HTTPDoor.uptimeNanoseconds() - start) / 1_000) µs (debug build)")
        var answered = 0
        for client in clients.prefix(1_000) where client.reply()?.text == "news" { answered += 1 }
        #expect(answered == 1_000)
        #expect(server.server.gauges.suspended == 4_000)
    }

    @Test("a stream sends what is pushed, as it is pushed, and ends", arguments: Wire.allCases)
    func stream(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get("/stream"))
        let head = try #require(client.readHead(HTTPDoor.uptimeNanoseconds() + 60_000_000_000))
        #expect(head["Content-Type"] == "text/event-stream")
        #expect(head["Connection"] == "close")
        #expect(client.chunk() == "first")
        let stream = try #require(server.handler.snapshot.stream)
        for i in 0..<100 {
            #expect(stream.push(Array("event \(i)".utf8)))
            #expect(client.chunk() == "event \(i)")
        }
        stream.push(Array("last".utf8))
        stream.close()
        #expect(client.chunk() == "last")
        #expect(client.chunk() == "")
        #expect(client.waitForEnd().ended)
        #expect(eventually { server.handler.snapshot.streamsClosed == 1 })
        #expect(!stream.push([1]))
    }

    @Test("a stream whose reader leaves is closed", arguments: Wire.allCases)
    func streamDeparted(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        var client: RawClient? = server.client()
        client!.send(get("/stream"))
        #expect(eventually { server.handler.snapshot.stream != nil })
        client = nil
        #expect(eventually { server.handler.snapshot.streamsClosed == 1 })
        #expect(eventually { server.server.gauges.connections == 0 })
    }

    @Test("a stream whose reader does not read is cut", arguments: Wire.allCases)
    func slowStream(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(get("/stream"))
        #expect(eventually { server.handler.snapshot.stream != nil })
        let stream = server.handler.snapshot.stream!
        let event = [UInt8](repeating: 0x78, count: 10_000)
        // What the kernel takes comes on top of our own limit.
        #expect(eventually(seconds: 20) { !stream.push(event) })
        #expect(eventually { server.handler.snapshot.streamsClosed == 1 })
        #expect(eventually { server.server.gauges.connections == 0 })
    }
}

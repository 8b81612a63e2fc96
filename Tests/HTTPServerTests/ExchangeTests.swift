import CPlatform
import Glibc
import HTTPServer
import Testing

/// Ordinary requests and answers.
@Suite("HTTP exchanges", .serialized) struct ExchangeTests {
    @Test("a request is answered, with an identity, and the connection is kept")
    func simple() throws {
        let server = try TestServer()
        let client = server.client()
        for _ in 0..<3 {
            let reply = try #require(client.request(get))
            #expect(reply.status == 200)
            #expect(reply.text == "/hello")
            #expect(reply["X-Request-Id"]?.count == 32)
            #expect(reply["Cache-Control"] == "no-store")
            #expect(reply["Content-Type"] == "text/plain; charset=utf-8")
            #expect(reply["Connection"] == nil)
        }
        #expect(server.server.gauges.accepted == 1)
    }

    @Test(
        "a good X-Request-Id is kept and a bad one replaced",
        arguments: [("abc-1.2_Z", true), ("a b", false), (String(repeating: "x", count: 65), false)])
    func requestID(_ given: String, _ kept: Bool) throws {
        let server = try TestServer()
        let reply = try #require(server.client().request(get("/", "X-Request-Id: \(given)\r\n")))
        #expect((reply["X-Request-Id"] == given) == kept)
    }

    @Test("identities made here differ")
    func identities() throws {
        let server = try TestServer()
        let client = server.client()
        var seen: Set<String> = []
        for _ in 0..<100 { seen.insert(try #require(client.request(get)?["X-Request-Id"])) }
        #expect(seen.count == 100)
        #expect(seen.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test("the largest revision is written in full")
    func revision() throws {
        let server = try TestServer()
        #expect(server.client().request(get("/revision"))?["Posto-Revision"] == "18446744073709551615")
    }

    @Test("a body arrives whole, in one piece or in many", arguments: [1, 511, 4_096, 20_000, 99_999], Wire.allCases)
    func bodies(_ count: Int, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        let body = String(String(repeating: "0123456789", count: count / 10 + 1).prefix(count))
        let reply = try #require(client.request("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(count)\r\n\r\n\(body)"))
        #expect(reply.text == body)
        // Again on the same connection, in two halves.
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(count)\r\n\r\n\(body.prefix(count / 2))")
        client.send(String(body.dropFirst(count / 2)))
        #expect(client.reply()?.text == body)
    }

    @Test("a chunked body arrives whole, and the connection ends after it", arguments: Wire.allCases)
    func chunked(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.trickle(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n")
        let reply = try #require(client.reply())
        #expect(reply.text == "hello world")
        #expect(reply["Connection"] == "close")
        #expect(client.waitForEnd().ended)
    }

    @Test("a client that expects 100 is told to continue", arguments: Wire.allCases)
    func expect100(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(client.readHead(HTTPDoor.uptimeNanoseconds() + 60_000_000_000)?.status == 100)
        client.send("hello")
        #expect(client.reply()?.text == "hello")
    }

    @Test("a client that expects 100 is refused without sending the body", arguments: Wire.allCases)
    func expectRefused(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send("POST /forbidden HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(client.readHead(HTTPDoor.uptimeNanoseconds() + 60_000_000_000)?.status == 401)
    }

    @Test("a body over the limit is refused before it is read when its length is known", arguments: Wire.allCases)
    func tooLarge(_ wire: Wire) throws {
        let server = try TestServer(bodyMax: 10, wire: wire)
        let client = server.client()
        let reply = try #require(client.request("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n"))
        #expect(reply.status == 413)
        #expect(reply.text == "body_too_large")
        #expect(client.waitForEnd().ended)
    }

    @Test("a chunked body over the limit is refused at its end", arguments: Wire.allCases)
    func chunkedTooLarge(_ wire: Wire) throws {
        let server = try TestServer(bodyMax: 10, wire: wire)
        let client = server.client()
        let reply = try #require(
            client.request("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"))
        #expect(reply.status == 413)
        #expect(server.handler.snapshot.handled.isEmpty)
    }

    @Test("an endless chunked body is cut off with 413", arguments: Wire.allCases)
    func endlessBody(_ wire: Wire) throws {
        let server = try TestServer(bodyMax: 10, wire: wire)
        let client = server.client()
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
        for _ in 0..<80 { client.send(chunk) }
        let end = client.waitForEnd()
        #expect(end.ended)
        #expect(server.handler.snapshot.handled.isEmpty)
        #expect(server.server.gauges.refused.first { "\($0.code)" == "body_too_large" }?.count == 1)
    }

    @Test("HEAD has the headers of GET and no body")
    func head() throws {
        let server = try TestServer()
        let client = server.client()
        client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n" + get)
        let head = try #require(client.reply(head: true))
        #expect(head["Content-Length"] == "6")
        #expect(client.reply()?.text == "/hello")
    }

    @Test("pipelined requests are answered in order", arguments: Wire.allCases)
    func pipelining(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send((0..<50).map { get("/p\($0)") }.joined())
        for i in 0..<50 { #expect(client.reply()?.text == "/p\(i)") }
    }

    @Test("pipelined requests with bodies and suspensions are answered in order", arguments: Wire.allCases)
    func mixedPipelining(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        let post = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
        client.send(get("/now") + post + get("/now") + get)
        for expected in ["first", "abc", "first", "/hello"] { #expect(client.reply()?.text == expected) }
    }

    @Test("HTTP/1.0 is served, without Host, and closed", arguments: Wire.allCases)
    func http10(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        #expect(client.request("GET /old HTTP/1.0\r\n\r\n")?.text == "/old")
        #expect(client.waitForEnd().ended)
    }

    @Test("a file is sent whole", arguments: Wire.allCases)
    func file(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let reply = try #require(server.client().request(get("/file")))
        #expect(reply.body.count == 1_000_000)
        #expect(reply.body.starts(with: [0x7f, 0x45, 0x4c, 0x46]))
    }

    @Test("query parameters are decoded in order")
    func query() throws {
        let server = try TestServer()
        let reply = try #require(server.client().request(get("/query?a=1&b=x+y%26z&c&=d&a=2&%C3%A9=%E2%82%AC")))
        #expect(reply.text == "a=1|b=x y&z|c=|=d|a=2|é=€")
    }

    @Test(
        "a path is decoded", arguments: [("/a%20b", "/a b"), ("/%C3%A9", "/é"), ("/é", "/é"), ("/a?", "/a"), ("/a??b", "/a"), ("//", "//")])
    func path(_ target: String, _ path: String) throws {
        let server = try TestServer()
        let client = server.client()
        #expect(client.request(get(target))?.text == path)
        #expect(client.request(get(target))?.text == path)
    }

    @Test(
        "a trace context is passed on only if it is one",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", true),
            ("nonsense", false),
        ])
    func trace(_ value: String, _ valid: Bool) throws {
        let server = try TestServer()
        // What a later version adds behind the 55 characters is not kept.
        #expect(server.client().request(get("/trace", "traceparent: \(value)\r\n"))?.text == (valid ? String(value.prefix(55)) : "none"))
    }

    @Test("headers are found without regard to case, and trimmed")
    func header() throws {
        let server = try TestServer()
        #expect(server.client().request(get("/header", "X-TEST: \t one  \r\n"))?.text == "one")
    }

    @Test("each finished request is reported once, with status, tag and duration", arguments: Wire.allCases)
    func outcomes(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        _ = client.request(get)
        #expect(eventually { server.handler.snapshot.outcomes.count == 1 })
        let outcome = server.handler.snapshot.outcomes[0]
        #expect(outcome.status == 200 && outcome.tag == 7 && outcome.completed && outcome.method == .get)
        #expect(outcome.durationNanoseconds > 0)
    }
}

import HTTPServer
import Testing

/// What the door refuses, each in one piece, byte by byte, and behind a good request on the same connection.
@Suite("HTTP strictness", .serialized) struct StrictnessTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let request: String
        let status: Int
        let code: String?

        init(_ name: String, _ request: String, _ status: Int = 400, _ code: String? = nil) {
            self.name = name
            self.request = request
            self.status = status
            self.code = code
        }

        var testDescription: String { name }
    }

    private static let h = "Host: localhost\r\n"

    static let cases: [Case] = [
        Case(
            "two lengths that differ", "POST / HTTP/1.1\r\n\(h)Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400,
            "duplicate_content_length"),
        Case(
            "two equal lengths", "POST / HTTP/1.1\r\n\(h)Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400, "duplicate_content_length"),
        Case(
            "two lengths of zero", "POST / HTTP/1.1\r\n\(h)Content-Length: 0\r\ncontent-length: 0\r\n\r\n", 400, "duplicate_content_length"),
        Case("a list as length", "POST / HTTP/1.1\r\n\(h)Content-Length: 1, 1\r\n\r\na", 400, "malformed_request"),
        Case("a negative length", "POST / HTTP/1.1\r\n\(h)Content-Length: -1\r\n\r\na", 400, "malformed_request"),
        Case("a signed length", "POST / HTTP/1.1\r\n\(h)Content-Length: +1\r\n\r\na", 400, "malformed_request"),
        Case("a hexadecimal length", "POST / HTTP/1.1\r\n\(h)Content-Length: 0x1\r\n\r\na", 400, "malformed_request"),
        Case("an empty length", "POST / HTTP/1.1\r\n\(h)Content-Length:\r\n\r\na", 400, "malformed_request"),
        Case(
            "length and chunked", "POST / HTTP/1.1\r\n\(h)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            "content_length_and_transfer_encoding"),
        Case(
            "chunked and length", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400,
            "content_length_and_transfer_encoding"),
        Case("gzip as transfer encoding", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: gzip\r\n\r\n", 501, "unsupported_transfer_encoding"),
        Case(
            "two codings", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "unsupported_transfer_encoding"),
        Case("chunked twice", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        Case("identity", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: identity\r\n\r\n", 501, "unsupported_transfer_encoding"),
        Case("chunked with a tail", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding: chunked;a\r\n\r\n0\r\n\r\n", 501),
        Case("an empty coding", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding:\r\n\r\n", 501),
        Case("chunked in 1.0", "POST / HTTP/1.0\r\n\(h)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        Case("LF behind the request line", "GET / HTTP/1.1\n\(h)\r\n", 400, "bare_line_feed"),
        Case("LF behind a request line without headers", "GET / HTTP/1.1\n\r\n", 400, "bare_line_feed"),
        Case("LF behind the first header", "GET / HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", 400, "bare_line_feed"),
        Case("LF behind a header in the middle", "GET / HTTP/1.1\r\n\(h)A: b\nC: d\r\n\r\n", 400, "bare_line_feed"),
        Case("LF behind an empty value", "GET / HTTP/1.1\r\n\(h)A:\nC: d\r\n\r\n", 400, "bare_line_feed"),
        Case("LF behind the last header", "GET / HTTP/1.1\r\nHost: localhost\n\r\n", 400, "bare_line_feed"),
        Case("LF behind a last empty header", "GET / HTTP/1.1\r\n\(h)A:\n\r\n", 400, "bare_line_feed"),
        Case("LF as the empty line", "GET / HTTP/1.1\r\n\(h)\n", 400, "bare_line_feed"),
        Case("LF as the last two", "GET / HTTP/1.1\r\nHost: localhost\n\n", 400, "bare_line_feed"),
        Case("LF everywhere", "GET / HTTP/1.1\nHost: localhost\n\n", 400, "bare_line_feed"),
        Case(
            "LF before a header that begins with a letter", "GET / HTTP/1.1\r\n\(h)A: b\nTransfer-Encoding: chunked\r\n\r\n", 400,
            "bare_line_feed"),
        Case("a fold", "GET / HTTP/1.1\r\n\(h)A: b\r\n c\r\n\r\n", 400, "folded_header"),
        Case("a fold with a tab", "GET / HTTP/1.1\r\n\(h)A: b\r\n\tc\r\n\r\n", 400, "folded_header"),
        Case("a fold of the first header", "GET / HTTP/1.1\r\nHost: localhost\r\n  \r\n\r\n", 400, "folded_header"),
        Case("a fold in the middle", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\(h)\r\n", 400, "folded_header"),
        Case("a fold before any header", "GET / HTTP/1.1\r\n \(h)\r\n"),
        Case("a folded Transfer-Encoding", "POST / HTTP/1.1\r\n\(h)Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
        Case("space before the colon", "GET / HTTP/1.1\r\n\(h)A : b\r\n\r\n", 400, "bad_header_name"),
        Case("tab before the colon", "GET / HTTP/1.1\r\n\(h)A\t: b\r\n\r\n", 400, "bad_header_name"),
        Case("an empty name", "GET / HTTP/1.1\r\n\(h): b\r\n\r\n"),
        Case("a name with brackets", "GET / HTTP/1.1\r\n\(h)A(b): c\r\n\r\n", 400, "bad_header_name"),
        Case("a name beyond ASCII", "GET / HTTP/1.1\r\n\(h)Ä: c\r\n\r\n", 400, "bad_header_name"),
        Case("a header without colon", "GET / HTTP/1.1\r\n\(h)nonsense\r\n\r\n"),
        Case("a control character in a value", "GET / HTTP/1.1\r\n\(h)A: b\u{1}c\r\n\r\n", 400, "bad_header_value"),
        Case("DEL in a value", "GET / HTTP/1.1\r\n\(h)A: b\u{7f}\r\n\r\n", 400, "bad_header_value"),
        Case("a bare CR in a value", "GET / HTTP/1.1\r\n\(h)A: b\rC: d\r\n\r\n", 400, "bad_header_value"),
        Case("CR CR LF", "GET / HTTP/1.1\r\n\(h)A: b\r\r\n\r\n", 400, "bad_header_value"),
        Case("NUL in a value", "GET / HTTP/1.1\r\n\(h)A: b\0c\r\n\r\n"),
        Case("NUL at the end of a value", "GET / HTTP/1.1\r\nA: b\0\r\n\(h)\r\n"),
        Case("NUL at the end of the last value", "GET / HTTP/1.1\r\n\(h)A: b\0\r\n\r\n"),
        Case("NUL in a name", "GET / HTTP/1.1\r\n\(h)A\0b: c\r\n\r\n"),
        Case("a line that begins with NUL", "GET / HTTP/1.1\r\n\(h)\0Transfer-Encoding: chunked\r\n\r\n"),
        Case("two hosts", "GET / HTTP/1.1\r\n\(h)\(h)\r\n", 400, "duplicate_host"),
        Case("no host", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"),
        Case("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 403, "foreign_host"),
        Case("a foreign host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "foreign_host"),
        Case("a foreign host that begins like ours", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 403, "foreign_host"),
        Case("another address", "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", 403, "foreign_host"),
        Case("a host with a user", "GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n", 403, "foreign_host"),
        Case("a host with a bad port", "GET / HTTP/1.1\r\nHost: localhost:80x\r\n\r\n", 403, "foreign_host"),
        Case("a foreign origin", "GET / HTTP/1.1\r\n\(h)Origin: http://evil.example\r\n\r\n", 403, "foreign_origin"),
        Case("the null origin", "GET / HTTP/1.1\r\n\(h)Origin: null\r\n\r\n", 403, "foreign_origin"),
        Case("an origin on another port", "GET / HTTP/1.1\r\n\(h)Origin: http://localhost:81\r\n\r\n", 403, "foreign_origin"),
        Case("an origin with another scheme", "GET / HTTP/1.1\r\n\(h)Origin: https://localhost\r\n\r\n", 403, "foreign_origin"),
        Case("two origins", "GET / HTTP/1.1\r\n\(h)Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n", 403, "foreign_origin"),
        Case("%00 in the path", "GET /a%00b HTTP/1.1\r\n\(h)\r\n", 400, "nul_in_target"),
        Case("%00 in the query", "GET /a?b=%00 HTTP/1.1\r\n\(h)\r\n", 400, "nul_in_target"),
        Case("NUL in the target", "GET /a\0b HTTP/1.1\r\n\(h)\r\n", 400, "nul_in_target"),
        Case("NUL at the end of the target", "GET /a\0 HTTP/1.1\r\n\(h)\r\n", 400, "nul_in_target"),
        Case("NUL behind the question mark", "GET /a?\0b HTTP/1.1\r\n\(h)\r\n", 400, "nul_in_target"),
        Case("a short escape", "GET /a%4 HTTP/1.1\r\n\(h)\r\n", 400, "bad_percent_escape"),
        Case("a lone percent sign", "GET /a% HTTP/1.1\r\n\(h)\r\n", 400, "bad_percent_escape"),
        Case("a wrong digit", "GET /a%4g HTTP/1.1\r\n\(h)\r\n", 400, "bad_percent_escape"),
        Case("a wrong escape in the query", "GET /a?b=%zz HTTP/1.1\r\n\(h)\r\n", 400, "bad_percent_escape"),
        Case("no UTF-8 in the path", "GET /%ff HTTP/1.1\r\n\(h)\r\n", 400, "not_utf8"),
        Case("an overlong slash", "GET /%c0%af HTTP/1.1\r\n\(h)\r\n", 400, "not_utf8"),
        Case("a surrogate", "GET /%ed%a0%80 HTTP/1.1\r\n\(h)\r\n", 400, "not_utf8"),
        Case("a truncated character", "GET /%e2%82 HTTP/1.1\r\n\(h)\r\n", 400, "not_utf8"),
        Case("no UTF-8 in the query", "GET /a?b=%ff HTTP/1.1\r\n\(h)\r\n", 400, "not_utf8"),
        Case("an absolute target", "GET http://localhost/a HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("a target without slash", "GET a HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("an asterisk for GET", "GET * HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("CONNECT", "CONNECT localhost:80 HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("a fragment", "GET /a#b HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("a space in the target", "GET /a b HTTP/1.1\r\n\(h)\r\n"),
        Case("two spaces before the target", "GET  /a HTTP/1.1\r\n\(h)\r\n"),
        Case("a tab in the target", "GET /a\tb HTTP/1.1\r\n\(h)\r\n", 400, "bad_target"),
        Case("a bad method", "G(T / HTTP/1.1\r\n\(h)\r\n"),
        Case("NUL in the method", "GE\0T / HTTP/1.1\r\n\(h)\r\n"),
        Case("no version", "GET /\r\n\(h)\r\n"),
        Case("a bad version", "GET / HTTP/1.1x\r\n\(h)\r\n"),
        Case("a version in lower case", "GET / http/1.1\r\n\(h)\r\n"),
        Case("two credentials", "GET / HTTP/1.1\r\n\(h)Authorization: a\r\nAuthorization: b\r\n\r\n"),
        Case("version 2", "GET / HTTP/2.0\r\n\(h)\r\n", 505, "unsupported_version"),
        Case("version 0.9", "GET / HTTP/0.9\r\n\(h)\r\n", 505, "unsupported_version"),
        Case("a length beyond all numbers", "POST / HTTP/1.1\r\n\(h)Content-Length: 99999999999999999999\r\n\r\na", 413, "body_too_large"),
        Case("NUL LF behind the request line", "GET / HTTP/1.1\0\n\(h)\r\n", 400, "malformed_request"),
        Case("NUL LF behind a header", "GET / HTTP/1.1\r\nHost: localhost\0\nA: b\r\n\r\n", 400, "bare_line_feed"),
        Case("NUL LF behind a header before one that smuggles", "GET / HTTP/1.1\r\n\(h)A: b\0\nTransfer-Encoding: chunked\r\n\r\n", 400),
        Case("NUL LF as the empty line", "GET / HTTP/1.1\r\n\(h)\0\n", 400, "bare_line_feed"),
        Case("NUL LF everywhere", "GET / HTTP/1.1\0\nHost: localhost\0\n\0\n", 400, "malformed_request"),
    ]

    enum Way: CaseIterable { case whole, trickled, afterAnother, pipelined, overTLS, pipelinedOverTLS }

    @Test("a smuggler's request is refused, nothing behind it is served, and the connection ends", arguments: cases, Way.allCases)
    func refused(_ test: Case, _ way: Way) throws {
        let isTLS = way == .overTLS || way == .pipelinedOverTLS
        // There that origin is the right one.
        if isTLS, test.name == "an origin with another scheme" { return }
        let server = try TestServer(wire: isTLS ? .tls : .plain)
        let client = server.client()
        let hidden = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        switch way {
        case .whole, .overTLS: client.send(test.request + hidden)
        case .trickled: client.trickle(test.request + hidden)
        case .afterAnother:
            #expect(client.request(get)?.status == 200)
            client.send(test.request + hidden)
        case .pipelined, .pipelinedOverTLS:
            client.send(get + test.request + hidden)
            #expect(client.reply()?.status == 200)
        }
        let reply = client.reply()
        #expect(reply?.status == test.status)
        #expect(test.code == nil || reply?.text == test.code)
        #expect(reply?["Content-Type"] == "application/problem+json", "no page of the library's own")
        #expect(reply?["X-Request-Id"]?.count == 32)
        #expect(reply?["Connection"] == "close")
        #expect(client.waitForEnd() == (true, 0))
        let handled = server.handler.snapshot.handled
        #expect(!handled.contains("/smuggled"))
        #expect(handled.count == (way == .whole || way == .trickled || way == .overTLS ? 0 : 1))
    }

    @Test(
        "a host of ours is accepted",
        arguments: [
            "localhost", "LOCALHOST", "localhost:8500", "localhost.", "127.0.0.1", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:8500",
            "posto.example",
            "Posto.Example:443",
        ])
    func ownHost(_ host: String) throws {
        let server = try TestServer()
        let client = server.client()
        for _ in 0..<2 { #expect(client.request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")?.status == 200) }
        #expect(client.request("GET / HTTP/1.1\r\nHost: \(host)\r\nOrigin: http://\(host)\r\n\r\n")?.status == 200)
        #expect(client.request("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")?.status == 403)
    }

    @Test(
        "good but unusual heads are served, whole and byte by byte",
        arguments: [
            "GET / HTTP/1.1\r\nHost:localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: \t localhost \t \r\n\r\n",
            "GET / HTTP/1.1\r\nA:\r\nHost: localhost\r\nB:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nA:   \r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nA: b: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nA: \u{e9}\r\n\r\n",
            "PROPFIND / HTTP/1.1\r\nHost: localhost\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /?a=b?c&d=/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c=d\r\nX: y\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\n" + (0..<60).map { "X-\($0): \($0)\r\n" }.joined() + "\r\n",
        ], Wire.allCases)
    func unusual(_ request: String, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        #expect(client.request(request)?.status == 200)
        client.trickle(request)
        #expect(client.reply()?.status == 200)
        client.send("\r\n" + request + request)
        #expect(client.reply()?.status == 200)
        #expect(client.reply()?.status == 200)
    }

    @Test(
        "nothing but a method begins a connection", arguments: ["\r\n\(get)", "\n\(get)", "\0\(get)", " \(get)", "\u{16}\u{3}\u{1}\0\0"],
        Wire.allCases)
    func noise(_ start: String, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(start)
        #expect(client.reply()?.status == 400)
        #expect(client.waitForEnd().ended)
        #expect(server.handler.snapshot.handled.isEmpty)
    }

    @Test("a line that begins with NUL before a later request is not skipped", arguments: Wire.allCases)
    func nulLine(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        _ = client.request(get)
        client.send("\0GET /hidden HTTP/1.1\r\n" + get)
        #expect(client.reply()?.status == 400)
        #expect(server.handler.snapshot.handled.count == 1)
    }

    @Test(
        "a malformed chunk ends the connection",
        arguments: ["x\r\n", "-1\r\n", "5\r\nhelloX", " 5\r\nhello\r\n", "ffffffffffffffffff\r\n"], Wire.allCases)
    func chunks(_ body: String, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\(body)0\r\n\r\n\(get)")
        let reply = client.reply()
        #expect(reply?.status == 400 || reply?.status == 413)
        #expect(reply?["Content-Type"] == "application/problem+json")
        #expect(reply?["X-Request-Id"]?.count == 32)
        #expect(client.waitForEnd() == (true, 0))
        #expect(server.handler.snapshot.handled.isEmpty)
    }

    @Test("a long target is answered 414, a long head 431, a very long one too", arguments: Wire.allCases)
    func sizes(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        for (count, status) in [(8_100, 200), (8_300, 414), (20_000, 414)] {
            let reply = server.client().request(get("/" + String(repeating: "a", count: count)))
            #expect(reply?.status == status)
            #expect(status == 200 || reply?.text == "uri_too_long")
        }
        for (count, status) in [(11_000, 200), (12_500, 431), (40_000, 431)] {
            let reply = server.client().request(get("/", "X: " + String(repeating: "a", count: count) + "\r\n"))
            #expect(reply?.status == status)
            #expect(status == 200 || reply?.text == "headers_too_large")
        }
        let many = (0..<2_000).map { "X-\($0): \($0)\r\n" }.joined()
        let reply = server.client().request(get("/", many))
        #expect(reply?.status == 431)
        #expect(reply?["X-Request-Id"] != nil)
    }

    @Test("a refusal of a malformed length keeps the caller's identity, and the gauges count it", arguments: Wire.allCases)
    func libraryRefusal(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let reply = server.client().request("POST / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine-1\r\nContent-Length: x\r\n\r\n")
        #expect(reply?["X-Request-Id"] == "mine-1")
        #expect(server.server.gauges.refused.first { "\($0.code)" == "malformed_request" }?.count == 1)
        #expect(eventually { server.server.gauges.connections == 0 })
    }

    @Test("a NUL in a body is the body's affair, and no head hides behind it", arguments: [true, false], Wire.allCases)
    func nulInBody(_ together: Bool, _ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
        client.send(head + (together ? "a\0\nb" : ""))
        if !together {
            #expect(eventually { server.handler.snapshot.admitted == 1 })
            client.send("a\0\nb")
        }
        let reply = client.reply()
        #expect(reply?.text == "a\0\nb")
        // Where a second NUL was could not be told from the first, so a connection that had one ends.
        #expect(reply?["Connection"] == "close")
        #expect(client.waitForEnd() == (true, 0))
    }

    @Test("a NUL in the head of a pipelined request is found there, and the request before it is served", arguments: Wire.allCases)
    func nulBehind(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let client = server.client()
        client.send(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok" + "GET /hidden HTTP/1.1\r\nHost: localhost\0\n\r\n")
        #expect(client.reply()?.text == "ok")
        #expect(client.reply()?.text == "bare_line_feed")
        #expect(client.waitForEnd() == (true, 0))
        #expect(server.handler.snapshot.handled == ["/echo"])
    }
}

import Domain
import Glibc
import HTTPClient
import Testing

@Suite("Calls of the command line")
struct HTTPCallerTests {
    private static func echo(path: String = "") -> TestServer {
        TestServer(path: path) { connection in
            while let request = connection.request() {
                connection.reply("201 Created", request, headers: "Posto-Revision: 7\r\nX-Two: a\r\nX-Two: b\r\n")
            }
        }
    }

    private static func caller(_ server: TestServer) -> HTTPCaller { HTTPCaller(ServerAddress("http://127.0.0.1:\(server.port)")!) }

    @Test("a call sends method, path, headers and body, and brings status, headers and body back")
    func call() throws {
        let server = Self.echo()
        defer { server.stop() }
        let caller = Self.caller(server)
        let reply = try caller.call(
            HTTPCall(
                "POST", "/register?x=%20", headers: [("Content-Type", "application/json"), ("X-Empty", "")], body: Array("{\"a\":1}".utf8)))
        #expect(reply.status == 201)
        #expect(reply.header("posto-revision") == "7")
        #expect(reply.headers.filter { $0.name == "x-two" }.map(\.value) == ["a", "b"])
        let echo = String(decoding: reply.body, as: UTF8.self)
        #expect(echo.hasPrefix("POST /register?x=%20 HTTP/1.1\r\n"))
        #expect(echo.contains("\r\nContent-Type: application/json\r\n"))
        #expect(echo.contains("\r\nX-Empty:"))
        #expect(echo.hasSuffix("\r\n\r\n{\"a\":1}"))
        #expect(!echo.contains("Expect"))
        let delete = try caller.call(HTTPCall("DELETE", "/deregister/a"))
        #expect(String(decoding: delete.body, as: UTF8.self).hasPrefix("DELETE /deregister/a HTTP/1.1\r\n"))
        let empty = try caller.call(HTTPCall("POST", "/empty", body: []))
        #expect(String(decoding: empty.body, as: UTF8.self).contains("\r\nContent-Length: 0\r\n"))
        #expect(!String(decoding: empty.body, as: UTF8.self).contains("Content-Type"))
        #expect(server.connections == 1)
    }

    @Test("a daemon is reached by its Unix socket")
    func unixSocket() throws {
        let path = temporaryPath("caller.sock")
        let server = Self.echo(path: path)
        defer { server.stop() }
        let caller = HTTPCaller(ServerAddress("unix:\(path)")!)
        let reply = try caller.call(HTTPCall("GET", "/services"))
        #expect(String(decoding: reply.body, as: UTF8.self).hasPrefix("GET /services HTTP/1.1\r\nHost: localhost\r\n"))
    }

    @Test("a large body goes up and comes down")
    func largeBody() throws {
        let server = Self.echo()
        defer { server.stop() }
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let reply = try Self.caller(server).call(HTTPCall("PUT", "/", body: body))
        #expect(reply.body.suffix(300_000).elementsEqual(body))
    }

    @Test("a daemon that is not there is unreachable, and the address is named")
    func unreachable() throws {
        let server = Self.echo()
        server.stop()
        let error = #expect(throws: HTTPClientError.self) { try Self.caller(server).call(HTTPCall("GET", "/")) }
        #expect(error?.code == .unreachable)
        #expect(error?.reason.contains("http://127.0.0.1:\(server.port)") == true)
        #expect(error?.reason.contains("Connection refused") == true, "\(String(describing: error))")
        let missing = #expect(throws: HTTPClientError.self) {
            try HTTPCaller(ServerAddress("unix:/nonexistent/posto.sock")!).call(HTTPCall("GET", "/"))
        }
        #expect(missing?.code == .unreachable)
    }

    @Test("silence is a time-out, an answer that breaks off is broken, and the client goes on after both")
    func failures() throws {
        let server = TestServer { connection in
            while let request = connection.request() {
                if request.hasPrefix("GET /silent") { return connection.waitForClose() }
                if request.hasPrefix("GET /broken") { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }
                connection.reply("200 OK", "ok")
            }
        }
        defer { server.stop() }
        let caller = Self.caller(server)
        #expect(throws: HTTPClientError(.timedOut, "http://127.0.0.1:\(server.port) did not answer in time")) {
            try caller.call(HTTPCall("GET", "/silent", timeout: .milliseconds(200)))
        }
        #expect(#expect(throws: HTTPClientError.self) { try caller.call(HTTPCall("GET", "/broken")) }?.code == .broken)
        #expect(try caller.call(HTTPCall("GET", "/")).body == Array("ok".utf8))
    }

    @Test("a stream is handed over as it comes and ends when the reader has enough")
    func stream() throws {
        let server = TestServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send("6\r\n{\"a\":1\r\n")
            connection.send("2\r\n}\n\r\n")
            // Never ends by itself.
            connection.waitForClose()
        }
        defer { server.stop() }
        var seen = ""
        var type: String?
        let reply = try Self.caller(server).stream(HTTPCall("GET", "/changes", timeout: nil)) { head, chunk in
            type = head.header("content-type")
            seen += String(decoding: chunk, as: UTF8.self)
            return !seen.hasSuffix("\n")
        }
        #expect(reply.status == 200)
        #expect(type == "application/x-ndjson")
        #expect(seen == "{\"a\":1}\n")
    }

    @Test("a proxy of the environment is not asked for loopback")
    func noProxy() async {
        await #expect(processExitsWith: .success) {
            setenv("http_proxy", "http://127.0.0.1:1", 1)
            setenv("ALL_PROXY", "http://127.0.0.1:1", 1)
            let server = TestServer { connection in
                _ = connection.request()
                connection.reply("200 OK")
            }
            let reply = try HTTPCaller(ServerAddress("http://127.0.0.1:\(server.port)")!).call(HTTPCall("GET", "/"))
            exit(reply.status == 200 ? 0 : 1)
        }
    }

    @Test("addresses of daemons are read as people write them")
    func addresses() {
        #expect(ServerAddress("unix:/run/posto/posto.sock") == .unix(path: "/run/posto/posto.sock"))
        #expect(ServerAddress("unix:///run/x") == .unix(path: "/run/x"))
        #expect(ServerAddress("http://127.0.0.1:8500/")?.description == "http://127.0.0.1:8500")
        #expect(ServerAddress("branch-7.example")?.description == "http://branch-7.example:8500")
        #expect(ServerAddress("[::1]:80")?.description == "http://[::1]:80")
        #expect(ServerAddress("https://branch-7.example:443/")?.description == "https://branch-7.example:443")
        #expect(ServerAddress("http://[::1]")?.description == "http://[::1]:8500")
        for wrong in [
            "", "unix:", "unix:relative", "https://", "https://a:x", "http://", "http://a/b", "http://a:0", "http://a:x", "ftp://a", "::1",
            "a b",
        ] {
            #expect(ServerAddress(wrong) == nil, "\(wrong)")
        }
    }
}

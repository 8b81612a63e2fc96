import Glibc
import Testing

@testable import HTTPServer

@Suite("answers that are made once and sent many times", .serialized) struct PreparedAnswerTests {
    @Test("each has its own identity, all headers of an ordinary answer, and keeps the connection")
    func identity() throws {
        let server = try TestServer()
        let client = server.client()
        var seen: Set<String> = []
        for _ in 0..<50 {
            let reply = try #require(client.request(get("/prepared")))
            #expect(reply.status == 200)
            #expect(reply.text == #"{"small":true}"#)
            #expect(reply["Content-Type"] == "application/json")
            #expect(reply["Cache-Control"] == "no-store")
            #expect(reply["Posto-Revision"] == "7")
            #expect(reply["Connection"] == nil)
            #expect(try #require(reply["Date"]).hasSuffix(" GMT"))
            seen.insert(try #require(reply["X-Request-Id"]))
        }
        #expect(seen.count == 50)
        #expect(server.server.gauges.accepted == 1)
    }

    @Test(
        "an identity of the client's comes back, whatever its length",
        arguments: ["a", "0123456789abcdef0123456789abcdef", "own-request.1"])
    func givenIdentity(_ given: String) throws {
        let server = try TestServer()
        let client = server.client()
        #expect(client.request(get("/prepared", "X-Request-Id: \(given)\r\n"))?["X-Request-Id"] == given)
        // And nobody after it gets it.
        #expect(client.request(get("/prepared"))?["X-Request-Id"] != given)
    }

    @Test("clients that come at once are not given each other's identities")
    func concurrent() throws {
        let server = try TestServer()
        let clients = (0..<40).map { _ in server.client() }
        for round in 0..<20 {
            for (index, client) in clients.enumerated() {
                client.send(get("/prepared", "X-Request-Id: \(String(repeating: "0", count: 28))\(1_000 + index * 20 + round)\r\n"))
            }
            for (index, client) in clients.enumerated() {
                let reply = try #require(client.reply())
                #expect(reply["X-Request-Id"] == "\(String(repeating: "0", count: 28))\(1_000 + index * 20 + round)")
            }
        }
    }

    @Test("who asks for compression gets it, and who does not is told that it varies")
    func compression() throws {
        let server = try TestServer()
        let client = server.client()
        let plain = try #require(client.request(get("/prepared-large")))
        #expect(plain.body.count == 5_000)
        #expect(plain["Vary"] == "Accept-Encoding")
        #expect(plain["Content-Encoding"] == nil)
        let packed = try #require(client.request(get("/prepared-large", "Accept-Encoding: gzip\r\n")))
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(packed.body.count < 1_000)
        #expect(client.request(get("/prepared"))?["Vary"] == nil)
    }

    @Test("a chunked request still ends its connection")
    func chunked() throws {
        let server = try TestServer()
        let reply = try #require(
            server.client().request("GET /prepared HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
        #expect(reply.status == 200)
        #expect(reply["Connection"]?.lowercased() == "close")
    }

    @Test("what has headers of its own stays an ordinary answer")
    func unprepared() {
        let response = HTTPResponse(status: 200, headers: [HTTPHeader("Retry-After", "1")], body: .bytes([1])).prepared
        guard case .bytes = response.body else {
            Issue.record("headers would be lost")
            return
        }
    }
}

@Suite("the date of answers") struct HTTPDateTests {
    @Test(
        "is written as RFC 9110 wants it",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (1_795_571_999, "Wed, 25 Nov 2026 01:59:59 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-5, "Thu, 01 Jan 1970 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ])
    func form(_ second: Int, _ text: String) {
        var date = HTTPDate()
        date.set(second)
        #expect(date.withBytes { $0.text } == text)
    }

    @Test("agrees with the C library over a hundred thousand moments")
    func library() {
        var date = HTTPDate()
        for step in 0..<100_000 {
            var moment = time_t(step * 2_534_023)
            var parts = tm()
            gmtime_r(&moment, &parts)
            var buffer = [CChar](repeating: 0, count: 64)
            strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            date.set(moment)
            let isEqual = date.withBytes { bytes in bytes.elementsEqual(buffer.prefix(29).map { UInt8(bitPattern: $0) }) }
            #expect(isEqual, "\(moment)")
            if !isEqual { return }
        }
    }
}

@Suite("eight bytes at once") struct ByteWordsTests {
    @Test("agree with one byte at a time, at every length and place")
    func agreement() {
        for length in 0..<40 {
            for place in 0..<max(1, length) {
                for byte in [0x00, 0x09, 0x1f, 0x20, 0x21, 0x23, 0x25, 0x7e, 0x7f, 0x80, 0xff] as [UInt8] {
                    var bytes = [UInt8](repeating: 0x61, count: length)
                    if length > 0 { bytes[place] = byte }
                    let isBelow = bytes.contains { $0 < 0x21 }
                    let isDelete = bytes.contains(0x7f)
                    bytes.withUnsafeBufferPointer { buffer in
                        #expect(ByteWords.areAll(buffer) { ByteWords.isBelow($0, 0x21) == 0 } == !isBelow, "\(bytes)")
                        #expect(ByteWords.areAll(buffer) { ByteWords.has($0, 0x7f) == 0 } == !isDelete, "\(bytes)")
                    }
                }
            }
        }
    }
}

import CPlatform
import Glibc
import HTTPServer
import TLS
import TestSupport
import Testing

/// What TLS adds to the door: handshakes, who is refused, and a certificate that is exchanged while it serves.
@Suite("TLS", .serialized) struct TLSTests {
    private let authority = TestAuthority.shared

    private func port(_ server: TestServer) -> UInt16 {
        switch server.server.bound[0] {
        case .tcp(_, let port), .tls(_, let port): port
        case .unix: 0
        }
    }

    private func failures(_ server: TestServer, _ failure: TLSGauges.Failure) -> UInt64 {
        server.server.tlsGauges!.failed.first { $0.failure == failure }!.count
    }

    private func openssl(_ server: TestServer, _ arguments: String...) -> String {
        TestAuthority.run(
            "openssl", ["s_client", "-connect", "127.0.0.1:\(port(server))", "-CAfile", authority.certificate] + arguments
        ).output
    }

    @Test("curl speaks to a listener for TLS, and to one that takes both", arguments: [Wire.tls, .tlsBesidePlain])
    func curl(_ wire: Wire) throws {
        let server = try TestServer(wire: wire)
        let (status, output) = TestAuthority.run(
            "curl", ["-sS", "--cacert", authority.certificate, "https://localhost:\(port(server))/hello"])
        #expect(status == 0)
        #expect(output == "/hello")
        #expect(server.server.tlsGauges?.completed.tls13 == 1)
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
        #expect(server.server.gauges.accepted == 1)
    }

    @Test("a listener that takes both serves plain clients as before")
    func plainBeside() throws {
        let server = try TestServer(wire: .tlsBesidePlain)
        #expect(RawClient(server.server.bound[0]).request(get)?.status == 200)
        #expect(server.client().request(get("/peer"))?.text.hasPrefix("loopback") == true)
        #expect(server.server.tlsGauges?.completed.tls12 == 1)
    }

    @Test("TLS 1.2 and 1.3 are spoken, older versions and weak ciphers are not")
    func versions() throws {
        let server = try TestServer(wire: .tls)
        for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let text = openssl(server, flag)
            #expect(text.contains("New, \(version), Cipher is "))
            #expect(text.contains("Verify return code: 0 (ok)") || text.contains("Verification: OK"))
        }
        for flag in ["-tls1", "-tls1_1"] {
            #expect(openssl(server, flag, "-cipher", "ALL:@SECLEVEL=0").contains("alert protocol version"))
        }
        for cipher in ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "NULL:@SECLEVEL=0", "RSA"] {
            #expect(openssl(server, "-tls1_2", "-cipher", cipher).contains("handshake failure"), "\(cipher)")
        }
        #expect(failures(server, .refused) == 6)
    }

    @Test("http/1.1 is chosen of what a client offers, and a client that offers only others is told so")
    func alpn() throws {
        let server = try TestServer(wire: .tls)
        #expect(openssl(server, "-alpn", "h2,http/1.1").contains("ALPN protocol: http/1.1"))
        #expect(openssl(server, "-alpn", "h2").contains("no application protocol"))
        #expect(openssl(server).contains("No ALPN negotiated"))
    }

    @Test("any server name is taken: names are the client's to check", arguments: ["localhost", "other.example", "xn--bcher-kva.example"])
    func serverName(_ name: String) throws {
        let server = try TestServer(wire: .tls)
        #expect(openssl(server, "-servername", name).contains("Verification: OK"))
    }

    @Test("a session goes on in another connection", arguments: ["-tls1_2", "-tls1_3"])
    func resumption(_ version: String) throws {
        let server = try TestServer(wire: .tls)
        let first = RawClient(server.server.bound[0], tls: version == "-tls1_2" ? RawClient.authority12 : RawClient.authority)
        #expect(first.request(get)?.status == 200)
        let second = RawClient(
            server.server.bound[0], tls: version == "-tls1_2" ? RawClient.authority12 : RawClient.authority, resuming: first)
        #expect(second.request(get)?.status == 200)
        #expect(server.server.tlsGauges?.resumed == 1)
    }

    @Test("a client that writes http where https belongs is told so")
    func plainClient() throws {
        let server = try TestServer(wire: .tls)
        let (status, output) = TestAuthority.run("curl", ["-sS", "http://localhost:\(port(server))/hello"])
        #expect(status == 0)
        #expect(output.contains("Write https:// instead of http://."))
        #expect(failures(server, .plain) == 1)
        #expect(server.handler.snapshot.handled.isEmpty)
    }

    @Test("clients refuse us for an authority they do not know, a wrong name, an end that is past")
    func refusedByClients() throws {
        let server = try TestServer(wire: .tls)
        let other = TestAuthority()
        defer { TemporaryFolder.remove(other.folder) }
        #expect(TestAuthority.run("curl", ["-sS", "--cacert", other.certificate, "https://localhost:\(port(server))/"]).status == 60)
        #expect(
            TestAuthority.run(
                "curl", ["-sS", "--cacert", authority.certificate, "--connect-to", "::127.0.0.1:\(port(server))", "https://other.example/"]
            ).status == 60)
        let expired = authority.issue("expired", days: -1)
        server.server.replace(try TLSServerIdentity(chain: expired.certificateBytes, key: expired.keyBytes))
        #expect(TestAuthority.run("curl", ["-sS", "--cacert", authority.certificate, "https://localhost:\(port(server))/"]).status == 60)
        #expect(server.handler.snapshot.handled.isEmpty)
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
    }

    @Test("a new certificate is for new handshakes; connections that are open live on")
    func exchange() throws {
        let server = try TestServer(wire: .tls)
        let old = server.client()
        #expect(old.request(get)?.status == 200)
        old.send(get("/poll"))
        #expect(eventually { server.server.gauges.suspended == 1 })
        let renewed = authority.issue("renewed", names: "DNS:localhost,DNS:renewed.example,IP:127.0.0.1")
        server.server.replace(try TLSServerIdentity(chain: renewed.certificateBytes, key: renewed.keyBytes))
        #expect(eventually { openssl(server).contains("subject=CN = renewed") })
        #expect(server.client().request(get)?.status == 200)
        server.handler.snapshot.tickets[0].complete(TestHandler.text("news"))
        #expect(old.reply()?.text == "news")
    }

    @Test("an RSA certificate with its chain is shown in whole")
    func chain() throws {
        let middle = authority.issue("middle", names: "DNS:middle.example", usage: "basicConstraints=critical,CA:TRUE")
        let leaf = authority.issue("rsa", key: ["rsa:2048"], issuer: middle)
        let identity = try TLSServerIdentity(chain: leaf.certificateBytes + middle.certificateBytes, key: leaf.keyBytes)
        let server = try TestServer(wire: .tls) { $0.identity = identity }
        #expect(server.client().request(get)?.status == 200)
        #expect(TestAuthority.run("curl", ["-sS", "--cacert", authority.certificate, "https://localhost:\(port(server))/"]).status == 0)
    }

    @Test("a client that asks to renegotiate is served on in the session it has")
    func renegotiation() throws {
        let server = try TestServer(wire: .tls)
        let folder = TemporaryFolder()
        // `R` on a line of its own asks for it; what follows is the request.
        TestAuthority.write("R\nGET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", to: folder.file("input"))
        let text = TestAuthority.run(
            "sh",
            [
                "-c",
                "openssl s_client -connect 127.0.0.1:\(port(server)) -tls1_2 -CAfile \(authority.certificate) < \(folder.file("input")) 2>&1",
            ]
        ).output
        #expect(text.contains("no renegotiation") || text.contains("RENEGOTIATING"))
        #expect(server.server.tlsGauges?.completed.tls12 == 1, "one handshake, not two")
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
        #expect(server.client().request(get)?.status == 200)
    }

    @Test("a large answer and a large body go through whole", arguments: [Wire.tls, .tlsBesidePlain])
    func large(_ wire: Wire) throws {
        let server = try TestServer(bodyMax: 8_000_000, wire: wire)
        let client = server.client()
        let text = try #require(client.request(get("/large?n=6000000"))?.text)
        #expect(text.utf8.count == 6_000_000)
        let body = [UInt8]((0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) })
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\r\n")
        client.send(body)
        #expect(client.reply()?.body == body)
    }

    @Test("a client that closes without close_notify leaves nothing behind", arguments: [true, false])
    func closedWithoutNotice(_ politely: Bool) throws {
        let server = try TestServer(wire: .tls)
        for path in ["/hello", "/poll", "/stream"] {
            let client = server.client()
            client.send(get(path))
            if path == "/hello" { #expect(client.reply()?.status == 200) }
            if path == "/poll" { #expect(eventually { server.server.gauges.suspended == 1 }) }
            if path == "/stream" { #expect(eventually { server.handler.snapshot.stream != nil }) }
            if politely { shutdown(client.descriptor, Int32(SHUT_RDWR)) } else { client.abort() }
        }
        #expect(eventually { server.server.gauges.connections == 0 })
        #expect(eventually { server.server.tlsGauges!.connections == 0 })
        #expect(server.handler.snapshot.departed.count == 1)
        #expect(eventually { server.handler.snapshot.streamsClosed == 1 })
    }

    @Test("an origin is ours over TLS if it is https")
    func origin() throws {
        let server = try TestServer(wire: .tls)
        for _ in 0..<2 {
            #expect(server.client().request(get("/", "Origin: https://localhost\r\n"))?.status == 200)
            #expect(server.client().request(get("/", "Origin: http://localhost\r\n"))?.status == 403)
        }
        #expect(server.client().request("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")?.status == 200)
        #expect(server.client().request("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")?.status == 403)
    }
}

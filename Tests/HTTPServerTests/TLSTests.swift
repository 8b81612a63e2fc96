import CPlatform
import Glibc
import HTTPServer
import TLS
import TestSupport
import Testing

/// What TLS adds to the door: handshakes, who is refused, and that nobody can make the TLS thread spin.
@Suite("TLS", .serialized) struct TLSTests {
    private let authority = TestAuthority.shared

    private func port(_ server: TestServer) -> UInt16 {
        switch server.server.bound[0] {
        case .tcp(_, let port), .tls(_, let port): port
        case .unix: 0
        }
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
    }
}

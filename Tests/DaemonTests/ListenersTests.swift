import Domain
import HTTPServer
import ServiceManager
import Testing

@testable import Daemon

/// Which sockets are bound and in what, from what systemd handed over and what the configuration says.
@Suite("listeners") struct ListenersTests {
    private let addresses: [Int32: HTTPAddress] = [
        3: .tcp(host: "127.0.0.1", port: 8_500), 4: .unix(path: "/run/posto/posto.sock"), 5: .tcp(host: "10.1.2.3", port: 8_500),
    ]

    private func choose(
        _ descriptors: [Int32], _ http: [String], tls: Bool = false, plainLAN: Bool = false
    ) throws(DaemonFailure) -> [HTTPListener] {
        var listen = Configuration.Listen()
        listen.http = http.map { SocketAddress($0)! }
        listen.socket = "/s"
        listen.allowPlainLAN = plainLAN
        if tls { (listen.tlsCertificate, listen.tlsKey) = ("/c", "/k") }
        let activated = descriptors.map { ActivatedSocket(descriptor: $0, name: "", family: $0 == 4 ? .unix : .tcp) }
        return try Listeners.choose(listen, activated: activated, address: { addresses[$0] })
    }

    @Test("without systemd all addresses are bound, those of the network in TLS if there is a certificate")
    func alone() throws {
        let lan = HTTPListener.tcp(host: "10.1.2.3", port: 1)
        let own = HTTPListener.tcp(host: "::1", port: 2)
        #expect(try choose([], ["10.1.2.3:1", "[::1]:2"], tls: true) == [.tls(lan), own, .unix(path: "/s")])
        #expect(try choose([], ["10.1.2.3:1", "[::1]:2"], plainLAN: true) == [lan, own, .unix(path: "/s")])
        #expect(try choose([], ["10.1.2.3:1"], tls: true, plainLAN: true) == [lan, .unix(path: "/s")])
    }

    @Test("sockets of systemd replace loopback addresses and the Unix socket; addresses in TLS are bound beside them")
    func activated() throws {
        #expect(try choose([3, 4], ["127.0.0.1:8500"]) == [.descriptor(3), .descriptor(4)])
        #expect(
            try choose([3, 4], ["127.0.0.1:9000", "10.1.2.3:8500"], tls: true)
                == [.descriptor(3), .descriptor(4), .tls(.tcp(host: "10.1.2.3", port: 8_500))])
        #expect(try choose([5, 4], ["10.1.2.3:8500"], tls: true) == [.tls(.descriptor(5)), .descriptor(4)])
        #expect(try choose([5, 4], ["10.1.2.3:8500"], plainLAN: true) == [.descriptor(5), .descriptor(4)])
    }

    @Test("a socket of systemd on the network without a certificate is refused")
    func plainNetwork() {
        do throws(DaemonFailure) {
            _ = try choose([5], [])
            Issue.record("it was taken")
        } catch {
            #expect(error.code == 78)
            #expect(error.message.contains("10.1.2.3:8500"))
        }
    }
}

import Domain
import HTTPServer
import TLS

/// What the node says about where it listens, and about TLS there.
extension APIServer {
    func listenersDocument(_ json: inout JSONWriter) {
        guard let server else { return }
        json.key("listeners")
        json.array { json in
            for address in server.bound {
                json.object { json in
                    switch address {
                    case .tcp(let host, let port):
                        json.key("address"); json.string(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
                        json.key("tls"); json.string(server.tlsGauges == nil ? "none" as StaticString : "accepted")
                    case .tls(let host, let port):
                        json.key("address"); json.string(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
                        json.key("tls"); json.string("required" as StaticString)
                    case .unix(let path):
                        json.key("address"); json.string("unix:\(path)")
                        json.key("tls"); json.string("none" as StaticString)
                    }
                }
            }
        }
        json.key("certificate")
        guard let certificate = readings().certificate else { return json.null() }
        json.object { json in
            json.key("subject"); json.string(certificate.subject)
            json.key("issuer"); json.string(certificate.issuer)
            json.key("names")
            json.array { json in for name in certificate.names { json.string(name) } }
            json.key("not_before"); json.timestamp(certificate.notBefore)
            json.key("not_after"); json.timestamp(certificate.notAfter)
            json.key("sha256"); json.string(certificate.fingerprint)
        }
    }

    func tlsMetrics(to text: inout MetricsWriter) {
        guard let tls = server?.tlsGauges else { return }
        text.gauge("posto_tls_connections", "Connections over TLS, unfinished handshakes included.", Double(tls.connections))
        text.gauge("posto_tls_handshaking", "Handshakes that have not ended.", Double(tls.handshaking))
        let completed = tls.completed
        text.counter(
            "posto_tls_handshakes_total", "Handshakes that ended well.",
            [("version=\"1.2\"", completed.tls12), ("version=\"1.3\"", completed.tls13)])
        text.counter("posto_tls_resumptions_total", "Handshakes that went on with an earlier session.", tls.resumed)
        text.counter(
            "posto_tls_handshake_failures_total", "Connections that never got as far as a request, by reason.",
            tls.failed.map { ("reason=\"\($0.failure.name)\"", $0.count) })
    }
}

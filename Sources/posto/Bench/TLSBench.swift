import Domain
import Glibc
import TLS

/// Look-ups and handshakes over TLS, against libmicrohttpd with an empty handler and its own TLS.
enum TLSBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("tls")
        let certificate = folder + "/certificate.pem"
        let key = folder + "/key.pem"
        let status = try BenchChild.run(
            "openssl",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                certificate, "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            ])
        guard status == 0 else { throw BenchFailure("the command openssl, which makes the certificate, is missing or failed") }
        let client: TLSClient
        do throws(TLSError) {
            client = try TLSClient(authorities: Array(ProcFigures.text(certificate).utf8))
        } catch {
            throw BenchFailure("\(error)")
        }
        let daemon = try BenchChild.daemon(
            folder, environment: ["POSTO_LISTEN__TLS_CERTIFICATE=\(certificate)", "POSTO_LISTEN__TLS_KEY=\(key)"])
        for number in 0..<20 {
            try LoadRequest.answer(
                port: daemon.port, LoadRequest.bytes("POST", "/api/v1/register", body: BenchService(number).registration))
        }
        let request = LoadRequest.bytes("GET", "/api/v1/services/\(BenchService(7).name)")
        let (answered, body) = try LoadRequest.answer(port: daemon.port, request)
        guard answered == 200 else { throw BenchFailure("the look-up answered \(answered)") }
        let floor = try FloorServer.start(folder, body: body, more: ["--certificate", certificate, "--key", key])
        for connections in [1, 8, 64] {
            let ours = try LoadGenerator(port: daemon.port, connections: connections, tls: client)
            let below = try LoadGenerator(port: floor.port, connections: connections, tls: client)
            let pairing = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
                try below.run(setting, request: request, against: floor.process)
            } ours: { () throws(BenchFailure) in
                try ours.run(setting, request: request, against: daemon.process)
            }
            report.add(figure("look-up over TLS, \(connections) connection\(connections == 1 ? "" : "s")", pairing))
        }
        let handshakes = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
            try HandshakeLoad.run(setting, port: floor.port, client, against: floor.process)
        } ours: { () throws(BenchFailure) in
            try HandshakeLoad.run(setting, port: daemon.port, client, against: daemon.process)
        }
        report.add(figure("full handshakes (P-256), 16 at once", handshakes))
        try plainBesideStorm(daemon.port, client, request, setting, &report)
        floor.stop()
        daemon.stop()
        try setting.remove(folder)
    }

    /// Some 200 requests a second, each after a rest. A client that never rests, as the paced load has, would take the processor from the
    /// threads that are looked at.
    private static func ask(_ connection: inout LoadConnection, _ setting: BenchSetting) throws(BenchFailure) -> LoadResult {
        var result = LoadResult()
        let began = LoadClock.now()
        while LoadClock.now() - began < setting.nanoseconds * UInt64(setting.rounds) {
            try connection.send(at: LoadClock.now())
            var progress = LoadConnection.Progress.partial
            while progress == .partial { progress = connection.receive(wait: true) }
            guard progress == .whole else { throw BenchFailure("the server closed a connection") }
            result.latencies.append(UInt32(clamping: LoadClock.now() - connection.since))
            poll(nil, 0, 4)
        }
        return result
    }

    private static func figure(_ name: String, _ pairing: Pairing) -> BenchFigure {
        BenchFigure(
            name: name, value: pairing.rate, unit: "/s", floor: ("libmicrohttpd's own TLS", pairing.floorRate), ratio: pairing.ratio,
            p50: pairing.ours.percentile(50), p99: pairing.ours.percentile(99), note: pairing.costNote)
    }

    /// What a caller of loopback without TLS waits while another process makes handshakes as fast as it can.
    private static func plainBesideStorm(
        _ port: UInt16, _ client: TLSClient, _ request: [UInt8], _ setting: BenchSetting, _ report: inout BenchReport
    ) throws(BenchFailure) {
        var plain = try LoadConnection(port: port)
        plain.request = request
        let quiet = try ask(&plain, setting)
        let storm = HandshakeStorm(port: port, client)
        storm.start()
        let loud = try ask(&plain, setting)
        storm.stop()
        report.add(
            BenchFigure(
                name: "plain look-up beside a storm of handshakes, p50", value: loud.percentile(50), unit: "ms",
                floor: ("without the storm", quiet.percentile(50)), p50: loud.percentile(50), p99: loud.percentile(99)))
    }
}

/// Look-ups of one service against libmicrohttpd with an empty handler that sends the same body.
enum LookupBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("lookup")
        let daemon = try BenchChild.daemon(folder)
        // A few neighbours, and an hour of lease: what is asked stays as it is.
        for number in 0..<20 {
            let request = LoadRequest.bytes("POST", "/api/v1/register", body: BenchService(number).registration)
            try LoadRequest.answer(port: daemon.port, request)
        }
        let request = LoadRequest.bytes("GET", "/api/v1/services/\(BenchService(7).name)")
        let (status, body) = try LoadRequest.answer(port: daemon.port, request)
        guard status == 200 else { throw BenchFailure("the look-up answered \(status)") }
        let floor = try FloorServer.start(folder, body: body)
        for connections in [1, 8, 64] {
            let ours = try LoadGenerator(port: daemon.port, connections: connections)
            let below = try LoadGenerator(port: floor.port, connections: connections)
            let pairing = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
                try below.run(setting, request: request, against: floor.process)
            } ours: { () throws(BenchFailure) in
                try ours.run(setting, request: request, against: daemon.process)
            }
            report.add(
                BenchFigure(
                    name: "look-up, \(connections) connection\(connections == 1 ? "" : "s")", value: pairing.rate, unit: "/s",
                    floor: ("empty handler", pairing.floorRate), ratio: pairing.ratio, goal: .ratioAtLeast(0.9),
                    p50: pairing.ours.percentile(50), p99: pairing.ours.percentile(99), note: pairing.costNote))
        }
        try paced(daemon.port, floor.port, request, setting, &report)
        floor.stop()
        daemon.stop()
        try setting.remove(folder)
    }

    private static func paced(
        _ port: UInt16, _ floorPort: UInt16, _ request: [UInt8], _ setting: BenchSetting, _ report: inout BenchReport
    ) throws(BenchFailure) {
        let ours = try LoadGenerator(port: port, connections: 64)
        let below = try LoadGenerator(port: floorPort, connections: 64)
        let pairing = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
            try below.runPaced(perSecond: 10_000, nanoseconds: setting.nanoseconds, request: request)
        } ours: { () throws(BenchFailure) in
            try ours.runPaced(perSecond: 10_000, nanoseconds: setting.nanoseconds, request: request)
        }
        report.add(
            BenchFigure(
                name: "look-up at 10,000/s, p99", value: pairing.ours.percentile(99), unit: "ms",
                floor: ("empty handler", pairing.floor.percentile(99)), goal: .atMost(2), p50: pairing.ours.percentile(50),
                p99: pairing.ours.percentile(99)))
    }
}

/// The services that the measurements register.
struct BenchService {
    let number: Int

    init(_ number: Int) { self.number = number }

    var name: String { "service-\(number)" }
    var id: String { "service-\(number)-1" }
    /// Ten addresses' worth of ports each, all of loopback, where nobody listens.
    var host: String { "127.\(10 + number / 2_000_000).\(number / 10_000 % 200).\(1 + number / 50_000)" }
    var port: Int { 10_000 + number % 50_000 }

    var registration: [UInt8] { registration(ttlSeconds: 3_600) }

    func registration(ttlSeconds: Int) -> [UInt8] {
        Array(
            #"{"service_name":"\#(name)","id":"\#(id)","host":"\#(host)","port":\#(port),"health_endpoint":"/health","version":"1.4.2","ttl_seconds":\#(ttlSeconds),"tags":["branch","till"],"metadata":{"owner":"team-8"}}"#
                .utf8)
    }

    var heartbeat: [UInt8] { LoadRequest.bytes("POST", "/api/v1/heartbeat/\(name)/\(id)") }
}

/// The floor of HTTP as a process of its own, so that both sides pay the same for changing between processes.
enum FloorServer {
    /// - Parameter more: further arguments of `bench-floor`.
    static func start(_ folder: String, body: [UInt8], more: [String] = []) throws(BenchFailure) -> BenchChild {
        let path = folder + "/floor-body"
        try BenchFile.write(path, body)
        return try BenchChild.start(["bench-floor", path] + more)
    }
}

/// Renewals of 1,000 leases in turn, against libmicrohttpd with an empty handler that sends the same body.
enum HeartbeatBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("heartbeat")
        let daemon = try BenchChild.daemon(folder)
        let services = (0..<1_000).map { BenchService($0) }
        try Registering.register(services, port: daemon.port)
        let requests = services.map(\.heartbeat)
        let (_, body) = try LoadRequest.answer(port: daemon.port, requests[0])
        let floor = try FloorServer.start(folder, body: body)
        for connections in [1, 8, 64] {
            let ours = try LoadGenerator(port: daemon.port, connections: connections)
            let below = try LoadGenerator(port: floor.port, connections: connections)
            func load(_ generator: LoadGenerator, _ process: Int32) throws(BenchFailure) -> LoadResult {
                let before = ProcFigures.cpuNanoseconds(process)
                var next = 0
                var result = try generator.run(nanoseconds: setting.nanoseconds) { request in
                    request = requests[next % requests.count]
                    next += 1
                    return true
                }
                result.serverNanoseconds = ProcFigures.cpuNanoseconds(process) - before
                guard result.errors == 0 else { throw BenchFailure("\(result.errors) renewals were refused") }
                return result
            }
            let pairing = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
                try load(below, floor.process)
            } ours: { () throws(BenchFailure) in
                try load(ours, daemon.process)
            }
            report.add(
                BenchFigure(
                    name: "heartbeat, \(connections) connection\(connections == 1 ? "" : "s")", value: pairing.rate, unit: "/s",
                    floor: ("empty handler", pairing.floorRate), ratio: pairing.ratio, goal: connections == 64 ? .atLeast(30_000) : nil,
                    p50: pairing.ours.percentile(50), p99: pairing.ours.percentile(99), note: pairing.costNote))
        }
        floor.stop()
        daemon.stop()
        try setting.remove(folder)
    }
}

/// Registers many services as fast as they are taken.
enum Registering {
    static func register(_ services: [BenchService], ttlSeconds: Int = 3_600, port: UInt16) throws(BenchFailure) {
        let generator = try LoadGenerator(port: port, connections: min(64, services.count))
        var next = 0
        let result = try generator.run { request in
            guard next < services.count else { return false }
            request = LoadRequest.bytes("POST", "/api/v1/register", body: services[next].registration(ttlSeconds: ttlSeconds))
            next += 1
            return true
        }
        guard result.errors == 0 else { throw BenchFailure("\(result.errors) registrations were refused") }
    }
}

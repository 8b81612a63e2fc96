/// Floor and daemon in turn, so that a machine that slows down slows both.
struct Pairing {
    var ours = LoadResult()
    var floor = LoadResult()
    private var ratios: [Double] = []
    private var rates: [Double] = []
    private var floorRates: [Double] = []

    /// Which of the two begins changes from pair to pair.
    static func run(
        _ rounds: Int, floor: () throws(BenchFailure) -> LoadResult, ours: () throws(BenchFailure) -> LoadResult
    ) throws(BenchFailure) -> Pairing {
        var pairing = Pairing()
        for round in 0..<rounds {
            if round % 2 == 0 {
                let below = try floor()
                pairing.add(try ours(), below)
            } else {
                let measured = try ours()
                pairing.add(measured, try floor())
            }
        }
        return pairing
    }

    private mutating func add(_ measured: LoadResult, _ below: LoadResult) {
        ours.add(measured)
        floor.add(below)
        rates.append(measured.perSecond)
        floorRates.append(below.perSecond)
        if below.perSecond > 0 { ratios.append(measured.perSecond / below.perSecond) }
    }

    /// Medians over the rounds.
    var rate: Double { rates.median }
    var floorRate: Double { floorRates.median }
    var ratio: Double { ratios.median }

    /// Processor time of a request here and there, which a busy machine changes least.
    var costNote: String? {
        guard ours.serverNanoseconds > 0, floor.serverNanoseconds > 0 else { return nil }
        let cost = ours.serverMicrosecondsEach
        let below = floor.serverMicrosecondsEach
        return "processor time of the server per request \(BenchReport.number(cost)) µs, floor \(BenchReport.number(below)) µs"
            + " (\(BenchReport.number(below / cost)) of ours); ratios of the pairs "
            + ratios.map(BenchReport.number).joined(separator: " ")
    }
}

extension LoadGenerator {
    /// A closed loop of one request, with the processor time that it cost the server.
    func run(_ setting: BenchSetting, request: [UInt8], against process: Int32) throws(BenchFailure) -> LoadResult {
        let before = ProcFigures.cpuNanoseconds(process)
        var result = try run(nanoseconds: setting.nanoseconds) { current in
            if current.isEmpty { current = request }
            return true
        }
        result.serverNanoseconds = ProcFigures.cpuNanoseconds(process) - before
        guard result.errors == 0 else { throw BenchFailure("\(result.errors) requests were refused") }
        return result
    }
}

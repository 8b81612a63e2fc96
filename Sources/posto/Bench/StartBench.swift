import Glibc

/// From exec(2) to the first answer.
enum StartBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let runs = setting.rounds * 2
        var floor: [Double] = []
        var first: [Double] = []
        var empty: [Double] = []
        var folder = ""
        for _ in 0..<runs {
            floor.append(try bareExec())
            folder = try setting.fresh("start")
            first.append(try start(folder))
            empty.append(try start(folder))
        }
        report.add(figure("start: exec to first answer, the very first", first, floor, goal: 50))
        report.add(figure("start: exec to first answer, empty", empty, floor, goal: 50))
        try setting.remove(folder)
        let large = try LargeStore.open(setting)
        var full: [Double] = []
        floor = []
        for _ in 0..<runs {
            floor.append(try bareExec())
            full.append(try start(large.folder, extra: large.arguments))
        }
        var last = figure("start: exec to first answer, 100,000 instances and 10 million records", full, floor, goal: 100)
        last.note = large.note
        report.add(last)
    }

    private static func figure(_ name: String, _ times: [Double], _ floor: [Double], goal: Double) -> BenchFigure {
        BenchFigure(
            name: name, value: times.median, unit: "ms", floor: ("exec and end", floor.median), goal: .atMost(goal),
            note: "of \(times.count) starts \(BenchReport.number(times.min()!)) to \(BenchReport.number(times.max()!)) ms")
    }

    /// Starts a daemon, asks it, and ends it; milliseconds until its answer was there.
    private static func start(_ folder: String, extra: [String] = []) throws(BenchFailure) -> Double {
        let daemon = try BenchChild.daemon(folder, extra: extra)
        let (status, _) = try LoadRequest.answer(port: daemon.port, LoadRequest.bytes("GET", "/api/v1/services?limit=1"))
        let milliseconds = Double(LoadClock.now() - daemon.started) / 1e6
        guard status == 200 else { throw BenchFailure("the first answer was \(status)") }
        daemon.stop()
        return milliseconds
    }

    /// The same program, which says its version and ends: loading it and its libraries.
    private static func bareExec() throws(BenchFailure) -> Double {
        let began = LoadClock.now()
        _ = try BenchChild.run(BenchChild.ownPath, ["posto", "--version"])
        return Double(LoadClock.now() - began) / 1e6
    }
}

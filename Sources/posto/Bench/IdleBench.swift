import Glibc

/// What a daemon costs that has nothing to do.
enum IdleBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("idle")
        let daemon = try BenchChild.daemon(folder)
        try LoadRequest.answer(port: daemon.port, LoadRequest.bytes("GET", "/api/v1/services"))
        // The first turns of housekeeping are part of being idle.
        sleep(3)
        let cpu = ProcFigures.cpuNanoseconds(daemon.process)
        sleep(5)
        let used = ProcFigures.cpuNanoseconds(daemon.process) - cpu
        report.add(
            BenchFigure(
                name: "idle: memory of its own (Pss_Anon)", value: Double(ProcFigures.anonymousBytes(daemon.process)) / 1e6, unit: "MB",
                goal: .atMost(12), note: "\(ProcFigures.threads(daemon.process)) threads"))
        report.add(BenchFigure(name: "idle: processor", value: Double(used) / 5e9 * 100, unit: "%"))
        daemon.stop()
        try size(folder, &report)
        try setting.remove(folder)
    }

    private static func size(_ folder: String, _ report: inout BenchReport) throws(BenchFailure) {
        let copy = folder + "/posto"
        var note: String?
        var status = stat()
        if (try? BenchChild.run("strip", ["strip", "-o", copy, BenchChild.ownPath])) == 0, stat(copy, &status) == 0 {
            note = "after strip"
        } else if stat("/proc/self/exe", &status) == 0 {
            note = "as it is: there is no strip on this machine"
        }
        report.add(BenchFigure(name: "binary", value: Double(status.st_size) / 1e6, unit: "MB", goal: .atMost(20), note: note))
    }
}

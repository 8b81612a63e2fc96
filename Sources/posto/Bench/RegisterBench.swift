import Domain
import Glibc
import Store

/// Durable registrations of new instances, against bare commits of LMDB with as many values of the same sizes.
enum RegisterBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let puts = try measurePuts(setting)
        for (connections, goal) in [(64, BenchFigure.Goal.atLeast(20_000)), (8, nil), (1, .ratioAtLeast(0.7))] {
            var cost: [Double] = []
            let pairing = try Pairing.run(setting.rounds) { () throws(BenchFailure) in
                try commits(puts, times: connections, setting)
            } ours: { () throws(BenchFailure) in
                let result = try register(connections, setting)
                cost.append(result.serverMicrosecondsEach)
                return result
            }
            report.add(
                BenchFigure(
                    name: "register, \(connections) connection\(connections == 1 ? "" : "s")", value: pairing.rate, unit: "/s",
                    floor: ("bare LMDB commits of \(connections)", pairing.floorRate), ratio: pairing.ratio, goal: goal,
                    p50: pairing.ours.percentile(50), p99: pairing.ours.percentile(99),
                    note: "processor time of the daemon per registration \(BenchReport.number(cost.median)) µs"))
            if connections == 8 {
                report.add(
                    BenchFigure(
                        name: "register, 8 connections, p50", value: pairing.ours.percentile(50), unit: "ms",
                        floor: ("bare LMDB commit of 8", pairing.floor.percentile(50)), goal: .atMost(2)))
            }
        }
    }

    /// Each load on a fresh node, so that the last one finds what the first one found.
    private static func register(_ connections: Int, _ setting: BenchSetting) throws(BenchFailure) -> LoadResult {
        let folder = try setting.fresh("register")
        let daemon = try BenchChild.daemon(folder)
        let generator = try LoadGenerator(port: daemon.port, connections: connections)
        var next = 0
        let before = ProcFigures.cpuNanoseconds(daemon.process)
        var result = try generator.run(nanoseconds: setting.nanoseconds) { request in
            request = LoadRequest.bytes("POST", "/api/v1/register", body: BenchService(next).registration)
            next += 1
            return next < Limits.instancesMax
        }
        result.serverNanoseconds = ProcFigures.cpuNanoseconds(daemon.process) - before
        guard result.errors == 0 else { throw BenchFailure("\(result.errors) registrations were refused") }
        daemon.stop()
        try setting.remove(folder)
        return result
    }

    /// Commits of so many registrations each; a latency is that of a commit, once for each registration in it.
    private static func commits(_ puts: Puts, times: Int, _ setting: BenchSetting) throws(BenchFailure) -> LoadResult {
        let folder = try setting.fresh("register-floor")
        var result = LoadResult()
        do throws(StoreError) {
            let floor = try StoreFloor(path: folder + "/floor.mdb")
            let began = LoadClock.now()
            var last = began
            while last - began < setting.nanoseconds {
                try floor.commit(puts.each, times: times, once: puts.once)
                let now = LoadClock.now()
                result.latencies.append(contentsOf: repeatElement(UInt32(clamping: now - last), count: times))
                last = now
            }
            result.nanoseconds = last - began
        } catch {
            throw BenchFailure("\(error)")
        }
        try setting.remove(folder)
        return result
    }

    private struct Puts {
        var each: [StoreFloor.Put] = []
        var once: [StoreFloor.Put] = []
    }

    /// What one registration writes, read from a store after some.
    private static func measurePuts(_ setting: BenchSetting) throws(BenchFailure) -> Puts {
        let folder = try setting.fresh("register")
        let daemon = try BenchChild.daemon(folder)
        try Registering.register((0..<200).map { BenchService($0) }, port: daemon.port)
        daemon.stop()
        var puts = Puts()
        do throws(StoreError) {
            let environment = try StoreEnvironment.open(
                StoreEnvironment.Options(path: folder + "/state/store/state.mdb", budgetBytes: 1 << 30))
            try environment.openTables([.stream(0, named: "state"), .stream(1, named: "audit")])
            try environment.read { (transaction) throws(StoreError) in
                let tables: [(Table, appended: Bool)] = [
                    (.stream(0, named: "state"), true), (.stream(1, named: "audit"), true), (.instances, false), (.addresses, false),
                    (.leases, true),
                ]
                for (index, entry) in tables.enumerated() {
                    _ = try transaction.last(entry.0) { (key, payload, _) throws(StoreError) in
                        puts.each.append(
                            StoreFloor.Put(
                                table: index, keyBytes: key.count, valueBytes: payload.count + RecordHeader.size, isAppended: entry.appended
                            ))
                    }
                }
                // One row a stream and commit: where it stands.
                for table in [6, 7] { puts.once.append(StoreFloor.Put(table: table, keyBytes: 8, valueBytes: 184, isSame: true)) }
            }
        } catch {
            throw BenchFailure("\(error)")
        }
        try setting.remove(folder)
        return puts
    }
}

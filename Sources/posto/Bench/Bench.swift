import Arguments
import CPlatform
import Domain
import Glibc
import HTTPServer

/// `posto bench`: measurements.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this build on this machine.", subcommands: [DaemonBench.self, DecisionBench.self],
        defaultSubcommand: DaemonBench.self)
}

/// `posto bench [NAME]`: what this build does on this machine, each figure beside its floor in the same run.
struct DaemonBench: ParsableCommand {
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case idle, lookup, tls, register, heartbeat, leases, watch, start
    }

    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Measure the daemon; what `posto bench` does when nothing else is named.",
        discussion: """
            Starts this very program as a daemon in a folder of its own, loads it, and prints each figure beside what the machine does without \
            it in the same minutes: ratios hold where absolute figures do not. Nothing else should run meanwhile. Needs some 8 GB in the folder \
            for `start`, a quarter of it otherwise, and about ten minutes in all.

            Exit code 1: a goal was missed.
            """)

    @Argument(help: "What to measure; all of it if absent.")
    var names: [Name] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Seconds of each load.")
    var seconds = 1

    @Option(help: "Alternating rounds of floor and daemon.")
    var rounds = 5

    @Option(help: ArgumentHelp("Folder for states and for the large store, which is kept; a real disk, not memory.", valueName: "dir"))
    var folder = "/var/tmp/posto-bench"

    func validate() throws {
        guard (1...3_600).contains(seconds) else { throw ValidationError("--seconds is 1 to 3600") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is 1 to 100") }
    }

    func run() throws {
        Self.raiseDescriptorLimit()
        var report = BenchReport()
        do throws(BenchFailure) {
            let setting = BenchSetting(nanoseconds: UInt64(seconds) * 1_000_000_000, rounds: rounds, folder: folder)
            try setting.prepare()
            for name in names.isEmpty ? Name.allCases : names {
                Terminal.note("bench: \(name.rawValue) …")
                try Self.measure(name, setting, &report)
            }
        } catch {
            if !report.figures.isEmpty { Terminal.print(report.table) }
            Terminal.fail("bench: \(error)", hint: "the folder \(folder) must be on a disk with room, and nothing else should use it")
            throw ExitCode(74)
        }
        Terminal.print(json ? String(decoding: report.json, as: UTF8.self) : report.table)
        if report.figures.contains(where: { $0.isMet == false }) { throw ExitCode(1) }
    }

    private static func measure(_ name: Name, _ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        switch name {
        case .idle: try IdleBench.run(setting, &report)
        case .lookup: try LookupBench.run(setting, &report)
        case .tls: try TLSBench.run(setting, &report)
        case .register: try RegisterBench.run(setting, &report)
        case .heartbeat: try HeartbeatBench.run(setting, &report)
        case .leases: try LeaseBench.run(setting, &report)
        case .watch: try WatchBench.run(setting, &report)
        case .start: try StartBench.run(setting, &report)
        }
    }

    /// Five thousand clients need as many descriptors, and the daemon, which inherits the limit, too.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// How long, how often, and where.
struct BenchSetting {
    let nanoseconds: UInt64
    let rounds: Int
    let folder: String

    func prepare() throws(BenchFailure) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw BenchFailure("cannot make \(folder): errno \(errno)") }
    }

    /// An empty folder, whatever was there.
    func fresh(_ name: String) throws(BenchFailure) -> String {
        let path = folder + "/" + name
        _ = try BenchChild.run("rm", ["rm", "-rf", path])
        guard mkdir(path, 0o700) == 0 else { throw BenchFailure("cannot make \(path): errno \(errno)") }
        return path
    }

    func remove(_ path: String) throws(BenchFailure) { _ = try BenchChild.run("rm", ["rm", "-rf", path]) }
}

/// `posto bench-floor`: libmicrohttpd with an empty handler and our loop, answering what standard input held. For `bench` alone.
struct BenchFloor: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The floor of bench.", shouldDisplay: false)

    @Argument(help: "The file whose bytes are the answer.")
    var body: String

    @Option(help: "Speak libmicrohttpd's own TLS, with this certificate.")
    var certificate: String?

    @Option(help: "And this key.")
    var key: String?

    func run() throws {
        let floor = try HTTPFloor(
            listener: .tcp(host: "127.0.0.1", port: 0), body: Array(ProcFigures.text(body).utf8),
            certificate: certificate.map(ProcFigures.text), key: key.map(ProcFigures.text))
        floor.start()
        guard case .tcp(let host, let port) = floor.bound[0] else { return }
        Terminal.print("posto ready http=\(host):\(port)")
        while true { pause() }
    }
}

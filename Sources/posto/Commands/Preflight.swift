import Arguments
import Daemon
import Domain

/// `posto preflight`: whether a first start will go well.
struct Preflight: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check what a first start needs, and change nothing.",
        discussion: """
            Run it as the user that the daemon will be. The exit status is 1 if something would keep the daemon from starting or from keeping its \
            promises; warnings do not count.

            Example: posto preflight --state /var/lib/posto
            """)

    @Option(help: ArgumentHelp("Read this configuration instead of /etc/posto/posto.toml.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The state folder.", valueName: "dir"))
    var state = "/var/lib/posto"

    @Option(help: ArgumentHelp("Where the daemon will listen for HTTP; may be repeated.", valueName: "addr:port"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("The Unix socket of the daemon.", valueName: "path"))
    var socket: String?

    @Flag(help: "As posto serve --dev would start.")
    var dev = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let sources = ConfigurationSources(
            file: config, environment: ConfigurationSources.processEnvironment(), listen: listen, socket: socket, stateFolder: state,
            isDevelopment: dev)
        var findings: [Finding] = []
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try ConfigurationLoader.load(sources)
            findings.append(
                Finding(
                    .ok, "configuration",
                    configuration.files.isEmpty ? "no file, the defaults hold" : configuration.files.joined(separator: ", ")))
        } catch {
            configuration = Configuration()
            for problem in error.problems {
                var sentence = problem
                sentence.hint = nil
                findings.append(Finding(.fail, "configuration", "\(sentence)", hint: problem.hint))
            }
        }
        findings += StateCheck.findings(StateFolder(state), storeBytesMax: configuration.store.sizeMaxBytes)
        findings += AddressCheck.findings(configuration.listen)
        findings += HostCheck.findings()
        show(findings)
        if findings.contains(where: { $0.level == .fail }) { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func show(_ findings: [Finding]) {
        if json { return Terminal.print(document(findings)) }
        var table = TextTable(["", "", ""])
        for finding in findings {
            table.add([
                TextTable.Cell(finding.level.rawValue, finding.level.colour), TextTable.Cell(finding.subject),
                TextTable.Cell(finding.message),
            ])
            if let hint = finding.hint { table.add(["", "", "hint: \(hint)"]) }
        }
        table.show()
        let failures = findings.count { $0.level == .fail }
        let warnings = findings.count { $0.level == .warn }
        Terminal.print(
            failures == 0
                ? "Ready to start\(warnings == 0 ? "" : ", with \(HumanText.count(warnings, "warning"))")."
                : "Not ready: \(HumanText.count(failures, "thing")) to put right.")
    }

    private func document(_ findings: [Finding]) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.key("ready"); json.bool(!findings.contains { $0.level == .fail })
            json.key("checks")
            json.array { json in
                for finding in findings {
                    json.object { json in
                        json.key("level"); json.string(finding.level.rawValue)
                        json.key("subject"); json.string(finding.subject)
                        json.key("message"); json.string(finding.message)
                        if let hint = finding.hint { json.key("hint"); json.string(hint) }
                    }
                }
            }
        }
        return json.finish()
    }
}

/// One line of the preflight.
struct Finding: Equatable {
    enum Level: String {
        case ok, warn, fail

        var colour: TextTable.Colour {
            switch self {
            case .ok: .good
            case .warn: .warning
            case .fail: .bad
            }
        }
    }

    let level: Level
    let subject: String
    let message: String
    let hint: String?

    init(_ level: Level, _ subject: String, _ message: String, hint: String? = nil) {
        self.level = level
        self.subject = subject
        self.message = message
        self.hint = hint
    }
}

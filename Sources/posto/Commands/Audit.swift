import ArgumentParser
import Domain

/// `posto audit`: the audit trail.
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read and verify the audit trail.",
        discussion: """
            Example: posto audit verify
            """,
        subcommands: [AuditShow.self, AuditVerify.self])
}

/// `posto audit verify`
struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compute the hash chain of the audit trail again.",
        discussion: """
            Each record carries the SHA-256 of itself and all before it. The exit status is 1 if a record was changed, removed or put in; the \
            first one that does not fit is named.

            Example: posto audit verify --state /var/lib/posto
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try StreamVerification.run(state, server, json: json) { (_) throws(CommandFailure) in ["audit"] }
    }
}

/// `posto audit show`
struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show who did what, when, from where, and what came of it.",
        discussion: """
            Shows the last records, or those after --since.

            Example: posto audit show --limit 50
            """)

    @Option(help: ArgumentHelp("Show what came after this sequence number.", valueName: "seq"))
    var since: UInt64?

    @Option(help: ArgumentHelp("Show at most so many.", valueName: "n"))
    var limit = 20

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print the CloudEvents, one a line.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() throws {
        let source = try JournalSource(state, server)
        let last = StreamText.unsigned(try source.stream("audit")["last_seq"])
        var table = TextTable([">SEQ", "WHEN", "WHO", "FROM", "WHAT", "WHICH", "RESULT"])
        try source.events(of: "audit", after: since ?? last - min(last, UInt64(limit)), limit: limit) { (event) throws(CommandFailure) in
            if json {
                Terminal.print(String(decoding: event, as: UTF8.self))
            } else {
                table.add(Self.row((try? JSONDocument.parse(Array(event)))?.root))
            }
            return true
        }
        if json { return }
        if table.isEmpty { Terminal.print("There is no such record.") } else { table.show() }
    }

    private static func row(_ event: JSONValue?) -> [String] {
        let data = event?["data"]
        let result = data?["result"]
        return [
            event?["postoseq"]?.string ?? "?", event?["time"]?.string ?? "?",
            "\(data?["who"]?["principal"]?.string ?? "?") (\(data?["who"]?["role"]?.string ?? "?"))", data?["where"]?.string ?? "",
            data?["what"]?["operation"]?.string ?? event?["type"]?.string ?? "", event?["subject"]?.string ?? "",
            (result?["outcome"]?.string ?? "") + (result?["status"]?.int64.map { " \($0)" } ?? ""),
        ]
    }
}

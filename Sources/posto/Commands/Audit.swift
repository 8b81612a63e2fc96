import Arguments
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

    @OptionGroup var records: RecordOptions

    func run() throws {
        try records.show("audit", [">SEQ", "WHEN", "WHO", "FROM", "WHAT", "WHICH", "RESULT"]) { event, _ in Self.row(event) }
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

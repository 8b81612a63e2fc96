import Arguments
import Domain

/// `posto queue peek`
struct QueuePeek: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peek", abstract: "Show records of a stream; nothing is taken out.",
        discussion: """
            Shows the last records, or those after --since. With --json each record is printed as it is stored: a CloudEvent a line.

            Example: posto queue peek state --limit 20 --json
            """)

    @Argument(help: "The stream.")
    var name: String

    @OptionGroup var records: RecordOptions

    func run() throws {
        try records.show(name, [">SEQ", "TIME", "TYPE", "SUBJECT", ">BYTES"]) { event, bytes in
            [
                event?["postoseq"]?.string ?? "?", event?["time"]?.string ?? "?", event?["type"]?.string ?? "?",
                event?["subject"]?.string ?? "", "\(bytes)",
            ]
        }
    }
}

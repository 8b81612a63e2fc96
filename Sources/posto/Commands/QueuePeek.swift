import ArgumentParser
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

    @Option(help: ArgumentHelp("Show what came after this sequence number.", valueName: "seq"))
    var since: UInt64?

    @Option(help: ArgumentHelp("Show at most so many.", valueName: "n"))
    var limit = 10

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print the CloudEvents, one a line.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() throws {
        let source = try JournalSource(state, server)
        let last = StreamText.unsigned(try source.stream(name)["last_seq"])
        var table = TextTable([">SEQ", "TIME", "TYPE", "SUBJECT", ">BYTES"])
        try source.events(of: name, after: since ?? last - min(last, UInt64(limit)), limit: limit) { (event) throws(CommandFailure) in
            if json {
                Terminal.print(String(decoding: event, as: UTF8.self))
            } else {
                let document = (try? JSONDocument.parse(Array(event)))?.root
                table.add([
                    document?["postoseq"]?.string ?? "?", document?["time"]?.string ?? "?", document?["type"]?.string ?? "?",
                    document?["subject"]?.string ?? "", "\(event.count)",
                ])
            }
            return true
        }
        if json { return }
        if table.isEmpty { Terminal.print("There is no such record.") } else { table.show() }
    }
}

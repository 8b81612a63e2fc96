import Arguments
import Domain

/// Which records of a stream a command shows, from where, and how: the last ones, or those after `--since`.
struct RecordOptions: ParsableArguments {
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

    /// Prints the records as lines of JSON, or as a table of what `row` makes of each: the document, or nil if it is none, and its bytes.
    func show(_ stream: String, _ titles: [String], row: (JSONValue?, Int) -> [String]) throws {
        let source = try JournalSource(state, server)
        let last = StreamText.unsigned(try source.stream(stream)["last_seq"])
        var table = TextTable(titles)
        try source.events(of: stream, after: since ?? last - min(last, UInt64(limit)), limit: limit) { (event) throws(CommandFailure) in
            if json {
                Terminal.print(String(decoding: event, as: UTF8.self))
            } else {
                table.add(row((try? JSONDocument.parse(Array(event)))?.root, event.count))
            }
            return true
        }
        if json { return }
        if table.isEmpty { Terminal.print("There is no such record.") } else { table.show() }
    }
}

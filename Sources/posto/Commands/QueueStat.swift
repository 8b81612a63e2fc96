import Arguments
import Domain

/// `posto queue stat`
struct QueueStat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Tell how one stream stands.",
        discussion: """
            Example: posto queue stat audit
            """)

    @Argument(help: "The stream.")
    var name: String

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let source = try JournalSource(state, server)
        let stream = try source.stream(name)
        if json { return Terminal.print(Array(stream.rawBytes)) }
        let first = StreamText.unsigned(stream["first_seq"])
        let last = StreamText.unsigned(stream["last_seq"])
        let records = StreamText.unsigned(stream["records"])
        let bytes = StreamText.unsigned(stream["bytes"])
        var table = TextTable(["", ""])
        func add(_ name: String, _ value: String) { table.add([TextTable.Cell(name, .faint), TextTable.Cell(value)]) }
        add("stream", name)
        add("priority", "\(stream["priority"]?.int64 ?? 0)")
        add("chained", stream["chained"]?.bool ?? false ? "yes: each record carries the hash of all before it" : "no")
        add("records", "\(records), \(HumanText.bytes(bytes))" + (records == 0 ? "" : ", \(HumanText.bytes(bytes / records)) each"))
        add("kept", StreamText.range(stream))
        if first > 0 { add("oldest", try time(source, of: first)) }
        if last > 0, first > 0 { add("newest", try time(source, of: last)) }
        add("at most", StreamText.bytesMax(stream))
        add("for", StreamText.ageMax(stream))
        table.show()
    }

    private func time(_ source: borrowing JournalSource, of seq: UInt64) throws(CommandFailure) -> String {
        var time = "gone meanwhile"
        try source.events(of: name, after: seq - 1, limit: 1) { (event) throws(CommandFailure) in
            time = (try? JSONDocument.parse(Array(event)))?.root["time"]?.string ?? "not readable"
            return false
        }
        return time
    }
}

import Arguments
import Domain

/// `posto queue ls`
struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the streams.",
        discussion: """
            PRIORITY goes from 0 (audit, kept longest when room is short) to 5 (bulk). KEPT is the range of sequence numbers that is still there.

            Example: posto queue ls --state /var/lib/posto
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let source = try JournalSource(state, server)
        let list = try source.streams()
        if json { return Terminal.print(Array(list.rawBytes)) }
        var table = TextTable(["STREAM", ">PRIORITY", ">RECORDS", ">BYTES", "KEPT", "CHAINED", ">AT MOST", ">FOR"])
        for stream in list["streams"]?.elements.map({ $0 }) ?? [] {
            table.add([
                stream["name"]?.string ?? "?", "\(stream["priority"]?.int64 ?? 0)", "\(StreamText.unsigned(stream["records"]))",
                HumanText.bytes(StreamText.unsigned(stream["bytes"])), StreamText.range(stream),
                stream["chained"]?.bool ?? false ? "yes" : "no", StreamText.bytesMax(stream), StreamText.ageMax(stream),
            ])
        }
        table.show()
    }
}

import Arguments
import Domain

/// `posto queue verify`
struct QueueVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every record of the streams and check that none is missing or changed.",
        discussion: """
            The exit status is 1 if a record is missing or changed; the first one of each stream is named.

            Example: posto queue verify audit --state /var/lib/posto
            """)

    @Argument(help: "Only this stream.")
    var name: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try StreamVerification.run(state, server, json: json) { (source) throws(CommandFailure) in
            guard let name else { return (try source.streams()["streams"]?.elements.map { $0 } ?? []).compactMap { $0["name"]?.string } }
            _ = try source.stream(name)
            return [name]
        }
    }
}

import Arguments
import Domain

/// `posto queue`: the journal's streams.
struct Queue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the journal: its streams and their records.",
        discussion: """
            Example: posto queue ls
            """,
        subcommands: [QueueList.self, QueuePeek.self, QueueStat.self, QueueVerify.self])
}

/// A stream's figures as people read them.
enum StreamText {
    static func unsigned(_ value: JSONValue?) -> UInt64 { UInt64(clamping: value?.int64 ?? 0) }

    /// `10 – 8812`; nothing if it is empty.
    static func range(_ stream: JSONValue) -> String {
        let first = unsigned(stream["first_seq"])
        return first == 0 ? "none" : "\(first) – \(unsigned(stream["last_seq"]))"
    }

    static func bytesMax(_ stream: JSONValue) -> String {
        stream["bytes_max"]?.int64.map { HumanText.bytes(UInt64(clamping: $0)) } ?? "no limit"
    }

    static func ageMax(_ stream: JSONValue) -> String { stream["age_max_seconds"]?.int64.map { HumanText.age(seconds: $0) } ?? "no limit" }
}

import Arguments
import Domain
import Glibc
import HTTPClient

/// `posto watch`: follows the changes of the registry.
struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow the changes of the registry.",
        discussion: """
            Begins with what happens from now on, or after the revision of --since, and ends when it is interrupted. A daemon that is away is \
            waited for; no change is missed over that.

            Example: posto watch --since 8812 --json
            """)

    @Option(help: ArgumentHelp("Begin after this revision.", valueName: "revision"))
    var since: UInt64?

    @Option(help: ArgumentHelp("End after so many changes.", valueName: "n"))
    var count: Int?

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print one JSON object a line for each change.")
    var json = false

    func validate() throws {
        guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count must be 1 or more.") }
    }

    func run() throws {
        Terminal.endWithReader()
        let connection = try ServerConnection(server)
        var revision: UInt64
        if let since { revision = since } else { revision = try now(connection) }
        var left = count ?? .max
        var isAway = false
        // The first answer must come: a wrong address is not waited for.
        var hasBegun = since == nil
        while left > 0 {
            do throws(CommandFailure) {
                let page = try next(after: revision, limit: min(left, Limits.changesPageMax), connection)
                if isAway { Terminal.note("the daemon is back") }
                (isAway, hasBegun) = (false, true)
                for change in page["changes"]?.elements.map({ $0 }) ?? [] {
                    Terminal.print(json ? String(decoding: change.rawBytes, as: UTF8.self) : Self.line(change))
                    left -= 1
                }
                revision = page["revision"]?.int64.map { UInt64(clamping: $0) } ?? revision
            } catch {
                guard hasBegun else { throw error }
                switch error.status {
                case .no:
                    // Older than what is kept, or a store that was restored: only a person can say what was between.
                    guard let latest = try? now(connection) else { continue }
                    Terminal.note(
                        "changes after revision \(revision) are not to be had: \(error.message); going on from revision \(latest)")
                    revision = latest
                case .unreachable, .tryAgain:
                    if !isAway { Terminal.note("the daemon is away (\(error.message)); waiting for it") }
                    isAway = true
                    usleep(UInt32(Limits.retryInterval.wholeMilliseconds) * 1_000)
                default: throw error
                }
            }
        }
    }

    private func now(_ connection: borrowing ServerConnection) throws(CommandFailure) -> UInt64 {
        let node = try connection.document("/api/v1/node")
        guard let revision = node["revision"]?.int64, revision >= 0 else {
            throw CommandFailure(.internal, "\(connection.address) does not tell its revision")
        }
        return UInt64(revision)
    }

    private func next(after revision: UInt64, limit: Int, _ connection: borrowing ServerConnection) throws(CommandFailure) -> JSONValue {
        let wait = Limits.watchWait
        let path = "/api/v1/changes?since=\(revision)&limit=\(limit)&wait=\(wait.wholeMilliseconds)ms"
        let reply = try connection.ask("GET", path, timeout: wait + .seconds(15))
        return try ServerConnection.document(reply.body, of: connection.address)
    }

    /// `2026-11-21T02:31:07.512Z  8813  registered  teller-api teller-1 at 10.20.0.10:9001`
    static func line(_ change: JSONValue) -> String {
        let kind = change["kind"]?.string ?? "?"
        var line = "\(change["time"]?.string ?? "")  \(change["revision"]?.int64 ?? 0)  \(kind)"
        line += String(repeating: " ", count: max(0, 10 - kind.count)) + "  "
        line += "\(change["service_name"]?.string ?? "") \(change["id"]?.string ?? "")"
        if let instance = change["instance"], !instance.isNull {
            if kind == "health" {
                line += " is \(instance["health"]?.string ?? "?")"
            } else {
                let host = instance["host"]?.string ?? ""
                line += " at \(host.contains(":") ? "[\(host)]" : host):\(instance["port"]?.int64 ?? 0)"
            }
        }
        if let reason = change["reason"]?.string { line += " (\(reason))" }
        return HumanText.clean(line)
    }
}

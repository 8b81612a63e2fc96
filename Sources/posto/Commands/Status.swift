import Arguments
import Domain
import HTTPClient

/// `posto status`: how the node is, in one sentence, and its figures.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say how the node is and what to do next.",
        discussion: """
            The exit status is 0 for a node that is healthy or degraded, 1 for one that is unhealthy, 69 if no daemon answers.

            Example: posto status --json
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print the documents of /health and /api/v1/node as one JSON object.")
    var json = false

    func run() throws {
        let connection = try ServerConnection(server)
        let reply = try connection.send("GET", "/health")
        // An unhealthy node answers 503, with the same document.
        guard reply.status == 200 || reply.status == 503, let health = try? JSONDocument.parse(reply.body).root, health["status"] != nil
        else { throw ServerConnection.refusal(reply, connection.address) }
        let node = try known(connection, "/api/v1/node")
        let streams = try known(connection, "/api/v1/streams")
        if json {
            var text = JSONWriter()
            text.object { text in
                text.key("health"); text.raw(json: health.rawBytes)
                text.key("node")
                if let node { text.raw(json: node.rawBytes) } else { text.null() }
                if let streams = streams?["streams"] { text.key("streams"); text.raw(json: streams.rawBytes) }
            }
            Terminal.print(text.finish())
        } else {
            show(NodeSentence(health), health, node, streams)
        }
        if health["status"]?.equals("unhealthy") ?? false { throw ExitCode(ExitStatus.no.rawValue) }
    }

    /// A document for those who may see it.
    private func known(_ connection: borrowing ServerConnection, _ path: String) throws -> JSONValue? {
        do throws(CommandFailure) {
            return try connection.document(path)
        } catch {
            if error.status == .notPermitted { return nil }
            throw error
        }
    }

    private func show(_ sentence: NodeSentence, _ health: JSONValue, _ node: JSONValue?, _ streams: JSONValue?) {
        Terminal.print(sentence.text)
        if let next = sentence.next { Terminal.print("Next: \(next)") }
        for more in sentence.others { Terminal.print("Also: \(more)") }
        Terminal.print("")
        var table = TextTable(["", ""])
        for (name, value) in figures(health, node, streams) { table.add([TextTable.Cell(name, .faint), TextTable.Cell(value)]) }
        table.show()
    }

    private func figures(_ health: JSONValue, _ node: JSONValue?, _ streams: JSONValue?) -> [(String, String)] {
        var figures: [(String, String)] = []
        if let node {
            let site = node["site"]?.string ?? ""
            figures.append(("node", (node["id"]?.string ?? "?") + (site.isEmpty ? "" : ", site \(site)")))
            figures.append(("version", "\(node["version"]?.string ?? "?"), epoch \(node["epoch"]?.int64 ?? 0)"))
        }
        figures.append(("running for", HumanText.age(seconds: health["uptime_seconds"]?.int64 ?? 0)))
        figures.append(
            (
                "registry",
                "\(HumanText.count(health["active_services"]?.int64 ?? 0, "service")), \(HumanText.count(health["active_instances"]?.int64 ?? 0, "instance"))"
                    + (node?["revision"]?.int64.map { ", revision \($0)" } ?? "")
            ))
        let components = health["components"]
        if let store = components?["store"] {
            let free = UInt64(max(0, store["disk_free_bytes"]?.int64 ?? 0))
            figures.append(
                (
                    "store",
                    "commits take \(number(store["latency_ms"])) ms, \(number(store["used_percent"])) % used, \(HumanText.bytes(free)) free on the disk"
                ))
        }
        if let breaker = components?["circuit_breaker"], let failing = breaker["failure_count"]?.int64 {
            let last = breaker["last_failure"]?.string.map { ", the last failure at \($0)" } ?? ""
            figures.append(("checks", failing == 0 ? "none fails\(last)" : "\(failing) fail\(failing == 1 ? "s" : "")\(last)"))
        }
        if let system = components?["system"] {
            figures.append(
                ("host", "processors \(number(system["cpu_percent"])) %, memory \(number(system["memory_percent"])) % in use"))
        }
        for stream in streams?["streams"]?.elements.map({ $0 }) ?? [] {
            figures.append(
                (
                    "stream \(stream["name"]?.string ?? "?")",
                    "\(HumanText.count(stream["records"]?.int64 ?? 0, "record")), \(HumanText.bytes(UInt64(max(0, stream["bytes"]?.int64 ?? 0))))"
                ))
        }
        return figures
    }

    private func number(_ value: JSONValue?) -> String { value.map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? "?" }
}

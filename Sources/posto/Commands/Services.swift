import Arguments
import Domain
import HTTPClient

/// `posto services`: what is registered.
struct Services: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the services, or the instances of one.",
        discussion: """
            LEASE tells how long ago its holder renewed: fresh, stale after half of its time, expired after all of it.

            Example: posto services --tag prod --health passing
            """)

    @Argument(help: "Only this service; the exit status is 1 if it is not registered.")
    var name: String?

    @Option(help: "Only instances with this tag; may be repeated, all must hold.")
    var tag: [String] = []

    @Option(help: "Only instances with this capability; may be repeated, all must hold.")
    var capability: [String] = []

    @Option(help: "Only instances of exactly this version.")
    var serviceVersion: String?

    @Option(help: "Only instances that speak http, https, grpc or tcp.")
    var `protocol`: String?

    @Option(help: "Only instances whose check is passing, warning, critical or unknown.")
    var health: String?

    @OptionGroup var registry: RegistryOptions

    func validate() throws {
        let filters = tag.count + capability.count + [serviceVersion, self.protocol, health].compactMap { $0 }.count
        guard name == nil || filters == 0 else { throw ValidationError("A name and filters cannot be given together.") }
        guard name != "" else { throw ValidationError("The name is empty.") }
    }

    func run() throws {
        let connection = try ServerConnection(registry.server)
        if let name { try showOne(name, connection) } else { try showAll(connection) }
    }

    private func showOne(_ name: String, _ connection: borrowing ServerConnection) throws {
        let reply = try connection.get(ServicePath.of("services", name, nil, tenant: registry.tenant))
        if registry.json { return Terminal.print(reply.body) }
        var table = InstanceTableText()
        for instance in try ServerConnection.document(reply.body, of: connection.address)["instances"]?.elements.map({ $0 }) ?? [] {
            table.add(instance)
        }
        table.show()
    }

    /// Goes through all pages. The revision is that of the first, so that a watch from there misses nothing.
    private func showAll(_ connection: borrowing ServerConnection) throws {
        var revision: Int64?
        var table = InstanceTableText()
        var list: [UInt8] = []
        var cursor: String?
        repeat {
            let page = try connection.document("/api/v1/services?" + query(cursor))
            revision = revision ?? page["revision"]?.int64
            for instance in page["services"]?.elements.map({ $0 }) ?? [] {
                if registry.json {
                    if !list.isEmpty { list.append(UInt8(ascii: ",")) }
                    list += instance.rawBytes
                } else {
                    table.add(instance)
                }
            }
            cursor = page["next"]?.string
        } while cursor != nil
        if registry.json {
            var text = JSONWriter(capacity: list.count + 64)
            text.object { text in
                text.key("revision"); text.integer(revision ?? 0)
                text.key("services"); text.raw(json: [UInt8(ascii: "[")] + list + [UInt8(ascii: "]")])
                text.key("next"); text.null()
            }
            return Terminal.print(text.finish())
        }
        if table.isEmpty {
            return Terminal.print("No service is registered\(query(nil) == "limit=1000" ? "" : " that these filters let through").")
        }
        table.show()
    }

    private func query(_ cursor: String?) -> String {
        var items = [("limit", "1000")]
        items += tag.map { ("tag", $0) } + capability.map { ("capability", $0) }
        for (key, value) in [
            ("version", serviceVersion), ("protocol", self.protocol), ("health", health), ("tenant", registry.tenant), ("cursor", cursor),
        ] {
            if let value { items.append((key, value)) }
        }
        return items.map { "\($0.0)=\(HumanText.percentEncoded($0.1))" }.joined(separator: "&")
    }
}

/// Instances as rows.
struct InstanceTableText {
    private var table = TextTable(["SERVICE", "ID", "ADDRESS", "HEALTH", "LEASE", ">RENEWED", "VERSION", "TAGS"])

    var isEmpty: Bool { table.isEmpty }

    mutating func add(_ instance: JSONValue) {
        let host = instance["host"]?.string ?? ""
        let isStatic = instance["source"]?.equals("static") ?? false
        let health = instance["health"]?.string ?? ""
        let lease = isStatic ? "static" : instance["freshness"]?.string ?? ""
        table.add([
            TextTable.Cell(instance["service_name"]?.string ?? ""), TextTable.Cell(instance["id"]?.string ?? ""),
            TextTable.Cell("\(host.contains(":") ? "[\(host)]" : host):\(instance["port"]?.int64 ?? 0)"),
            TextTable.Cell(health, Self.colour(health)), TextTable.Cell(lease, Self.colour(lease)),
            TextTable.Cell(isStatic ? "" : HumanText.age(seconds: instance["age_seconds"]?.int64 ?? 0)),
            TextTable.Cell(instance["version"]?.string ?? ""),
            TextTable.Cell((instance["tags"]?.elements.compactMap(\.string) ?? []).joined(separator: ",")),
        ])
    }

    func show() { table.show() }

    private static func colour(_ word: String) -> TextTable.Colour? {
        switch word {
        case "passing", "fresh": .good
        case "warning", "stale": .warning
        case "critical", "expired": .bad
        default: .faint
        }
    }
}

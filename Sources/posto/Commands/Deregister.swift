import Arguments
import Domain
import HTTPClient

/// `posto deregister`: removes an instance, at once.
struct Deregister: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove an instance, at once.",
        discussion: """
            Without ID the service must have one instance only. The exit status is 1 if it is not registered, or has several.

            Example: posto deregister teller-api teller-1
            """)

    @Argument(help: "The service.")
    var name: String

    @Argument(help: "The instance.")
    var id: String?

    @OptionGroup var registry: RegistryOptions

    func validate() throws {
        guard !name.isEmpty, id != "" else { throw ValidationError("The name is empty.") }
    }

    func run() throws {
        let connection = try ServerConnection(registry.server)
        let reply = try connection.ask("DELETE", Self.path(name, id, tenant: registry.tenant))
        if registry.json {
            var text = JSONWriter()
            text.object { text in
                text.key("service_name"); text.string(name)
                if let id { text.key("id"); text.string(id) }
                text.key("removed"); text.bool(true)
                if let revision = reply.header("posto-revision").flatMap(UInt64.init) { text.key("revision"); text.unsigned(revision) }
            }
            Terminal.print(text.finish())
        } else {
            Terminal.print("Removed \(HumanText.clean(id.map { "\(name) \($0)" } ?? name)).")
        }
    }

    static func path(_ name: String, _ id: String?, tenant: String?) -> String {
        ServicePath.of("deregister", name, id, tenant: tenant)
    }
}

/// The paths of an instance in the daemon's interface.
enum ServicePath {
    static func of(_ operation: String, _ name: String, _ id: String?, tenant: String?) -> String {
        var path = "/api/v1/\(operation)/\(HumanText.percentEncoded(name))"
        if let id { path += "/" + HumanText.percentEncoded(id) }
        if let tenant { path += "?tenant=" + HumanText.percentEncoded(tenant) }
        return path
    }
}

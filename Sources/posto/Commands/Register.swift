import Arguments
import Domain
import ServiceManager

/// `posto register`: registers instances, and with `--hold` keeps their leases.
struct Register: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register an instance, or several.",
        discussion: """
            FILE holds a registration as a JSON object, an array of them, or one a line; - is standard input. Without FILE the flags say it.

            With --hold the command runs on: it renews the lease, registers again if the node does not know it any more, waits for a daemon that \
            is away, and removes the instance when it is interrupted.

            Example: posto register --name teller-api --host 127.0.0.1 --port 8080 --health-endpoint /health --hold
            """)

    @Argument(help: ArgumentHelp("A file of registrations; - is standard input.", valueName: "file"))
    var file: String?

    @Flag(help: "Keep the lease while this command runs, and remove the instance at its end.")
    var hold = false

    @OptionGroup(title: "Fields") var fields: RegistrationFields

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print the daemon's answer for each, one JSON object a line.")
    var json = false

    func validate() throws {
        if file != nil, fields.isAnySet { throw ValidationError("A file and flags for fields cannot be given together.") }
        if file == nil, fields.name == nil {
            throw ValidationError("Name a file of registrations, or give --name, --host, --port and --health-endpoint.")
        }
    }

    func run() throws {
        let registrations = try registrations()
        // Before the first request: its signals are then taken by us alone.
        let signals = hold ? SignalWaiter() : nil
        let connection = try ServerConnection(server)
        var held: [HeldLease] = []
        for registration in registrations {
            do throws(CommandFailure) {
                let lease = try HeldLease.register(registration, connection)
                if json { Terminal.tell(String(decoding: lease.answer, as: UTF8.self)) } else { Terminal.tell(sentence(lease)) }
                held.append(lease)
            } catch {
                if hold { for lease in held { try? lease.deregister(connection) } }
                throw registrations.count == 1 ? error : located(error, registration, done: held.count)
            }
        }
        if let signals {
            var holder = LeaseHolder(held)
            if !json { Terminal.tell("Holding \(HumanText.count(held.count, "lease")); interrupt this command (Ctrl-C) to give up.") }
            try holder.run(connection, signals)
        }
    }

    private func registrations() throws -> [RegistrationText] {
        guard let file else { return [RegistrationText(bytes: fields.json(), place: nil)] }
        let bytes = try InputFile.read(file, bytesMax: Limits.registrationFileBytesMax)
        return try RegistrationText.read(bytes, from: file == "-" ? "standard input" : file)
    }

    private func sentence(_ lease: HeldLease) -> String {
        HumanText.clean("Registered \(lease.name) as \(lease.id) with revision \(lease.revision); its lease lasts \(lease.ttlSeconds) s.")
    }

    private func located(_ error: CommandFailure, _ registration: RegistrationText, done: Int) -> CommandFailure {
        let rest = done == 0 ? "" : hold ? "" : "; \(HumanText.count(done, "registration")) before it stand\(done == 1 ? "s" : "")"
        return CommandFailure(error.status, "\(registration.place ?? ""): \(error.message)\(rest)", hint: error.hint)
    }
}

/// The fields of a registration as flags.
struct RegistrationFields: ParsableArguments {
    @Option(help: "The service's name.")
    var name: String?

    @Option(help: "Where it is: an address or a host name.")
    var host: String?

    @Option(help: "Its port.")
    var port: Int?

    @Option(help: ArgumentHelp("The path that answers 200 while it is well.", valueName: "path"))
    var healthEndpoint: String?

    @Option(help: "The instance's id; made of name, host and port if absent.")
    var id: String?

    @Option(help: "Its version, as 1.2.3.")
    var serviceVersion: String?

    @Option(help: "http, https, grpc or tcp.")
    var `protocol`: String?

    @Option(help: "Its share of calls, 1 to 100.")
    var weight: Int?

    @Option(help: ArgumentHelp("How long the lease lasts.", valueName: "seconds"))
    var ttl: Int?

    @Option(help: "A tag; may be repeated.")
    var tag: [String] = []

    @Option(help: "A capability; may be repeated.")
    var capability: [String] = []

    @Option(name: .customLong("metadata"), help: ArgumentHelp("A pair of metadata; may be repeated.", valueName: "key=value"))
    var metadata: [String] = []

    @Option(help: "The tenant; the node's own if absent.")
    var tenant: String?

    func validate() throws {
        for pair in metadata where pair.firstIndex(of: "=").map({ $0 == pair.startIndex }) ?? true {
            throw ValidationError("--metadata takes KEY=VALUE, not \(pair).")
        }
    }

    var isAnySet: Bool {
        [name, host, healthEndpoint, id, serviceVersion, self.protocol, tenant].contains { $0 != nil } || port != nil || weight != nil
            || ttl != nil || !tag.isEmpty || !capability.isEmpty || !metadata.isEmpty
    }

    /// The registration as the daemon takes it; what was not said is left out, so that the daemon says what it misses.
    func json() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            for (key, value) in [
                ("service_name", name), ("host", host), ("health_endpoint", healthEndpoint), ("id", id), ("version", serviceVersion),
                ("protocol", self.protocol), ("tenant", tenant),
            ] {
                if let value { json.key(dynamic: key); json.string(value) }
            }
            for (key, value) in [("port", port), ("weight", weight), ("ttl_seconds", ttl)] {
                if let value { json.key(dynamic: key); json.integer(value) }
            }
            for (key, values) in [("tags", tag), ("capabilities", capability)] where !values.isEmpty {
                json.key(dynamic: key)
                json.array { for value in values { $0.string(value) } }
            }
            if !metadata.isEmpty {
                json.key("metadata")
                json.object { json in
                    for pair in metadata {
                        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        json.key(dynamic: String(parts[0])); json.string(String(parts[1]))
                    }
                }
            }
        }
        return json.finish()
    }
}

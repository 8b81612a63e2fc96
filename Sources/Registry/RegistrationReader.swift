import Crypto
import Domain

/// Reads a registration from JSON by the rules of the registry's specification, and says of each field that breaks one what is
/// wrong with it, in the specification's order.
package struct RegistrationReader: Sendable {
    package struct Defaults: Equatable, Sendable {
        package var tenant: String
        package var ttlSeconds: Int
        package init(tenant: String, ttlSeconds: Int) {
            self.tenant = tenant
            self.ttlSeconds = ttlSeconds
        }
    }

    package enum Outcome: Sendable {
        case registration(Registration)
        /// Never empty.
        case refused([FieldRefusal])
    }

    package static let fields = names.map { "\($0)" }

    private static let names: [StaticString] = [
        "service_name", "host", "port", "health_endpoint", "id", "metadata", "tags", "version", "protocol", "weight", "ttl_seconds",
        "capabilities", "tenant",
    ]

    private let value: JSONValue
    private let defaults: Defaults
    private var refusals: [FieldRefusal] = []

    private init(_ value: JSONValue, defaults: Defaults) {
        self.value = value
        self.defaults = defaults
    }

    package static func read(_ value: JSONValue, defaults: Defaults) -> Outcome {
        guard value.kind == .object else {
            return .refused([
                FieldRefusal(
                    field: "", message: "A registration is a JSON object", provided: excerpt(value), expected: "an object",
                    example: #"{"service_name":"my-service","host":"127.0.0.1","port":8080,"health_endpoint":"/health"}"#)
            ])
        }
        var reader = RegistrationReader(value, defaults: defaults)
        let registration = reader.registration()
        return reader.refusals.isEmpty ? .registration(registration) : .refused(reader.refusals)
    }

    /// The id of an instance that names none: the same host and port is the same instance, whenever it registers.
    package static func defaultID(tenant: String, service: String, host: String, port: UInt16) -> String {
        let digest = SHA256.digest(Array("\(tenant)\u{0}\(service)\u{0}\(host)\u{0}\(port)".utf8))
        var id = service + "-"
        for byte in digest.prefix(8) {
            let hex = String(byte, radix: 16)
            id += hex.count == 1 ? "0" + hex : hex
        }
        return id
    }

    private mutating func registration() -> Registration {
        let name = text("service_name", required: true, NameRules.serviceName) ?? ""
        let host = text("host", required: true, NameRules.host) ?? ""
        let port = integer("port", required: true, Limits.portMin...65_535, example: "8080") ?? 0
        let endpoint = text("health_endpoint", required: true, NameRules.healthEndpoint) ?? ""
        let id = text("id", required: false, NameRules.instanceID)
        let metadata = metadata()
        let tags = texts("tags", countMax: Limits.tagsMax, NameRules.tag)
        let version = text("version", required: false, NameRules.version)
        let transport = text("protocol", required: false, NameRules.transport).flatMap(ServiceProtocol.init) ?? .http
        let weight = integer("weight", required: false, 1...100, example: "1") ?? 1
        let ttl =
            integer("ttl_seconds", required: false, Limits.ttlSecondsMin...Limits.ttlSecondsMax, example: "60") ?? defaults.ttlSeconds
        let capabilities = texts("capabilities", countMax: Limits.capabilitiesMax, NameRules.capability)
        let tenant = text("tenant", required: false, NameRules.tenant) ?? defaults.tenant
        refuseUnknown()
        return Registration(
            tenant: tenant, serviceName: name,
            id: id ?? (refusals.isEmpty ? Self.defaultID(tenant: tenant, service: name, host: host, port: UInt16(port)) : ""),
            host: host, port: UInt16(port), healthEndpoint: endpoint, version: version, transport: transport, weight: weight,
            ttlSeconds: ttl, tags: tags, capabilities: capabilities, metadata: metadata)
    }

    private mutating func refuse(_ field: String, _ message: String, _ provided: JSONValue?, expected: String, example: String) {
        guard refusals.count < Limits.refusalsMax else { return }
        refusals.append(
            FieldRefusal(
                field: field, message: message, provided: provided.map(Self.excerpt), expected: expected, example: example))
    }

    /// null is the same as absent.
    private func member(_ name: StaticString) -> JSONValue? {
        value[name].flatMap { $0.isNull ? nil : $0 }
    }

    private mutating func text(_ name: StaticString, required: Bool, _ rule: NameRule) -> String? {
        guard let given = member(name) else {
            if required {
                refuse("\(name)", "\(rule.title) is required", nil, expected: rule.expected, example: rule.example(""))
            }
            return nil
        }
        guard let text = given.string else {
            refuse("\(name)", "\(rule.title) must be a string", given, expected: rule.expected, example: rule.example(""))
            return nil
        }
        guard rule.accepts(text) else {
            refuse("\(name)", rule.message, given, expected: rule.expected, example: rule.example(text))
            return nil
        }
        return text
    }

    private mutating func integer(_ name: StaticString, required: Bool, _ range: ClosedRange<Int>, example: String) -> Int? {
        // Made only when it is needed: most registrations are right.
        var expected: String { "an integer from \(range.lowerBound) to \(range.upperBound)" }
        guard let given = member(name) else {
            if required { refuse("\(name)", "\(name) is required", nil, expected: expected, example: example) }
            return nil
        }
        guard let number = given.int64, let number = Int(exactly: number), range.contains(number) else {
            refuse("\(name)", "\(name) must be \(expected)", given, expected: expected, example: example)
            return nil
        }
        return number
    }

    private mutating func texts(_ name: StaticString, countMax: Int, _ rule: NameRule) -> [String] {
        guard let given = member(name) else { return [] }
        var expected: String { "an array of at most \(countMax) strings, each \(rule.expected)" }
        var example: String { "[\"\(rule.example(""))\"]" }
        guard given.kind == .array, given.count <= countMax else {
            refuse("\(name)", "\(name) must be \(expected)", given, expected: expected, example: example)
            return []
        }
        var result: [String] = []
        for (index, element) in given.elements.enumerated() {
            guard let text = element.string, rule.accepts(text) else {
                refuse("\(name)[\(index)]", rule.message, element, expected: rule.expected, example: rule.example(""))
                continue
            }
            if !result.contains(text) { result.append(text) }
        }
        return result
    }

    private mutating func metadata() -> [(key: String, value: String)] {
        guard let given = member("metadata") else { return [] }
        var expected: String { "an object of at most \(Limits.metadataPairsMax) strings" }
        let example = #"{"owner":"team-8"}"#
        guard given.kind == .object, given.count <= Limits.metadataPairsMax else {
            refuse("metadata", "metadata must be \(expected)", given, expected: expected, example: example)
            return []
        }
        var result: [(key: String, value: String)] = []
        for member in given.members {
            let key = member.name
            var place: String { "metadata.\(String(key.prefix(40)))" }
            guard (1...Limits.metadataKeyBytesMax).contains(key.utf8.count) else {
                refuse(
                    place, "A key of metadata has 1 to \(Limits.metadataKeyBytesMax) bytes", member.key,
                    expected: "1 to \(Limits.metadataKeyBytesMax) bytes", example: "owner")
                continue
            }
            guard let text = member.value.string, text.utf8.count <= Limits.metadataValueBytesMax else {
                refuse(
                    place, "A value of metadata is a string of at most \(Limits.metadataValueBytesMax) bytes", member.value,
                    expected: "a string of at most \(Limits.metadataValueBytesMax) bytes", example: "team-8")
                continue
            }
            result.append((key, text))
        }
        return result
    }

    private mutating func refuseUnknown() {
        for member in value.members {
            guard !Self.names.contains(where: { member.key.equals($0) }) else { continue }
            guard refusals.count < Limits.refusalsMax else { return }
            let name = member.name
            let nearest = EditDistance.nearest(to: name, among: Self.fields)
            refuse(
                String(name.prefix(64)), "A registration has no field \"\(name.prefix(64))\"", member.value,
                expected: "one of \(Self.fields.joined(separator: ", "))", example: nearest ?? "metadata")
        }
    }

    /// The value as it was written, short enough to send back.
    package static func excerpt(_ value: JSONValue) -> String {
        let raw = value.rawBytes
        guard raw.count > 200 else { return String(decoding: raw, as: UTF8.self) }
        var json = JSONWriter()
        json.string(String(decoding: raw.prefix(190), as: UTF8.self) + "…")
        return String(decoding: json.finish(), as: UTF8.self)
    }
}

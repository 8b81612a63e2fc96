/// An instance's claim to exist: what it is called, where it is, and how to ask it how it is.
///
/// A value of this type has passed every rule of the registry's specification; `RegistrationReader` makes them.
package struct Registration: Equatable, Sendable {
    package var tenant: String
    package var serviceName: String
    package var id: String
    package var host: String
    package var port: UInt16
    package var healthEndpoint: String
    package var version: String?
    package var transport: ServiceProtocol
    /// 1–100.
    package var weight: Int
    package var ttlSeconds: Int
    package var tags: [String]
    package var capabilities: [String]
    /// In the order in which they were given.
    package var metadata: [(key: String, value: String)]

    package init(
        tenant: String, serviceName: String, id: String, host: String, port: UInt16, healthEndpoint: String, version: String? = nil,
        transport: ServiceProtocol = .http, weight: Int = 1, ttlSeconds: Int, tags: [String] = [], capabilities: [String] = [],
        metadata: [(key: String, value: String)] = []
    ) {
        self.tenant = tenant
        self.serviceName = serviceName
        self.id = id
        self.host = host
        self.port = port
        self.healthEndpoint = healthEndpoint
        self.version = version
        self.transport = transport
        self.weight = weight
        self.ttlSeconds = ttlSeconds
        self.tags = tags
        self.capabilities = capabilities
        self.metadata = metadata
    }

    package static func == (a: Registration, b: Registration) -> Bool { a.members() == b.members() }

    /// The members of its JSON object without the braces, always in the same order: what is stored, compared and shown.
    package func members() -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.beginObject()
        json.key("service_name"); json.string(serviceName)
        json.key("id"); json.string(id)
        json.key("tenant"); json.string(tenant)
        json.key("host"); json.string(host)
        json.key("port"); json.integer(port)
        json.key("health_endpoint"); json.string(healthEndpoint)
        if let version { json.key("version"); json.string(version) }
        json.key("protocol"); json.string(transport.rawValue)
        json.key("weight"); json.integer(weight)
        json.key("ttl_seconds"); json.integer(ttlSeconds)
        if !tags.isEmpty {
            json.key("tags")
            json.array { for tag in tags { $0.string(tag) } }
        }
        if !capabilities.isEmpty {
            json.key("capabilities")
            json.array { for capability in capabilities { $0.string(capability) } }
        }
        if !metadata.isEmpty {
            json.key("metadata")
            json.object { for (key, value) in metadata { $0.key(dynamic: key); $0.string(value) } }
        }
        json.endObject()
        return Array(json.finish().dropFirst().dropLast())
    }
}

/// What a service speaks; it decides how its health is asked.
package enum ServiceProtocol: String, CaseIterable, Sendable {
    case http, https, grpc, tcp
}

import Domain
import HTTPServer

/// Every route of the native interface: one table, from which the router, the access check, the limits, the metrics and the OpenAPI
/// document are made.
package enum Route: UInt16, CaseIterable, Sendable {
    case register = 1, heartbeat, heartbeatInstance, heartbeats, deregister, deregisterInstance
    case services, service, changes
    case audit, auditCheckpoint, node, streams, streamRecords, backup
    case events, uplink, uplinkProbe, deadLetters, deadLetterRedrive
    case health, healthLive, healthReady, metrics, openAPI
    case shortRegister, shortHeartbeat, shortHeartbeatInstance, shortDeregister, shortDeregisterInstance, shortServices, shortService

    /// What a caller must be at least.
    package enum Access: Int, Comparable, Sendable {
        /// Anybody who can connect.
        case open
        /// Who may ask how the node is.
        case health
        case service
        case administrator

        package static func < (a: Access, b: Access) -> Bool { a.rawValue < b.rawValue }
    }

    package struct Parameter: Sendable {
        package let name: StaticString
        package let summary: StaticString
        /// JSON Schema of its value.
        var schema: StaticString = #"{"type":"string"}"#
        /// May stand in a query more than once.
        package var isRepeatable = false
    }

    package struct Description: Sendable {
        package let method: HTTPMethod
        package let pattern: StaticString
        package let access: Access
        /// Bytes of a body that are taken; 0: none is expected, and a small one is ignored.
        package let bodyMax: Int
        package let parameters: [Parameter]
        /// The name in `registry_operations_total`; nil for what is no operation of the registry.
        package let operation: StaticString?
        package let summary: StaticString

        init(
            _ method: HTTPMethod, _ pattern: StaticString, _ access: Access, bodyMax: Int = 1_024, parameters: [Parameter] = [],
            operation: StaticString? = nil, _ summary: StaticString
        ) {
            self.method = method
            self.pattern = pattern
            self.access = access
            self.bodyMax = bodyMax
            self.parameters = parameters
            self.operation = operation
            self.summary = summary
        }
    }

    private static let tenant = Parameter(
        name: "tenant", summary: "The tenant; the node's own if absent.",
        schema: #"{"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{0,63}$"}"#)
    private static let dryRun = Parameter(
        name: "dry_run", summary: "true: say what would be done, and do nothing.", schema: #"{"type":"boolean"}"#)
    private static let limit = Parameter(
        name: "limit", summary: "At most so many.", schema: #"{"type":"integer","minimum":1,"maximum":1000}"#)
    private static let since = Parameter(
        name: "since", summary: "Only what came after this number; what is kept, if absent.", schema: #"{"type":"integer","minimum":0}"#)
    private static let wait = Parameter(
        name: "wait", summary: "Wait so long for news, as 30s or 5m; at most 10m.",
        schema: #"{"type":"string","pattern":"^[0-9]{1,8}(ms|s|m|h)?$"}"#)
    private static let filters: [Parameter] = [
        Parameter(name: "tag", summary: "Has this tag; may be repeated, all must hold.", isRepeatable: true),
        Parameter(name: "version", summary: "Has exactly this version."),
        Parameter(name: "protocol", summary: "Speaks this protocol.", schema: #"{"enum":["http","https","grpc","tcp"]}"#),
        Parameter(
            name: "health", summary: "passing, warning, critical or unknown.",
            schema: #"{"enum":["passing","warning","critical","unknown"]}"#),
        Parameter(name: "capability", summary: "Has this capability; may be repeated, all must hold.", isRepeatable: true),
        tenant, limit,
        Parameter(name: "cursor", summary: "The `next` of the page before."),
    ]

    private static let registrationMax = Limits.registrationBodyBytesMax

    package var description: Description { Self.table[self]! }

    /// As in `description`, for each request: an array instead of a dictionary.
    var access: Access { Self.accesses[Int(rawValue)] }

    private static let accesses: [Access] = {
        var accesses = [Access](repeating: .administrator, count: Int(allCases.map(\.rawValue).max()!) + 1)
        for route in allCases { accesses[Int(route.rawValue)] = route.description.access }
        return accesses
    }()

    private static let table: [Route: Description] = [
        .register: Description(
            .post, "/api/v1/register", .service, bodyMax: registrationMax, parameters: [dryRun], operation: "register",
            "Register an instance, or change its registration."),
        .heartbeat: Description(
            .post, "/api/v1/heartbeat/{name}", .service, bodyMax: registrationMax, parameters: [tenant], operation: "heartbeat",
            "Renew the lease of the only instance of a service; with a full registration, register or renew."),
        .heartbeatInstance: Description(
            .post, "/api/v1/heartbeat/{name}/{id}", .service, bodyMax: registrationMax, parameters: [tenant], operation: "heartbeat",
            "Renew the lease of an instance; with a full registration, register or renew."),
        .heartbeats: Description(
            .post, "/api/v1/heartbeats", .service, bodyMax: Limits.heartbeatBatchBodyBytesMax, parameters: [tenant], operation: "heartbeat",
            "Renew many leases."),
        .deregister: Description(
            .delete, "/api/v1/deregister/{name}", .service, parameters: [tenant, dryRun], operation: "deregister",
            "Remove the only instance of a service, at once."),
        .deregisterInstance: Description(
            .delete, "/api/v1/deregister/{name}/{id}", .service, parameters: [tenant, dryRun], operation: "deregister",
            "Remove an instance, at once."),
        .services: Description(
            .get, "/api/v1/services", .service, parameters: filters, operation: "list", "List instances, sorted by service and id."),
        .service: Description(
            .get, "/api/v1/services/{name}", .service, parameters: [tenant], operation: "lookup", "The instances of one service."),
        .changes: Description(
            .get, "/api/v1/changes", .service, parameters: [since, wait, limit],
            "Changes after a revision, as JSON, NDJSON or server-sent events."),
        .events: Description(
            .post, "/api/v1/events/{stream}", .service, bodyMax: Limits.eventBodyBytesMax, operation: "append",
            "Append an event, or NDJSON of them, to a declared stream."),
        .uplink: Description(.get, "/api/v1/uplink", .service, "How the sinks are: lag, breaker, last durable ack."),
        .uplinkProbe: Description(
            .post, "/api/v1/uplink/{sink}/probe", .administrator, "Have a sink try now, whatever its back-off and breaker say."),
        .deadLetters: Description(
            .get, "/api/v1/deadletters", .administrator, parameters: [since, limit], "Records that a receiver refused for good."),
        .deadLetterRedrive: Description(
            .post, "/api/v1/deadletters/{id}/redrive", .administrator, "Have a dead letter sent again, once."),
        .audit: Description(.get, "/api/v1/audit", .administrator, parameters: [since, limit], "The audit trail."),
        .auditCheckpoint: Description(
            .get, "/api/v1/audit/checkpoint", .administrator, "The last checkpoint of the audit trail's hash chain."),
        .node: Description(.get, "/api/v1/node", .service, "What this node is."),
        .streams: Description(.get, "/api/v1/streams", .administrator, "The streams of the journal and where they stand."),
        .streamRecords: Description(
            .get, "/api/v1/streams/{name}", .administrator, parameters: [since, limit], "The records of one stream, as NDJSON."),
        .backup: Description(.get, "/api/v1/backup", .administrator, "A backup of the store, taken now."),
        .health: Description(.get, "/health", .health, "How the node is."),
        .healthLive: Description(.get, "/health/live", .open, "Whether the daemon runs."),
        .healthReady: Description(.get, "/health/ready", .open, "Whether the daemon can do its work."),
        .metrics: Description(.get, "/metrics", .health, "Prometheus metrics."),
        .openAPI: Description(.get, "/openapi.json", .open, "This interface as OpenAPI 3.1."),
        .shortRegister: Description(
            .post, "/register", .service, bodyMax: registrationMax, operation: "register", "Short form of /api/v1/register."),
        .shortHeartbeat: Description(
            .post, "/heartbeat/{name}", .service, bodyMax: registrationMax, parameters: [tenant], operation: "heartbeat",
            "Short form of /api/v1/heartbeat/{name}."),
        .shortHeartbeatInstance: Description(
            .post, "/heartbeat/{name}/{id}", .service, bodyMax: registrationMax, parameters: [tenant], operation: "heartbeat",
            "Short form of /api/v1/heartbeat/{name}/{id}."),
        .shortDeregister: Description(
            .delete, "/deregister/{name}", .service, parameters: [tenant], operation: "deregister",
            "Short form of /api/v1/deregister/{name}."),
        .shortDeregisterInstance: Description(
            .delete, "/deregister/{name}/{id}", .service, parameters: [tenant], operation: "deregister",
            "Short form of /api/v1/deregister/{name}/{id}."),
        .shortServices: Description(
            .get, "/services", .service, parameters: filters, operation: "list", "Short form of /api/v1/services."),
        .shortService: Description(
            .get, "/services/{name}", .service, parameters: [tenant], operation: "lookup", "Short form of /api/v1/services/{name}."),
    ]

    /// Takes an `Idempotency-Key`. A probe changes nothing, and a dead letter is sent again once whatever is asked.
    package var isMutating: Bool {
        (description.method == .post || description.method == .delete) && self != .uplinkProbe && self != .deadLetterRedrive
    }

    /// Refusals in REGISTRY.md's shape instead of RFC 9457's.
    package var isShort: Bool { rawValue >= Route.shortRegister.rawValue }

    /// Whether a path that no route takes lies among the short forms, so that its refusal has their shape.
    static func isShort(path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard path.first == 0x2f else { return false }
        let first = path.dropFirst().prefix { $0 != 0x2f }
        return shortSegments.contains { first.elementsEqual($0.utf8) }
    }

    private static let shortSegments = ["register", "heartbeat", "deregister", "services"]

    package static var router: HTTPRouter<Route> {
        var router = HTTPRouter<Route>()
        for route in allCases { router.add(route.description.method, "\(route.description.pattern)", route) }
        return router
    }
}

import Domain
import HTTPServer
import Registry
import ServiceManager
import Store
import Synchronization
import Uplink
import TLS

/// What the faces need of the node besides the registry; `Daemon` fills it in.
package struct NodeFacts: Sendable {
    package var id: String
    package var site: String
    package var tenant: String
    package var labels: [(key: String, value: String)]
    package var version: String
    package var epoch: UInt32
    package var startedAt: Timestamp
    package var started: Uptime
    package var heartbeatSeconds: Int
    package var graceSeconds: Int
    package var ttlSeconds: Int

    package init(
        id: String, site: String, tenant: String, labels: [(key: String, value: String)], version: String, epoch: UInt32,
        startedAt: Timestamp, started: Uptime, heartbeatSeconds: Int, graceSeconds: Int, ttlSeconds: Int
    ) {
        self.id = id
        self.site = site
        self.tenant = tenant
        self.labels = labels
        self.version = version
        self.epoch = epoch
        self.startedAt = startedAt
        self.started = started
        self.heartbeatSeconds = heartbeatSeconds
        self.graceSeconds = graceSeconds
        self.ttlSeconds = ttlSeconds
    }
}

/// What `Daemon` measures for health and metrics; read whenever one is asked, so it must be cheap and never wait.
package struct NodeReadings: Sendable {
    package var commitMilliseconds = 0.0
    package var commits = Histogram()
    package var storeUsedPercent = 0.0
    package var diskFreeBytes = 0
    package var cpuPercent = 0.0
    package var memoryPercent = 0.0
    package var threads = 0
    package var residentBytes = 0
    package var anonymousBytes = 0
    package var checks = CheckSummary()
    package var alerts: [HealthReport.Alert] = []
    package var isReady = true
    /// Of the listener; nil without TLS.
    package var certificate: TLSCertificate?
    package var gauges: [(name: String, help: String, value: Double)] = []
    package var counters: [(name: String, help: String, value: UInt64)] = []
    package init() {}
}

/// The native interface: takes requests from the door, asks the registry, and writes answers.
///
/// One object on the HTTP thread. Durable changes are handed to the writer and answered when their batch is on the disk, all of a batch in
/// one wake of the loop.
// SAFETY: `policy`, `cache`, `metrics` and `feed` are used on the HTTP thread only (every method of HTTPHandler, and what `onLoop` is given);
// `server`, `intake` and `sink` are set once by `attach`, before the server starts.
package final class APIServer: HTTPHandler, @unchecked Sendable {
    let registry: ServiceRegistry
    let time: TimeSource
    package let facts: NodeFacts
    /// Who may call; of the HTTP thread.
    private var policy: AccessPolicy
    let readings: @Sendable () -> NodeReadings
    let log: Log
    let streams: StreamReader
    let makeBackup: @Sendable (_ done: @escaping @Sendable (Result<(descriptor: Int32, size: UInt64), StoreError>) -> Void) -> Void
    let completions = CompletionBatch()
    let feed = ChangeFeed()
    /// The router's table, asked by itself: see `HTTPRouter`.
    private let table: RouteTable
    private let routes: [Route]
    var cache = LookupCache()
    var metrics = RequestMetrics()
    private(set) var server: HTTPDoor?
    /// Where events come in; nil: no stream is declared.
    private(set) var intake: EventIntake?
    /// Where streams are sent to; nil: nowhere.
    private(set) var sink: UplinkSink?

    package init(
        registry: ServiceRegistry, time: TimeSource, facts: NodeFacts, access: AccessPolicy, streams: StreamReader, log: Log,
        readings: @escaping @Sendable () -> NodeReadings,
        makeBackup:
            @escaping @Sendable (
                _ done: @escaping @Sendable (Result<(descriptor: Int32, size: UInt64), StoreError>) -> Void
            ) -> Void
    ) {
        self.registry = registry
        self.time = time
        self.facts = facts
        policy = access
        self.streams = streams
        self.log = log
        self.readings = readings
        self.makeBackup = makeBackup
        let router = Route.router
        table = router.table
        routes = router.values
    }

    /// Once, before the server starts.
    package func attach(_ server: HTTPDoor) { self.server = server }

    /// Once, before the server starts.
    package func attach(intake: EventIntake) { self.intake = intake }

    /// Once, before the server starts.
    package func attach(sink: UplinkSink) { self.sink = sink }

    /// Any thread: who may call, from now on.
    package func setAccess(_ policy: AccessPolicy) {
        server?.perform { [self] in self.policy = policy }
    }

    /// The writer's thread, after each batch: its answers go out together, and who waits for changes is woken.
    package func batchCommitted() {
        completions.flush(through: server)
        server?.perform { [self] in feed.wake(registry: registry, revision: registry.revision, server: server) }
    }

    /// The thread of `bulk.mdb`'s writer, after each batch; it changes nothing that anybody watches.
    package func bulkBatchCommitted() { completions.flush(through: server) }

    /// Housekeeping's thread, every few seconds: keeps event streams open through proxies.
    package func beatStreams() {
        server?.perform { [self] in feed.beat() }
    }

    /// Closes the streams of server-sent events; long polls are answered by the door's drain.
    package func closeStreams() {
        server?.perform { [self] in feed.closeStreams() }
    }

    // MARK: HTTPHandler

    package func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool {
        ChangeFeed.isLongPoll(requestLine: requestLine)
    }

    package func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission {
        switch table.match(head.method, head.path) {
        case .found(let index, _):
            let route = routes[index]
            head.tag(route.rawValue)
            if let refusal = refusalOfAccess(head, route) { return .refuse(respond(refusal, head, route)) }
            let bodyMax = route.description.bodyMax
            if let length = head.contentLength, length > UInt64(bodyMax) {
                return .refuse(respond(Self.tooLarge(bodyMax), head, route))
            }
            return .accept(bodyMax: bodyMax)
        // `handle` answers these when the (small) body is there, so that the connection can go on.
        case .notFound, .methodNotAllowed, .options: return .accept(bodyMax: 1_024)
        }
    }

    package func handle(_ request: borrowing HTTPRequest) -> HTTPReply {
        if let reply = cachedLookup(request) { return reply }
        switch table.match(request.method, request.path) {
        case .found(let index, let parameters):
            let route = routes[index]
            request.tag(route.rawValue)
            if let refusal = refusalOfAccess(request, route) { return .answer(respond(refusal, request, route)) }
            return dispatch(route, request, parameters)
        case .methodNotAllowed(let allow):
            let problem = Problem(
                .methodNotAllowed, "\(request.pathString) takes \(allow), not \(request.methodName).", hint: "Use one of: \(allow).",
                allow: allow)
            return .answer(respond(problem, request, nil))
        case .options(let allow):
            return .answer(HTTPResponse(status: 204, headers: [HTTPHeader("Allow", allow)]))
        case .notFound:
            if request.method == .options, request.pathString == "*" {
                return .answer(HTTPResponse(status: 204, headers: [HTTPHeader("Allow", "GET, HEAD, POST, DELETE, OPTIONS")]))
            }
            return .answer(
                respond(
                    Problem(.notFound, "There is nothing at \(request.pathString).", hint: hint(notFound: request)), request, nil))
        }
    }

    private func hint(notFound request: borrowing HTTPRequest) -> String {
        let path = request.path
        if path.count > 1, path.last == 0x2f {
            let shorter = UnsafeBufferPointer(rebasing: path.dropLast())
            if case .found = table.match(request.method, shorter) { return "Did you mean \(String(decoding: shorter, as: UTF8.self))?" }
        }
        return "GET /openapi.json lists every path."
    }

    package func refusal(_ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?) -> HTTPResponse {
        respond(Problem(refusal), requestID: requestID.description, isShort: path.map { Route.isShort(path: $0) } ?? false)
    }

    package func finished(_ outcome: HTTPOutcome) {
        metrics.record(outcome)
        log.debug(
            "http", "request",
            [
                "request_id": .describing(outcome.requestID), "status": .integer(outcome.status),
                "duration_us": .integer(outcome.durationNanoseconds / 1_000),
            ])
    }

    // MARK: Dispatch

    private func dispatch(_ route: Route, _ request: borrowing HTTPRequest, _ parameters: HTTPParameters) -> HTTPReply {
        switch route {
        case .service, .shortService: lookup(request, parameters, route)
        case .heartbeat, .heartbeatInstance, .shortHeartbeat, .shortHeartbeatInstance: heartbeat(request, parameters, route)
        case .heartbeats: heartbeats(request, route)
        case .register, .shortRegister: register(request, route)
        case .deregister, .deregisterInstance, .shortDeregister, .shortDeregisterInstance: deregister(request, parameters, route)
        case .services, .shortServices: list(request, route)
        case .changes: changes(request, route)
        case .events: events(request, parameters, route)
        case .uplink: uplink(request, route)
        case .uplinkProbe: probeUplink(request, parameters, route)
        case .deadLetters: deadLetters(request, route)
        case .deadLetterRedrive: redrive(request, parameters, route)
        case .audit: audit(request, route)
        case .auditCheckpoint: auditCheckpoint(request, route)
        case .streams: streamList(request, route)
        case .streamRecords: streamRecords(request, parameters, route)
        case .backup: backup(request, route)
        case .node: .answer(node())
        case .health: health(request)
        case .healthLive: .answer(HTTPResponse(status: 200, body: .bytes(Array(#"{"status":"live"}"#.utf8))))
        case .healthReady: ready(request)
        case .metrics: metricsText(request)
        case .openAPI: .answer(HTTPResponse(status: 200, body: .bytes(OpenAPI.document)))
        }
    }

    /// Why this caller may not use a route; nil if it may. On the HTTP thread.
    package func refusalOfAccess(_ request: borrowing HTTPRequest, _ route: Route) -> Problem? {
        let needed = route.access
        guard needed > .open else { return nil }
        let has = policy.access(of: request.peer)
        guard has < needed else { return nil }
        if has == .open {
            return Problem(
                .unauthenticated, "This caller is not known here.",
                hint: "Use the Unix socket, or ask the administrator to set access.loopback for callers of this host.")
        }
        return Problem(
            .forbidden, "This needs \(needed == .administrator ? "an administrator" : "a service"); the caller is \(has).",
            hint: "Use the Unix socket as root or as a member of the group posto-admin.")
    }

    // MARK: Answers

    func respond(_ problem: Problem, _ request: borrowing HTTPRequest, _ route: Route?) -> HTTPResponse {
        respond(problem, requestID: request.requestID.description, isShort: route?.isShort ?? Route.isShort(path: request.path))
    }

    func respond(_ problem: Problem, requestID: String, isShort: Bool) -> HTTPResponse {
        Self.respond(problem, requestID: requestID, isShort: isShort)
    }

    static func respond(_ problem: Problem, requestID: String, isShort: Bool) -> HTTPResponse {
        var headers: [HTTPHeader] = []
        if let retryAfter = problem.retryAfter { headers.append(HTTPHeader("Retry-After", "\(retryAfter)")) }
        if let allow = problem.allow { headers.append(HTTPHeader("Allow", allow)) }
        if problem.code == .unauthenticated { headers.append(HTTPHeader("WWW-Authenticate", "Bearer realm=\"posto\"")) }
        return HTTPResponse(
            status: UInt16(problem.code.status), contentType: isShort ? .json : .problemJSON, headers: headers,
            body: .bytes(isShort ? problem.shortBody() : problem.body(requestID: requestID)))
    }

    static func tooLarge(_ bodyMax: Int) -> Problem {
        Problem(.bodyTooLarge, "The body may have at most \(bodyMax) bytes.", hint: "Send less, or split it into several requests.")
    }

    func moment() -> Moment { Moment(uptime: time.uptime(), wall: time.timestamp()) }

    func origin(of request: borrowing HTTPRequest) -> Origin {
        policy.origin(
            of: request.peer, requestID: request.requestID.description, traceparent: request.traceparent)
    }
}

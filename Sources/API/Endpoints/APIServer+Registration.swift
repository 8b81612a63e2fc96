import Crypto
import Domain
import HTTPServer
import Registry
import Store

/// Longest that a durable change waits for its disk before the caller is told to look for himself.
let changeTimeoutNanoseconds: UInt64 = 30_000_000_000

/// A change under way: it is short, and a client that has shut its side down still wants the answer.
final class PendingChange: HTTPWaiter {
    let endsWithClient = false
    private let late: @Sendable () -> HTTPResponse

    init(late: @escaping @Sendable () -> HTTPResponse) { self.late = late }

    func departed(_ ticket: HTTPTicket) {}
    func timedOut(_ ticket: HTTPTicket) -> HTTPResponse { late() }
}

extension APIServer {
    func register(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        let registration: Registration
        let isDryRun: Bool
        do throws(Problem) {
            isDryRun = try Query(request, route).flag("dry_run")
            registration = try readRegistration(Array(request.body))
        } catch {
            return .answer(respond(error, request, route))
        }
        return submit(registration, isDryRun: isDryRun, request, route)
    }

    func readRegistration(_ body: [UInt8]) throws(Problem) -> Registration {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument.parse(body) } catch { throw Problem(error) }
        return try readRegistration(document.root, tenant: facts.tenant)
    }

    /// - Parameter tenant: of a registration that names none.
    func readRegistration(_ value: JSONValue, tenant: String) throws(Problem) -> Registration {
        let defaults = RegistrationReader.Defaults(tenant: tenant, ttlSeconds: facts.ttlSeconds)
        switch RegistrationReader.read(value, defaults: defaults) {
        case .registration(let registration): return registration
        case .refused(let fields): throw Problem(refused: fields)
        }
    }

    /// Hands a registration to the writer; the answer comes after the disk has it.
    func submit(
        _ registration: Registration, isDryRun: Bool = false, _ request: borrowing HTTPRequest, _ route: Route
    ) -> HTTPReply {
        let claim: IdempotencyClaim?
        do throws(Problem) { claim = try self.claim(of: request) } catch { return .answer(respond(error, request, route)) }
        let requestID = request.requestID.description
        let answers = RegistrationAnswers(
            api: self, requestID: requestID, route: route, origin: origin(of: request), isDryRun: isDryRun)
        return change(request, route) { api, ticket in
            RegisterRequest(
                registration, registry: api.registry, origin: answers.origin, claim: isDryRun ? nil : claim, isDryRun: isDryRun,
                render: { answers.stored($0) },
                completion: { outcome in
                    // Nothing was committed for these, so no batch brings them.
                    if isDryRun || outcome.isFailure {
                        ticket.complete(answers.response(outcome))
                    } else {
                        api.completions.add(ticket, answers.response(outcome))
                    }
                })
        }
    }

    /// Suspends the request, hands the change to the writer, and answers at once only if that takes no more.
    func change(
        _ request: borrowing HTTPRequest, _ route: Route, _ make: (APIServer, HTTPTicket) -> any WriteRequest
    ) -> HTTPReply {
        let requestID = request.requestID.description
        let isShort = route.isShort
        let waiter = PendingChange { [self] in
            respond(
                Problem(
                    .unavailable, "The disk has not confirmed this change in time; it may still be done.",
                    hint: "Look the service up before you try again.", retryAfter: 5),
                requestID: requestID, isShort: isShort)
        }
        let ticket = request.suspend(until: HTTPDoor.uptimeNanoseconds() + changeTimeoutNanoseconds, waiter: waiter)
        do throws(StoreError) {
            try registry.submit(make(self, ticket))
        } catch {
            ticket.complete(respond(Problem(error), requestID: requestID, isShort: isShort))
        }
        return .later
    }

    /// The request's `Idempotency-Key`, bound to who sent it and to what it was sent with.
    func claim(of request: borrowing HTTPRequest) throws(Problem) -> IdempotencyClaim? {
        guard let key = request.idempotencyKey else { return nil }
        guard (1...128).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Query.refuse("Idempotency-Key", key, "1 to 128 visible ASCII characters", example: "7f3c1e52-register-1")
        }
        let principal = origin(of: request).principal
        let hash = SHA256()
        hash.begin()
        hash.update(Array("\(request.methodName) \(request.pathString)\u{0}".utf8))
        hash.update(Array(request.rawQuery))
        hash.update([0])
        hash.update(Array(request.body))
        return IdempotencyClaim(key: Array("\(principal)\u{0}\(key)".utf8), digest: hash.finish().withUnsafeBytes { Digest32($0) })
    }
}

/// Renders what becomes of a registration.
struct RegistrationAnswers: Sendable {
    let api: APIServer
    let requestID: String
    let route: Route
    let origin: Origin
    var isDryRun = false

    func response(_ outcome: RegistrationOutcome) -> HTTPResponse {
        switch outcome {
        case .registered(let instance, let isNew) where isDryRun:
            return HTTPResponse(status: 200, body: .bytes(DryRun.body(isNew ? "register" : "update", instance.key)))
        case .renewed(let instance) where isDryRun:
            return HTTPResponse(status: 200, body: .bytes(DryRun.body("renew", instance.key)))
        case .registered(let instance, let isNew):
            return HTTPResponse(status: isNew ? 201 : 200, body: .bytes(body(instance)), revision: instance.revision)
        case .renewed(let instance):
            return HTTPResponse(status: 200, body: .bytes(body(instance)), revision: instance.revision)
        case .replayed(let status, let body):
            return .replayed(status: status, body: body, isShort: route.isShort)
        default:
            return api.respond(problem(outcome), requestID: requestID, isShort: route.isShort)
        }
    }

    /// What an idempotency key repeats.
    func stored(_ outcome: RegistrationOutcome) -> (status: Int, body: [UInt8]) {
        switch outcome {
        case .registered(let instance, let isNew): return (isNew ? 201 : 200, body(instance))
        case .renewed(let instance): return (200, body(instance))
        default:
            let problem = problem(outcome)
            return (problem.code.status, route.isShort ? problem.shortBody() : problem.body(requestID: requestID))
        }
    }

    private func body(_ instance: RegisteredInstance) -> [UInt8] {
        var json = JSONWriter(capacity: 320)
        json.object { json in
            json.key("id"); json.string(instance.key.id)
            json.key("service_name"); json.string(instance.key.service)
            json.key("revision"); json.unsigned(instance.revision)
            json.key("lease")
            json.object { json in
                json.key("ttl_seconds"); json.integer(instance.ttlSeconds)
                json.key("heartbeat_seconds"); json.integer(api.facts.heartbeatSeconds(ttl: instance.ttlSeconds))
                json.key("grace_seconds"); json.integer(api.facts.graceSeconds)
                json.key("expires_at"); json.timestamp(instance.expiresAt)
            }
            // Where a plain renewal says it.
            if route.description.operation.map({ "\($0)" }) == "heartbeat" { json.key("expires_at"); json.timestamp(instance.expiresAt) }
            json.key("durable"); json.bool(true)
        }
        return json.finish()
    }

    func problem(_ outcome: RegistrationOutcome) -> Problem {
        switch outcome {
        case .addressInUse(let holder):
            return Problem(
                .addressInUse,
                holder.map { "The service \"\($0)\" holds this host and port." } ?? "Another service holds this host and port.",
                hint: "Deregister the other service, or wait until its lease has ended; then register again.")
        case .full:
            return Problem(
                .registryFull, "This node holds as many instances as it can (\(Limits.instancesMax)).",
                hint: "Deregister instances that are gone.")
        case .idempotencyKeyReused:
            return .keyReused
        case .failed(let error): return Problem(error)
        case .registered, .renewed, .replayed: preconditionFailure("an outcome that is no refusal")
        }
    }
}

extension NodeFacts {
    /// Twice in a TTL, and at least in the node's own rhythm.
    func heartbeatSeconds(ttl: Int) -> Int { min(heartbeatSeconds, max(1, ttl / 2)) }
}

/// What would have been done.
enum DryRun {
    static func body(_ deed: StaticString, _ key: InstanceKey) -> [UInt8] {
        var json = JSONWriter(capacity: 192)
        json.object { json in
            json.key("dry_run"); json.bool(true)
            json.key("would"); json.string(deed)
            json.key("service_name"); json.string(key.service)
            json.key("id"); json.string(key.id)
            json.key("durable"); json.bool(false)
        }
        return json.finish()
    }
}

extension RegistrationOutcome {
    fileprivate var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}

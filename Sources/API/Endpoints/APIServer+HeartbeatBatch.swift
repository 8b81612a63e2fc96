import Domain
import HTTPServer
import Registry
import Store
import Synchronization

extension APIServer {
    /// Renews many leases: `{"heartbeats":[{"service_name":…,"id":…},…]}`, or the array alone. An element with a host is a registration: it
    /// renews, or registers. Each element has a result of its own, in order.
    func heartbeats(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        let elements: [JSONValue]
        let tenant: String
        let claim: IdempotencyClaim?
        do throws(Problem) {
            claim = try self.claim(of: request)
            if let earlier = try earlierAnswer(claim, request, route) { return .answer(earlier) }
            tenant = try Query(request, route).tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
            elements = try readBatch(Array(request.body))
        } catch {
            return .answer(respond(error, request, route))
        }
        let requestID = request.requestID.description
        let batch = HeartbeatBatch(count: elements.count)
        let origin = origin(of: request)
        var changes: [any WriteRequest] = []
        for (index, element) in elements.enumerated() {
            if let change = begin(element, index, batch, tenant: tenant, origin: origin, requestID: requestID, route) {
                changes.append(change)
            }
        }
        guard !changes.isEmpty else {
            return answer(HTTPResponse(status: 200, body: .bytes(batch.body())), claim, summary: batch.summary(), request, route)
        }
        batch.expect(changes.count)
        let late = respond(
            Problem(.unavailable, "The disk has not confirmed all of these in time.", hint: "Send the batch again.", retryAfter: 5),
            requestID: requestID, isShort: false)
        let ticket = request.suspend(until: HTTPDoor.uptimeNanoseconds() + 30_000_000_000, waiter: PendingChange { late })
        batch.onComplete { [self] in
            let response = HTTPResponse(status: 200, body: .bytes(batch.body()))
            guard let claim else { return ticket.complete(response) }
            let memory = remembering(response, claim, summary: batch.summary(), ticket, requestID: requestID, isShort: false)
            do throws(StoreError) { try registry.submit(memory) } catch { memory.failed(error) }
        }
        for change in changes {
            do throws(StoreError) { try registry.submit(change) } catch { change.failed(error) }
        }
        return .later
    }

    private func readBatch(_ body: [UInt8]) throws(Problem) -> [JSONValue] {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument.parse(body) } catch { throw Problem(error) }
        let list = document.root.kind == .array ? document.root : document.root["heartbeats"]
        let expected = "an array of at most \(Limits.heartbeatBatchMax) objects"
        let example = #"[{"service_name":"my-service","id":"my-service-1"}]"#
        guard let list, list.kind == .array, list.count <= Limits.heartbeatBatchMax else {
            throw Problem(refused: [
                FieldRefusal(
                    field: "heartbeats", message: "heartbeats must be \(expected)", provided: list.map(RegistrationReader.excerpt),
                    expected: expected, example: example)
            ])
        }
        return Array(list.elements)
    }

    /// Does what can be done at once; returns what needs the writer.
    private func begin(
        _ element: JSONValue, _ index: Int, _ batch: HeartbeatBatch, tenant: String, origin: Origin, requestID: String, _ route: Route
    ) -> (any WriteRequest)? {
        let service = element["service_name"]?.string ?? ""
        let answers = HeartbeatAnswers(api: self, requestID: "", isShort: false, service: service)
        func settle(_ outcome: RenewalOutcome, id: String) {
            if case .renewed(let expiresAt, let id) = outcome {
                batch.settle(index, .renewed(service: service, id: id, expiresAt: expiresAt))
            } else {
                batch.settle(index, .refused(service: service, id: id, answers.problem(outcome)))
            }
        }
        if element["host"] != nil {
            do throws(Problem) {
                let registration = try readRegistration(element, tenant: tenant)
                let registrationAnswers = RegistrationAnswers(api: self, requestID: requestID, route: route, origin: origin)
                return RegisterRequest(
                    registration, registry: registry, origin: origin, claim: nil, render: { registrationAnswers.stored($0) }
                ) { outcome in
                    switch outcome {
                    case .registered(let instance, _), .renewed(let instance):
                        batch.settle(index, .renewed(service: service, id: instance.key.id, expiresAt: instance.expiresAt))
                    default:
                        batch.settle(index, .refused(service: service, id: registration.id, registrationAnswers.problem(outcome)))
                    }
                }
            } catch {
                batch.settle(index, .refused(service: service, id: element["id"]?.string ?? "", error))
                return nil
            }
        }
        let id = element["id"]?.string
        let isNamed = NameRules.serviceName.accepts(service)
        guard isNamed, id.map(NameRules.instanceID.accepts) ?? true else {
            let rule = isNamed ? NameRules.instanceID : NameRules.serviceName
            let given = isNamed ? id ?? "" : service
            batch.settle(
                index,
                .refused(
                    service: String(service.prefix(64)), id: String((id ?? "").prefix(128)),
                    Query.refuse(isNamed ? "id" : "service_name", given, rule.expected, example: rule.example(given))))
            return nil
        }
        switch registry.renew(tenant: tenant.utf8, service: service.utf8, id: id?.utf8) {
        case .done(let outcome):
            settle(outcome, id: id ?? "")
            return nil
        case .revive(let key):
            return ReviveRequest(key, registry: registry, origin: origin) { outcome in
                if case .renewed(let expiresAt, let id) = outcome {
                    batch.settle(index, .renewed(service: service, id: id, expiresAt: expiresAt))
                } else {
                    batch.settle(index, .refused(service: service, id: key.id, answers.problem(outcome)))
                }
            }
        }
    }
}

/// Collects the results of a batch of renewals, whoever brings them.
final class HeartbeatBatch: Sendable {
    enum Result: Sendable {
        case renewed(service: String, id: String, expiresAt: Timestamp)
        case refused(service: String, id: String, Problem)
    }

    private struct State {
        var results: [Result?]
        /// Changes that the writer still has.
        var awaited = 0
        var completion: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(results: Array(repeating: nil, count: count))) }

    func expect(_ changes: Int) { state.withLock { $0.awaited = changes } }

    func onComplete(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.completion = body } }

    func settle(_ index: Int, _ result: Result) {
        let completion = state.withLock { state -> (@Sendable () -> Void)? in
            state.results[index] = result
            guard state.awaited > 0 else { return nil }
            state.awaited -= 1
            return state.awaited == 0 ? state.completion : nil
        }
        completion?()
    }

    /// For a repeated request whose answer was too long to be remembered: how it went, without the results.
    func summary() -> [UInt8] {
        let results = state.withLock { $0.results }
        let renewed = results.count { if case .renewed = $0 { true } else { false } }
        return Array(#"{"results":[],"renewed":\#(renewed),"refused":\#(results.count - renewed)}"#.utf8)
    }

    func body() -> [UInt8] {
        let results = state.withLock { $0.results }
        var json = JSONWriter(capacity: 64 + results.count * 96)
        var renewed = 0
        json.beginObject()
        json.key("results")
        json.beginArray()
        for case .some(let result) in results {
            json.beginObject()
            switch result {
            case .renewed(let service, let id, let expiresAt):
                renewed += 1
                json.key("service_name"); json.string(service)
                json.key("id"); json.string(id)
                json.key("status"); json.integer(200)
                json.key("expires_at"); json.timestamp(expiresAt)
            case .refused(let service, let id, let problem):
                json.key("service_name"); json.string(service)
                json.key("id"); json.string(id)
                json.key("status"); json.integer(problem.code.status)
                json.key("code"); json.string(problem.code.rawValue)
                json.key("detail"); json.string(problem.detail)
                if !problem.ids.isEmpty { json.key("ids"); json.array { for id in problem.ids { $0.string(id) } } }
            }
            json.endObject()
        }
        json.endArray()
        json.key("renewed"); json.integer(renewed)
        json.key("refused"); json.integer(results.count - renewed)
        json.endObject()
        return json.finish()
    }
}

import Domain
import HTTPServer
import Registry
import Store

extension APIServer {
    /// Renews one lease. Without a body nothing is allocated that need not be and nothing is written to the disk.
    func heartbeat(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let body = request.body
        if let registration = fullRegistration(body) {
            return upsert(registration, request, parameters, route)
        }
        do throws(Problem) {
            let tenant = try Query(request, route).tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
            let path = request.path
            let service = parameters.bytes(0, in: path)
            let id = parameters.count > 1 ? parameters.bytes(1, in: path) : nil
            guard Self.fitsKey(service, id) else {
                throw unknownLease(service: String(decoding: service, as: UTF8.self))
            }
            let claim = request.hasIdempotencyKey ? try claim(of: request) : nil
            if let earlier = try earlierAnswer(claim, request, route) { return .answer(earlier) }
            switch registry.renew(tenant: tenant.utf8, service: service, id: id) {
            case .done(let outcome): return answer(answer(to: outcome, service: service, request, route), claim, request, route)
            case .revive(let key): return revive(key, claim, request, route)
            }
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private func revive(_ key: InstanceKey, _ claim: IdempotencyClaim?, _ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        let answers = HeartbeatAnswers(
            api: self, requestID: request.requestID.description, isShort: route.isShort, service: key.service)
        let origin = origin(of: request)
        return change(request, route) { api, ticket in
            ReviveRequest(key, registry: api.registry, origin: origin) { outcome in
                let response = answers.response(outcome)
                switch outcome {
                case .failed: ticket.complete(response)
                case .renewed where claim != nil:
                    let memory = api.remembering(response, claim!, ticket, requestID: answers.requestID, isShort: answers.isShort)
                    do throws(StoreError) { try api.registry.submit(memory) } catch { memory.failed(error) }
                default: api.completions.add(ticket, response)
                }
            }
        }
    }

    /// Names longer than any rule allows are unknown without looking: the store's keys could not hold them.
    static func fitsKey(_ service: UnsafeBufferPointer<UInt8>, _ id: UnsafeBufferPointer<UInt8>?) -> Bool {
        (1...64).contains(service.count) && (id.map { (1...Limits.instanceIDBytesMax).contains($0.count) } ?? true)
    }

    /// The registration in a heartbeat's body, if that is one, which its host tells; whatever else clients put there is not ours to judge.
    private func fullRegistration(_ body: UnsafeRawBufferPointer) -> JSONValue? {
        guard body.count > 2, let document = try? JSONDocument.parse(Array(body)),
            document.root["host"] != nil
        else { return nil }
        return document.root
    }

    private func upsert(
        _ value: JSONValue, _ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route
    ) -> HTTPReply {
        do throws(Problem) {
            let tenant = try Query(request, route).tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
            let path = request.path
            let service = parameters.string(0, in: path)
            var registration = try readRegistration(value, tenant: tenant)
            try Self.requireEqual("service_name", registration.serviceName, service)
            if parameters.count > 1 {
                let id = parameters.string(1, in: path)
                if value["id"]?.isNull ?? true {
                    guard NameRules.instanceID.accepts(id) else {
                        throw Query.refuse("id", id, NameRules.instanceID.expected, example: NameRules.instanceID.example(""))
                    }
                    registration.id = id
                }
                try Self.requireEqual("id", registration.id, id)
            }
            return submit(registration, request, route)
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private static func requireEqual(_ field: String, _ body: String, _ path: String) throws(Problem) {
        guard body == path else {
            var json = JSONWriter()
            json.string(body)
            throw Problem(refused: [
                FieldRefusal(
                    field: field, message: "\(field) differs from the one in the path",
                    provided: String(decoding: json.finish(), as: UTF8.self),
                    expected: "the same as in the path", example: String(path.prefix(128)))
            ])
        }
    }

    func unknownLease(service: String) -> Problem {
        Problem(
            .unknownLease, "No lease of \"\(service.prefix(128))\" is held here: it was never registered, or it has ended.",
            hint: "Register again (POST /api/v1/register); the heartbeat may also carry the whole registration.")
    }

    private func answer(
        to outcome: RenewalOutcome, service: UnsafeBufferPointer<UInt8>, _ request: borrowing HTTPRequest, _ route: Route
    ) -> HTTPResponse {
        if case .renewed(let expiresAt, let id) = outcome {
            return HTTPResponse(status: 200, body: .bytes(HeartbeatAnswers.body(expiresAt: expiresAt, id: id)))
        }
        return HeartbeatAnswers(
            api: self, requestID: request.requestID.description, isShort: route.isShort, service: String(decoding: service, as: UTF8.self)
        ).response(outcome)
    }
}

/// Renders what becomes of a renewal.
struct HeartbeatAnswers: Sendable {
    let api: APIServer
    let requestID: String
    let isShort: Bool
    let service: String

    static func body(expiresAt: Timestamp, id: String) -> [UInt8] {
        var json = JSONWriter(capacity: 128)
        json.beginObject()
        json.key("expires_at"); json.timestamp(expiresAt)
        json.key("id"); json.string(id)
        json.endObject()
        return json.finish()
    }

    func response(_ outcome: RenewalOutcome) -> HTTPResponse {
        switch outcome {
        case .renewed(let expiresAt, let id):
            HTTPResponse(status: 200, body: .bytes(Self.body(expiresAt: expiresAt, id: id)))
        case .unknownLease, .ambiguous, .failed:
            api.respond(problem(outcome), requestID: requestID, isShort: isShort)
        }
    }

    func problem(_ outcome: RenewalOutcome) -> Problem {
        switch outcome {
        case .renewed: preconditionFailure("a renewal that is no refusal")
        case .unknownLease: api.unknownLease(service: service)
        case .ambiguous(let ids): Problem.ambiguous(service: service, ids: ids)
        case .failed(let error): Problem(error)
        }
    }
}

extension Problem {
    static func ambiguous(service: String, ids: [String]) -> Problem {
        Problem(
            .ambiguousInstance, "The service \"\(service)\" has several instances.",
            hint: "Name one of `ids` in the path: …/\(service)/\(ids.first ?? "ID").", ids: ids)
    }
}

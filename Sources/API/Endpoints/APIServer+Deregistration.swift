import Domain
import HTTPServer
import Registry
import Store

extension APIServer {
    func deregister(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let query = try Query(request, route)
            let tenant = try query.tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
            let isDryRun = try query.flag("dry_run")
            let path = request.path
            let serviceBytes = parameters.bytes(0, in: path)
            let idBytes = parameters.count > 1 ? parameters.bytes(1, in: path) : nil
            let service = String(decoding: serviceBytes, as: UTF8.self)
            guard Self.fitsKey(serviceBytes, idBytes) else { throw notRegistered(service, tenant: tenant) }
            let claim = try claim(of: request)
            let key: InstanceKey
            if let idBytes {
                key = InstanceKey(tenant: tenant, service: service, id: String(decoding: idBytes, as: UTF8.self))
            } else {
                let resolution: ServiceRegistry.Resolution
                do throws(StoreError) {
                    resolution = try registry.resolve(tenant: tenant, service: service)
                } catch {
                    throw Problem(error)
                }
                switch resolution {
                case .one(let only): key = only
                // An idempotency key may know what is gone by now: the writer looks. Its id is of no instance.
                case .none where claim != nil: key = InstanceKey(tenant: tenant, service: service, id: "~")
                case .none: throw notRegistered(service, tenant: tenant)
                case .several(let ids): throw Problem.ambiguous(service: service, ids: ids)
                }
            }
            return submitDeregistration(of: key, claim: claim, isDryRun: isDryRun, request, route)
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private func submitDeregistration(
        of key: InstanceKey, claim: IdempotencyClaim?, isDryRun: Bool, _ request: borrowing HTTPRequest, _ route: Route
    ) -> HTTPReply {
        let requestID = request.requestID.description
        let origin = origin(of: request)
        let isShort = route.isShort
        return change(request, route) { api, ticket in
            DeregisterRequest(
                key, registry: api.registry, origin: origin, claim: isDryRun ? nil : claim, isDryRun: isDryRun
            ) { outcome in
                let response: HTTPResponse =
                    switch outcome {
                    case .removed where isDryRun: HTTPResponse(status: 200, body: .bytes(DryRun.body("remove", key)))
                    case .removed(let revision): HTTPResponse(status: 204, revision: revision)
                    case .unknown: api.respond(api.notRegistered(key.service, tenant: key.tenant), requestID: requestID, isShort: isShort)
                    case .replayed(let status, let body): .replayed(status: status, body: body, isShort: isShort)
                    case .idempotencyKeyReused: api.respond(.keyReused, requestID: requestID, isShort: isShort)
                    case .failed(let error): api.respond(Problem(error), requestID: requestID, isShort: isShort)
                    }
                if isDryRun || outcome.isFailure { ticket.complete(response) } else { api.completions.add(ticket, response) }
            }
        }
    }

    func notRegistered(_ service: String, tenant: String) -> Problem {
        Problem(
            .unknownService, "\"\(service.prefix(128))\" is not registered here.",
            hint: registry.nearestService(to: service, tenant: tenant).map { "Did you mean \($0)?" }
                ?? "GET /api/v1/services lists what is.")
    }
}

extension DeregistrationOutcome {
    fileprivate var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}

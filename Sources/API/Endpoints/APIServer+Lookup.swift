import Domain
import HTTPServer
import Registry
import Store

extension APIServer {
    /// The hottest path of the node: a look-up whose answer is still right is sent again, before its route is even looked for.
    func cachedLookup(_ request: borrowing HTTPRequest) -> HTTPReply? {
        guard request.method == .get,
            let found = cache.find(request.target, now: time.uptime(), version: { registry.stripes.version(of: $0) })
        else { return nil }
        request.tag(found.route.rawValue)
        if let refusal = refusalOfAccess(request, found.route) { return .answer(respond(refusal, request, found.route)) }
        return .answer(HTTPResponse(found.answer))
    }

    /// One service.
    func lookup(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let name = parameters.string(0, in: request.path)
        do throws(Problem) {
            let tenant =
                request.rawQuery.isEmpty
                ? facts.tenant : try Query(request, route).tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
            return .answer(try lookup(name, tenant: tenant, request, route))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private func lookup(
        _ name: String, tenant: String, _ request: borrowing HTTPRequest, _ route: Route
    ) throws(Problem) -> HTTPResponse {
        let stripe = VersionStripes.hash(tenant: tenant.utf8, service: name.utf8)
        let version = registry.stripes.version(of: stripe)
        let now = time.uptime()
        let found: RenderedService?
        do throws(StoreError) {
            found = name.utf8.count <= 64 ? try registry.lookup(tenant: tenant, service: name) : nil
        } catch {
            throw Problem(error)
        }
        guard let service = found else { throw notRegistered(name, tenant: tenant) }
        let stamp = LookupCache.Stamp(stripe: stripe, version: version, validUntil: service.validUntil)
        return HTTPResponse(cache.keep(service, stamp: stamp, route: route, target: request.target, now: now))
    }

    func list(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let query = try listQuery(try Query(request, route))
            let (body, revision) = try rendered(query)
            return .answer(HTTPResponse(status: 200, body: .bytes(body), revision: revision))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private func rendered(_ query: ListQuery) throws(Problem) -> (body: [UInt8], revision: UInt64) {
        do throws(StoreError) { return try registry.list(query) } catch { throw Problem(error) }
    }

    private func listQuery(_ given: borrowing Query) throws(Problem) -> ListQuery {
        var query = ListQuery(tenant: try given.tenant(default: facts.tenant, rule: NameRules.tenant.accepts))
        query.tags = given.all("tag")
        query.capabilities = given.all("capability")
        query.version = given["version"]
        if let text = given["protocol"] {
            guard NameRules.transport.accepts(text) else {
                throw Query.refuse("protocol", text, NameRules.transport.expected, example: NameRules.transport.example(text))
            }
            query.transport = text
        }
        if let text = given["health"] {
            guard let health = Health(name: text) else {
                throw Query.refuse("health", text, "passing, warning, critical or unknown", example: "passing")
            }
            query.health = health
        }
        query.limit = Int(
            try given.integer("limit", in: 1...UInt64(Limits.listPageMax), default: UInt64(Limits.listPageDefault)))
        if let text = given["cursor"] {
            guard let cursor = ListCursor(text: text) else {
                throw Query.refuse(
                    "cursor", text, "the `next` of an earlier page", example: ListCursor(service: "my-service", id: "1").text)
            }
            query.after = cursor
        }
        return query
    }
}

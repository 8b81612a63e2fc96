import Domain
import HTTPServer
import Registry
import Store

extension APIServer {
    /// One service: the hottest path of the node. A rendered answer is sent again as long as it is true.
    func lookup(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let name = parameters.bytes(0, in: request.path)
        guard request.rawQuery.isEmpty else {
            do throws(Problem) {
                let tenant = try Query(request, route).tenant(default: facts.tenant, rule: NameRules.tenant.accepts)
                return lookup(name, tenant: tenant, VersionStripes.hash(tenant: tenant.utf8, service: name), request, route)
            } catch {
                return .answer(respond(error, request, route))
            }
        }
        return lookup(name, tenant: facts.tenant, tenantHash.hash(service: name), request, route)
    }

    private func lookup(
        _ name: UnsafeBufferPointer<UInt8>, tenant: String, _ hash: UInt64, _ request: borrowing HTTPRequest, _ route: Route
    ) -> HTTPReply {
        // Before the store is read: a change in between makes the copy old at once, never wrong.
        let version = registry.stripes.version(of: hash)
        let now = time.uptime()
        if let answer = cache.find(hash: hash, version: version, name: name, now: now) { return .answer(HTTPResponse(answer)) }
        let text = String(decoding: name, as: UTF8.self)
        do throws(StoreError) {
            guard name.count <= 64, let service = try registry.lookup(tenant: tenant, service: text) else {
                return .answer(respond(notRegistered(text, tenant: tenant), request, route))
            }
            return .answer(HTTPResponse(cache.keep(service, hash: hash, version: version, name: name, now: now)))
        } catch {
            return .answer(respond(Problem(error), request, route))
        }
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

import Domain
import HTTPServer
import Registry
import Store

extension APIServer {
    func changes(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let query = try Query(request, route)
            let form = Self.form(of: request)
            // Who watches for the first time begins with the oldest change that is kept.
            var since = query["since"] == nil ? nil : try query.integer("since", in: 0...UInt64.max, default: 0)
            let limit = Int(
                try query.integer("limit", in: 1...UInt64(Limits.changesPageMax), default: UInt64(Limits.changesPageDefault)))
            if form == .eventStream {
                // What a browser sends when it connects again.
                if let last = request.header("Last-Event-ID").flatMap(UInt64.init) { since = last }
                return try subscribe(since: since ?? registry.oldestRevision, request.requestID)
            }
            let wait = try query.duration("wait", max: Limits.longPollMax, default: .zero)
            if since == nil, wait > .zero, registry.revision == 0 { since = 0 }
            guard wait > .zero, let since, since == registry.revision else {
                return .answer(ChangeFeed.answer(registry, since: since, limit: limit, form: form, requestID: request.requestID))
            }
            try requireRoom()
            feed.watch(
                request, since: since, limit: limit, form: form,
                deadline: HTTPDoor.uptimeNanoseconds() + UInt64(wait.wholeMilliseconds) * 1_000_000)
            // The revision may have moved between the look and the watch; the wake for it has then not come to this watcher.
            if registry.revision != since { feed.wake(registry: registry, revision: registry.revision, server: server) }
            return .later
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    private func subscribe(since: UInt64, _ requestID: HTTPRequestID) throws(Problem) -> HTTPReply {
        try requireRoom()
        let first = ChangeFeed.answer(registry, since: since, limit: 1, form: .eventStream, requestID: requestID)
        guard first.status == 200 else { return .answer(first) }
        let registry = registry
        let feed = feed
        // Read on once the client has taken what was sent: it may begin far behind.
        let stream = HTTPStream(onIdle: { feed.wakeSubscribers(registry, registry.revision) })
        feed.subscribe(stream, after: since)
        feed.wake(registry: registry, revision: registry.revision, server: server)
        return .answer(HTTPResponse(status: 200, contentType: .eventStream, body: .stream(stream)))
    }

    private func requireRoom() throws(Problem) {
        guard feed.count < Limits.watchersMax else {
            throw Problem(
                .tooManyWatchers, "\(Limits.watchersMax) callers wait for changes already.", hint: "Ask without `wait`.", retryAfter: 10)
        }
    }

    /// JSON unless one of the others is asked for by name.
    static func form(of request: borrowing HTTPRequest) -> ChangesPage.Form {
        guard let accept = request.header("Accept") else { return .json }
        return
            switch AcceptHeader.best(accept, of: ["application/json", "application/x-ndjson", "application/ndjson", "text/event-stream"])
        {
        case 1, 2: .ndjson
        case 3: .eventStream
        default: .json
        }
    }
}

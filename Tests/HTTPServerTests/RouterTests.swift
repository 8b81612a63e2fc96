import HTTPServer
import Testing

@Suite("HTTP router") struct RouterTests {
    private let router: HTTPRouter<String> = {
        var router = HTTPRouter<String>()
        router.add(.get, "/", "root")
        router.add(.get, "/api/v1/services", "list")
        router.add(.get, "/api/v1/services/{name}", "one")
        router.add(.get, "/api/v1/services/special", "special")
        router.add(.get, "/api/v1/services/special/deeper/still", "deep")
        router.add(.post, "/api/v1/heartbeat/{name}", "beat")
        router.add(.post, "/api/v1/heartbeat/{name}/{id}", "beat one")
        router.add(.delete, "/api/v1/heartbeat/{name}/{id}", "stop")
        router.add(.get, "/v1/kv/{key*}", "kv")
        router.add(.put, "/v1/kv/{key*}", "put")
        router.add(.get, "/a/{b}/{c}/{d}/{e}", "four")
        router.add(.options, "/own", "own options")
        return router
    }()

    private func find(_ method: HTTPMethod, _ path: String) -> String {
        var path = path
        return path.withUTF8 { bytes in
            switch router.match(method, bytes) {
            case .found(let route, let parameters):
                ([route] + (0..<parameters.count).map { parameters.string($0, in: bytes) }).joined(separator: "|")
            case .notFound: "404"
            case .methodNotAllowed(let allow): "405 \(allow)"
            case .options(let allow): "204 \(allow)"
            }
        }
    }

    @Test(
        "a path finds its route and parameters",
        arguments: [
            (.get, "/", "root"), (.get, "/api/v1/services", "list"), (.get, "/api/v1/services/", "404"),
            (.get, "/api/v1/services/web", "one|web"),
            (.get, "/api/v1/services/special", "special"), (.get, "/api/v1/services/special/deeper/still", "deep"),
            (.get, "/api/v1/services/special/deeper", "404"), (.get, "/api/v1/services/specia", "one|specia"),
            (.get, "/api/v1/services/web/", "404"),
            (.post, "/api/v1/heartbeat/web", "beat|web"), (.post, "/api/v1/heartbeat/web/7", "beat one|web|7"),
            (.post, "/api/v1/heartbeat//7", "404"),
            (.delete, "/api/v1/heartbeat/web/7", "stop|web|7"), (.get, "/v1/kv/a/b/c", "kv|a/b/c"), (.put, "/v1/kv/", "put|"),
            (.get, "/v1/kv", "404"),
            (.get, "/v1/kv/a/", "kv|a/"), (.get, "/a/1/2/3/4", "four|1|2|3|4"), (.get, "", "404"), (.get, "/none", "404"),
            (.get, "//", "404"),
            (.head, "/api/v1/services/web", "one|web"), (.head, "/api/v1/heartbeat/web", "405 POST, OPTIONS"),
            (.get, "/api/v1/heartbeat/web/7", "405 POST, DELETE, OPTIONS"), (.other, "/", "405 GET, HEAD, OPTIONS"),
            (.options, "/v1/kv/x", "204 GET, HEAD, PUT, OPTIONS"), (.options, "/own", "own options"), (.options, "/none", "404"),
        ] as [(HTTPMethod, String, String)])
    func matches(_ method: HTTPMethod, _ path: String, _ expected: String) {
        #expect(find(method, path) == expected)
    }

    @Test("the routes can be listed")
    func list() {
        #expect(router.routes.count == 12)
        #expect(router.routes[2].pattern == "/api/v1/services/{name}")
    }

    @Test("two routes for one method and pattern are a programming error")
    func twice() async {
        await #expect(processExitsWith: .failure) {
            var router = HTTPRouter<Int>()
            router.add(.get, "/a/{b}", 1)
            router.add(.get, "/a/{c}", 2)
        }
    }
}

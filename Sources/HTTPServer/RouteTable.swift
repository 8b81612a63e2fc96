/// The tree of segments behind `HTTPRouter`, with an index for each route.
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case found(Int, HTTPParameters)
        case notFound
        case methodNotAllowed(allow: String)
        case options(allow: String)
    }

    struct Node: Sendable {
        var literals: [(name: [UInt8], node: Int)] = []
        var parameter: Int?
        var rest: Int?
        /// By raw value of the method; -1 without a route.
        var routes = [Int](repeating: -1, count: HTTPMethod.allCases.count)
        var allow = ""

        var isEnd: Bool { !allow.isEmpty }
    }

    private var nodes = [Node()]
    private var search = RouteSearch([Node()])

    mutating func add(_ method: HTTPMethod, _ pattern: String, _ index: Int) {
        precondition(pattern.first == "/", "a pattern begins with a slash: \(pattern)")
        var at = 0
        var parameters = 0
        var isOver = false
        for segment in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            precondition(!isOver, "nothing can follow a rest: \(pattern)")
            if segment.first == "{", segment.last == "}" {
                parameters += 1
                isOver = segment.hasSuffix("*}")
                at = child(of: at, isOver ? \.rest : \.parameter)
            } else {
                at = child(of: at, Array(segment.utf8))
            }
        }
        precondition(parameters <= HTTPParameters.max, "at most \(HTTPParameters.max) parameters: \(pattern)")
        precondition(nodes[at].routes[Int(method.rawValue)] < 0, "two routes for \(method.name) \(pattern)")
        nodes[at].routes[Int(method.rawValue)] = index
        nodes[at].allow = Self.allow(nodes[at].routes)
        search = RouteSearch(nodes)
    }

    package func match(_ method: HTTPMethod, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        guard path.count > 0, path[0] == 0x2f else { return .notFound }
        var parameters = HTTPParameters()
        guard let end = search.find(path, &parameters) else { return .notFound }
        var route = search.route(end, method)
        if route < 0, method == .head { route = search.route(end, .get) }
        if route >= 0 { return .found(route, parameters) }
        return method == .options ? .options(allow: nodes[end].allow) : .methodNotAllowed(allow: nodes[end].allow)
    }

    private mutating func child(of node: Int, _ kind: WritableKeyPath<Node, Int?>) -> Int {
        if let existing = nodes[node][keyPath: kind] { return existing }
        nodes.append(Node())
        nodes[node][keyPath: kind] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func child(of node: Int, _ name: [UInt8]) -> Int {
        if let existing = nodes[node].literals.first(where: { $0.name == name }) { return existing.node }
        nodes.append(Node())
        nodes[node].literals.append((name, nodes.count - 1))
        return nodes.count - 1
    }

    private static func allow(_ routes: [Int]) -> String {
        var names: [String] = []
        for method in HTTPMethod.allCases where method != .other && method != .options {
            let isThere = routes[Int(method.rawValue)] >= 0 || (method == .head && routes[Int(HTTPMethod.get.rawValue)] >= 0)
            if isThere { names.append("\(method.name)") }
        }
        return (names + ["OPTIONS"]).joined(separator: ", ")
    }
}

import Glibc

/// Finds the route of a request: `/api/v1/heartbeat/{name}/{id}` by method, on the bytes of the path, without allocating.
///
/// `{name}` is one segment that is not empty; `{rest*}` at the end takes all that is left, slashes and nothing included. A literal segment wins
/// over a parameter. A trailing slash is another path. HEAD goes where GET goes; OPTIONS is answered by `Allow`.
package struct HTTPRouter<Route: Sendable>: Sendable {
    package enum Match: Sendable {
        case found(Route, HTTPParameters)
        /// 404.
        case notFound
        /// 405 with this `Allow`.
        case methodNotAllowed(allow: String)
        /// 204 with this `Allow`, for OPTIONS without a route of its own.
        case options(allow: String)
    }

    package struct Entry: Sendable {
        package let method: HTTPMethod
        package let pattern: String
        package let route: Route
    }

    private struct Node: Sendable {
        var literals: [(name: [UInt8], node: Int)] = []
        var parameter: Int?
        var rest: Int?
        /// By raw value of the method.
        var routes = [Route?](repeating: nil, count: HTTPMethod.allCases.count)
        var allow = ""

        var isEnd: Bool { !allow.isEmpty }
    }

    /// Every route in the order of registration, for documents and their tests.
    package private(set) var routes: [Entry] = []
    private var nodes = [Node()]

    package init() {}

    /// Adds a route. Two routes for one method and pattern, or more than four parameters, are a programming error.
    package mutating func add(_ method: HTTPMethod, _ pattern: String, _ route: Route) {
        precondition(pattern.first == "/", "a pattern begins with a slash: \(pattern)")
        var at = 0
        var parameters = 0
        for segment in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            precondition(nodes[at].rest == nil || segment.hasSuffix("*}"), "nothing can follow a rest: \(pattern)")
            if segment.first == "{", segment.last == "}" {
                parameters += 1
                at = segment.hasSuffix("*}") ? child(of: at, \.rest) : child(of: at, \.parameter)
            } else {
                at = child(of: at, Array(segment.utf8))
            }
        }
        precondition(parameters <= HTTPParameters.max, "at most \(HTTPParameters.max) parameters: \(pattern)")
        precondition(nodes[at].routes[Int(method.rawValue)] == nil, "two routes for \(method.name) \(pattern)")
        nodes[at].routes[Int(method.rawValue)] = route
        nodes[at].allow = Self.allow(nodes[at].routes)
        routes.append(Entry(method: method, pattern: pattern, route: route))
    }

    package func match(_ method: HTTPMethod, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        var parameters = HTTPParameters()
        guard path.first == 0x2f, let end = descend(0, path, 1, &parameters) else { return .notFound }
        if let route = nodes[end].routes[Int(method.rawValue)] { return .found(route, parameters) }
        if method == .head, let route = nodes[end].routes[Int(HTTPMethod.get.rawValue)] { return .found(route, parameters) }
        return method == .options ? .options(allow: nodes[end].allow) : .methodNotAllowed(allow: nodes[end].allow)
    }

    /// The node for the path from `start` on, below `node`; goes back from a literal that leads nowhere.
    private func descend(_ node: Int, _ path: UnsafeBufferPointer<UInt8>, _ start: Int, _ parameters: inout HTTPParameters) -> Int? {
        var stop = start
        while stop < path.count, path[stop] != 0x2f { stop += 1 }
        for (name, next) in nodes[node].literals where name.count == stop - start {
            let isEqual = name.withUnsafeBufferPointer {
                name.isEmpty || memcmp($0.baseAddress!, path.baseAddress! + start, name.count) == 0
            }
            if isEqual, let found = follow(next, path, stop, &parameters) { return found }
        }
        if let next = nodes[node].parameter, stop > start {
            let before = parameters
            parameters.append(start, stop)
            if let found = follow(next, path, stop, &parameters) { return found }
            parameters = before
        }
        if let next = nodes[node].rest {
            parameters.append(start, path.count)
            return next
        }
        return nil
    }

    private func follow(_ next: Int, _ path: UnsafeBufferPointer<UInt8>, _ stop: Int, _ parameters: inout HTTPParameters) -> Int? {
        if stop < path.count { return descend(next, path, stop + 1, &parameters) }
        return nodes[next].isEnd ? next : nil
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

    private static func allow(_ routes: [Route?]) -> String {
        var names: [String] = []
        for method in HTTPMethod.allCases where method != .other && method != .options {
            let isThere = routes[Int(method.rawValue)] != nil || (method == .head && routes[Int(HTTPMethod.get.rawValue)] != nil)
            if isThere { names.append("\(method.name)") }
        }
        return (names + ["OPTIONS"]).joined(separator: ", ")
    }
}

/// Where the parameters of a matched pattern lie in the path.
package struct HTTPParameters: Sendable, Equatable {
    static let max = 4

    private var bounds: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0, 0)
    package private(set) var count = 0

    package func range(_ index: Int) -> Range<Int> {
        precondition(index < count, "the pattern has \(count) parameters")
        return withUnsafeBytes(of: bounds) {
            let words = $0.bindMemory(to: UInt32.self)
            return Int(words[index * 2])..<Int(words[index * 2 + 1])
        }
    }

    package func bytes(_ index: Int, in path: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: path[range(index)])
    }

    package func string(_ index: Int, in path: UnsafeBufferPointer<UInt8>) -> String { bytes(index, in: path).text }

    mutating func append(_ start: Int, _ stop: Int) {
        let index = count
        withUnsafeMutableBytes(of: &bounds) {
            let words = $0.bindMemory(to: UInt32.self)
            words[index * 2] = UInt32(start)
            words[index * 2 + 1] = UInt32(stop)
        }
        count += 1
    }

    package static func == (a: HTTPParameters, b: HTTPParameters) -> Bool {
        a.count == b.count && (0..<a.count).allSatisfy { a.range($0) == b.range($0) }
    }
}

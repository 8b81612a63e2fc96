import Glibc

/// The tree of segments behind `HTTPRouter`, with an index for each route.
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case found(Int, HTTPParameters)
        case notFound
        case methodNotAllowed(allow: String)
        case options(allow: String)
    }

    private struct Node: Sendable {
        var literals: [(name: [UInt8], node: Int)] = []
        /// Of each literal, see `mark`.
        var marks: [UInt32] = []
        var parameter: Int?
        var rest: Int?
        /// By raw value of the method; -1 without a route.
        var routes = [Int](repeating: -1, count: HTTPMethod.allCases.count)
        var allow = ""

        var isEnd: Bool { !allow.isEmpty }
    }

    private var nodes = [Node()]

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
    }

    package func match(_ method: HTTPMethod, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        var parameters = HTTPParameters()
        guard path.count > 0, path[0] == 0x2f, let end = descend(0, path, 1, &parameters) else { return .notFound }
        var route = nodes[end].routes[Int(method.rawValue)]
        if route < 0, method == .head { route = nodes[end].routes[Int(HTTPMethod.get.rawValue)] }
        if route >= 0 { return .found(route, parameters) }
        return method == .options ? .options(allow: nodes[end].allow) : .methodNotAllowed(allow: nodes[end].allow)
    }

    /// The node for the path from `start` on, below `node`; goes back from a literal that leads nowhere.
    private func descend(_ node: Int, _ path: Bytes, _ start: Int, _ parameters: inout HTTPParameters) -> Int? {
        var stop = start
        while stop < path.count, path[stop] != 0x2f { stop += 1 }
        let segment = Bytes(rebasing: path[start..<stop])
        // By its first byte and length before its bytes: most children of a node differ there.
        let mark = Self.mark(segment)
        for i in nodes[node].marks.indices where nodes[node].marks[i] == mark {
            let isEqual = nodes[node].literals[i].name.withUnsafeBufferPointer {
                $0.isEmpty || memcmp($0.baseAddress!, segment.baseAddress!, $0.count) == 0
            }
            if isEqual, let found = follow(nodes[node].literals[i].node, path, stop, &parameters) { return found }
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

    private func follow(_ next: Int, _ path: Bytes, _ stop: Int, _ parameters: inout HTTPParameters) -> Int? {
        if stop < path.count { return descend(next, path, stop + 1, &parameters) }
        return nodes[next].isEnd ? next : nil
    }

    private mutating func child(of node: Int, _ kind: WritableKeyPath<Node, Int?>) -> Int {
        if let existing = nodes[node][keyPath: kind] { return existing }
        nodes.append(Node())
        nodes[node][keyPath: kind] = nodes.count - 1
        return nodes.count - 1
    }

    private static func mark(_ name: Bytes) -> UInt32 { UInt32(truncatingIfNeeded: name.count) << 8 | UInt32(name.first ?? 0) }

    private mutating func child(of node: Int, _ name: [UInt8]) -> Int {
        if let existing = nodes[node].literals.first(where: { $0.name == name }) { return existing.node }
        nodes.append(Node())
        nodes[node].literals.append((name, nodes.count - 1))
        nodes[node].marks.append(name.withUnsafeBufferPointer { Self.mark($0) })
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

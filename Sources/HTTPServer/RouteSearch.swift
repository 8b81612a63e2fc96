import Glibc

/// The tree of a `RouteTable` laid out for the search: three arrays without a reference in them, so that nothing is counted on the way.
struct RouteSearch: Sendable {
    private struct Node: BitwiseCopyable {
        /// Range in `literals`.
        var first: Int32
        var end: Int32
        /// The node below a parameter, and below a rest; -1 without one.
        var parameter: Int32
        var rest: Int32
        var isEnd: Bool
        /// By raw value of the method; -1 without a route.
        var routes: InlineArray<8, Int16>
    }

    private struct Literal: BitwiseCopyable {
        /// Length and first byte, which tell most children of a node apart.
        var mark: UInt32
        /// Where its bytes are in `names`.
        var name: Int32
        var node: Int32
    }

    private var nodes: [Node] = []
    private var literals: [Literal] = []
    private var names: [UInt8] = []

    init(_ tree: [RouteTable.Node]) {
        precondition(HTTPMethod.allCases.count == 8 && tree.count < Int(Int32.max), "the layout has room for 8 methods")
        for node in tree {
            var routes = InlineArray<8, Int16>(repeating: -1)
            for (method, route) in node.routes.enumerated() { routes[method] = Int16(route) }
            let first = literals.count
            for literal in node.literals {
                let mark = Self.mark(literal.name.count, literal.name.first ?? 0)
                literals.append(Literal(mark: mark, name: Int32(names.count), node: Int32(literal.node)))
                names += literal.name
            }
            nodes.append(
                Node(
                    first: Int32(first), end: Int32(literals.count), parameter: Int32(node.parameter ?? -1), rest: Int32(node.rest ?? -1),
                    isEnd: node.isEnd, routes: routes))
        }
    }

    /// The index of the route for a method at a node; -1 without one.
    @inline(__always)
    func route(_ node: Int, _ method: HTTPMethod) -> Int { Int(nodes[node].routes[Int(method.rawValue)]) }

    /// The node of a path, which begins with a slash.
    func find(_ path: Bytes, _ parameters: inout HTTPParameters) -> Int? {
        nodes.withUnsafeBufferPointer { nodes in
            literals.withUnsafeBufferPointer { literals in
                names.withUnsafeBufferPointer { names in
                    let tree = Tree(nodes: nodes, literals: literals, names: names, path: path)
                    let found = tree.descend(0, 1, &parameters)
                    return found >= 0 ? found : nil
                }
            }
        }
    }

    private static func mark(_ count: Int, _ first: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: count) << 8 | UInt32(first) }

    private struct Tree {
        let nodes: UnsafeBufferPointer<Node>
        let literals: UnsafeBufferPointer<Literal>
        let names: Bytes
        let path: Bytes

        /// The node for the path from `start` on, below `node`; goes back from a literal that leads nowhere. -1 if there is none.
        func descend(_ node: Int, _ start: Int, _ parameters: inout HTTPParameters) -> Int {
            let text = path.baseAddress!
            var stop = path.count
            if start < stop, let slash = memchr(text + start, 0x2f, stop - start) {
                stop = UnsafePointer(slash.assumingMemoryBound(to: UInt8.self)) - text
            }
            let current = nodes.baseAddress! + node
            var index = Int(current.pointee.first)
            let end = Int(current.pointee.end)
            if index < end {
                let mark = RouteSearch.mark(stop - start, start < stop ? text[start] : 0)
                while index < end {
                    defer { index += 1 }
                    guard literals[index].mark == mark else { continue }
                    let isEqual = stop == start || memcmp(names.baseAddress! + Int(literals[index].name), text + start, stop - start) == 0
                    guard isEqual else { continue }
                    let found = follow(Int(literals[index].node), stop, &parameters)
                    if found >= 0 { return found }
                }
            }
            if current.pointee.parameter >= 0, stop > start {
                parameters.append(start, stop)
                let found = follow(Int(current.pointee.parameter), stop, &parameters)
                if found >= 0 { return found }
                parameters.removeLast()
            }
            guard current.pointee.rest >= 0 else { return -1 }
            parameters.append(start, path.count)
            return Int(current.pointee.rest)
        }

        @inline(__always)
        private func follow(_ next: Int, _ stop: Int, _ parameters: inout HTTPParameters) -> Int {
            if stop < path.count { return descend(next, stop + 1, &parameters) }
            return nodes[next].isEnd ? next : -1
        }
    }
}

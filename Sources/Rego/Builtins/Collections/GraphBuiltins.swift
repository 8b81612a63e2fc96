private let nodes = ValueType.oneOf([.anyArray, .anySet])

/// `graph.*` and `walk`.
let graphBuiltins: [Builtin] = [
    Builtin("graph.reachable", [.object(of: .any, nodes), nodes], .anySet) { arguments, context throws(BuiltinFailure) in
        let graph = try arguments.object(0)
        var pending = try starts(arguments[1])
        var reached: Set<Value> = []
        while let node = pending.popLast() {
            let edges = graph[node]
            // A node that is no key is not reached, as in OPA.
            guard edges.isDefined, reached.insert(node).inserted else { continue }
            if edges.isArray || edges.isSet { pending += edges.elements }
        }
        return context.arena.set(Array(reached))
    },
    Builtin("graph.reachable_paths", [.object(of: .any, nodes), nodes], .set(.anyArray)) { arguments, context throws(BuiltinFailure) in
        let graph = try arguments.object(0)
        var search = PathSearch(graph: graph, arena: context.arena)
        for start in try starts(arguments[1]) { try search.follow(start, []) }
        return context.arena.set(search.found)
    },
    Builtin("walk", [.any], .array([.anyArray, .any], nil), isRelation: true) { arguments, context throws(BuiltinFailure) in
        var pairs: [Value] = []
        try walk(arguments[0], [], context.arena, into: &pairs)
        return context.arena.array(pairs)
    },
]

private func starts(_ value: Value) throws(BuiltinFailure) -> [Value] {
    guard value.isArray || value.isSet else { throw .operand(2, mustBe: .array, .set, got: value) }
    return value.elements
}

/// All paths from a node to where they end or would meet themselves.
private struct PathSearch {
    let graph: Value
    let arena: Arena
    var found: [Value] = []
    private var steps = 0

    init(graph: Value, arena: Arena) {
        self.graph = graph
        self.arena = arena
    }

    mutating func follow(_ node: Value, _ path: [Value]) throws(BuiltinFailure) {
        steps += path.count + 1
        if steps > BuiltinLimits.matchStepsMax || path.count > BuiltinLimits.pathLengthMax {
            throw .tooLarge("steps through the graph", BuiltinLimits.matchStepsMax)
        }
        let edges = graph[node]
        // A node that is no key ends the path before it.
        if edges.isUndefined {
            if !path.isEmpty { found.append(arena.array(path)) }
            return
        }
        if path.contains(node) {
            found.append(arena.array(path))
            return
        }
        let path = path + [node]
        let next = edges.isArray || edges.isSet ? edges.elements : []
        if next.isEmpty { found.append(arena.array(path)) }
        for neighbour in next { try follow(neighbour, path) }
    }
}

private func walk(_ value: Value, _ path: [Value], _ arena: Arena, into pairs: inout [Value]) throws(BuiltinFailure) {
    if pairs.count >= BuiltinLimits.elementsMax { throw .tooLarge("nodes of a walk", BuiltinLimits.elementsMax) }
    if path.count > BuiltinLimits.pathLengthMax { throw .tooLarge("depth of a walk", BuiltinLimits.pathLengthMax) }
    pairs.append(arena.array([arena.array(path), value]))
    switch value.kind {
    case .array: for (index, element) in value.elements.enumerated() { try walk(element, path + [Value(index)], arena, into: &pairs) }
    case .set: for element in value.elements { try walk(element, path + [element], arena, into: &pairs) }
    case .object: for (key, element) in value.entries { try walk(element, path + [key], arena, into: &pairs) }
    default: break
    }
}

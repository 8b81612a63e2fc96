import RegoSyntax

/// Finds rules that need themselves.
struct Recursion {
    let tree: RuleTree
    let rules: [(group: RuleTree.Group, rules: [(file: String, rule: IRRule)], defaultRule: IRRule?)]

    func problems() -> [CompileProblem] {
        var edges: [[Int]] = Array(repeating: [], count: tree.groups.count)
        for (group, rules, defaultRule) in rules {
            var found: Set<Int> = []
            for (_, rule) in rules { visit(rule, &found) }
            if let defaultRule { visit(defaultRule, &found) }
            edges[group.index] = found.sorted()
        }
        return cycles(edges).map { cycle in
            let group = tree.groups[cycle[0]]
            let source = group.rules.first ?? group.defaultRule
            let path = (cycle + [cycle[0]]).map { tree.groups[$0].name }.joined(separator: " -> ")
            return CompileProblem(
                code: CompileProblem.recursion, message: "rule \(group.name) is recursive: \(path)", file: source?.module.source.name ?? "",
                location: source?.rule.location ?? .none)
        }
    }

    private func visit(_ rule: IRRule, _ found: inout Set<Int>) {
        for branch in rule.branches {
            for expression in branch.body.expressions { visit(expression, &found) }
            for term in branch.path + [branch.value] + branch.arguments { visit(term, &found) }
        }
    }

    private func visit(_ expression: IRExpression, _ found: inout Set<Int>) {
        for with in expression.with {
            switch with.value {
            case .value(let term): visit(term, &found)
            case .function(.group(let index)): found.insert(index)
            case .function: break
            }
        }
        switch expression.kind {
        case .term(let term): visit(term, &found)
        case .unify(let a, let b):
            visit(a, &found)
            visit(b, &found)
        case .call(let callee, let arguments, let result):
            if case .group(let index) = callee { found.insert(index) }
            for term in arguments + (result.map { [$0] } ?? []) { visit(term, &found) }
        case .every(_, _, let domain, let body):
            visit(domain, &found)
            for inner in body.expressions { visit(inner, &found) }
        case .not(let body): for inner in body.expressions { visit(inner, &found) }
        case .and(let left, let right), .or(let left, let right):
            for inner in left.expressions + right.expressions { visit(inner, &found) }
        }
    }

    private func visit(_ term: IRTerm, _ found: inout Set<Int>) {
        switch term {
        case .constant, .local: break
        case .ref(let ref):
            if case .term(let root) = ref.root { visit(root, &found) }
            for part in ref.path { visit(part, &found) }
            if case .data = ref.root { reach(0, ref.path[...], &found) }
        case .array(let parts), .set(let parts): for part in parts { visit(part, &found) }
        case .object(let items):
            for item in items {
                visit(item.key, &found)
                visit(item.value, &found)
            }
        case .comprehension(let one):
            for inner in one.body.expressions { visit(inner, &found) }
            if let key = one.key { visit(key, &found) }
            visit(one.value, &found)
        }
    }

    /// All rules that a reference may meet.
    private func reach(_ index: Int, _ path: ArraySlice<IRTerm>, _ found: inout Set<Int>) {
        let node = tree.nodes[index]
        if let dynamic = node.dynamic { found.insert(dynamic) }
        if let group = node.group {
            if tree.groups[group].kind != .function { found.insert(group) }
            return
        }
        guard let part = path.first else {
            for (_, child) in node.children { reach(child, [], &found) }
            return
        }
        if case .constant(let key) = part {
            if let child = node.child(key) { reach(child, path.dropFirst(), &found) }
        } else {
            for (_, child) in node.children { reach(child, path.dropFirst(), &found) }
        }
    }

    /// Each cycle once, from the rule that comes first (Tarjan's components, without recursion of ours).
    private func cycles(_ edges: [[Int]]) -> [[Int]] {
        var state = Array(repeating: 0, count: edges.count)
        var cycles: [[Int]] = []
        for start in edges.indices where state[start] == 0 {
            var stack: [(node: Int, next: Int)] = [(start, 0)]
            state[start] = 1
            while let top = stack.last {
                if top.next < edges[top.node].count {
                    stack[stack.count - 1].next += 1
                    let target = edges[top.node][top.next]
                    if state[target] == 0 {
                        state[target] = 1
                        stack.append((target, 0))
                    } else if state[target] == 1, let from = stack.firstIndex(where: { $0.node == target }) {
                        cycles.append(stack[from...].map(\.node))
                    }
                } else {
                    state[top.node] = 2
                    stack.removeLast()
                }
            }
        }
        return cycles
    }
}

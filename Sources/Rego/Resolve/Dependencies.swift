import RegoSyntax

/// Which rules need which: an order for the type checker, and the rules that need themselves.
struct Dependencies {
    /// Of those that need themselves no more are told.
    static let problemsMax = 1000

    private struct Node {
        let group: Int
        let file: String
        let location: Location
        /// Groups that this branch refers to.
        let edges: Set<Int>
    }

    private let tree: RuleTree
    private var nodes: [Node] = []
    /// What each group refers to, in order.
    private var edges: [[Int]]
    /// Groups in the order of their need: who refers to others comes after them.
    private(set) var order: [Int] = []

    init(tree: RuleTree, rules: [(group: RuleTree.Group, rules: [(file: String, rule: IRRule)], defaultRule: IRRule?)]) {
        self.tree = tree
        edges = Array(repeating: [], count: tree.groups.count)
        for (group, rules, defaultRule) in rules {
            var all: Set<Int> = []
            let defaultFile = group.defaultRule?.module.source.name ?? ""
            for (file, rule) in rules + (defaultRule.map { [(defaultFile, $0)] } ?? []) {
                for branch in rule.branches {
                    var found: Set<Int> = []
                    visit(branch, &found)
                    nodes.append(Node(group: group.index, file: file, location: branch.location, edges: found))
                    all.formUnion(found)
                }
            }
            edges[group.index] = all.sorted()
        }
        order = Dependencies.postorder(edges)
    }

    /// Each rule, and each `else`, that needs itself, with a way back to it.
    func recursions() -> [CompileProblem] {
        let component = components()
        var problems: [CompileProblem] = []
        for node in nodes where problems.count < Dependencies.problemsMax {
            guard node.edges.contains(where: { component[$0] == component[node.group] }), let path = way(from: node, component) else {
                continue
            }
            let name = tree.groups[node.group].name
            let text = ([node.group] + path).map { tree.groups[$0].name }.joined(separator: " -> ")
            problems.append(
                CompileProblem(
                    code: CompileProblem.recursion, message: "rule \(name) is recursive: \(text)", file: node.file, location: node.location,
                    stage: .recursion))
        }
        return problems
    }

    /// The shortest way from a rule back to its group.
    private func way(from node: Node, _ component: [Int]) -> [Int]? {
        var cameFrom: [Int: Int] = [:]
        var queue = node.edges.filter { component[$0] == component[node.group] }.sorted()
        for first in queue { cameFrom[first] = -1 }
        var next = 0
        while next < queue.count {
            let here = queue[next]
            next += 1
            if here == node.group {
                var path: [Int] = []
                var at = here
                while at >= 0 {
                    path.append(at)
                    at = cameFrom[at] ?? -1
                }
                return path.reversed()
            }
            for target in edges[here] where component[target] == component[node.group] && cameFrom[target] == nil {
                cameFrom[target] = here
                queue.append(target)
            }
        }
        return nil
    }

    /// Groups that reach each other have the same number (Kosaraju, without recursion of ours).
    private func components() -> [Int] {
        var reverse: [[Int]] = Array(repeating: [], count: edges.count)
        for (from, targets) in edges.enumerated() { for target in targets { reverse[target].append(from) } }
        var component = Array(repeating: -1, count: edges.count)
        for (number, start) in order.reversed().enumerated() where component[start] < 0 {
            var stack = [start]
            component[start] = number
            while let here = stack.popLast() {
                for target in reverse[here] where component[target] < 0 {
                    component[target] = number
                    stack.append(target)
                }
            }
        }
        return component
    }

    private static func postorder(_ edges: [[Int]]) -> [Int] {
        var isSeen = Array(repeating: false, count: edges.count)
        var order: [Int] = []
        for start in edges.indices where !isSeen[start] {
            var stack: [(node: Int, next: Int)] = [(start, 0)]
            isSeen[start] = true
            while let top = stack.last {
                if top.next < edges[top.node].count {
                    stack[stack.count - 1].next += 1
                    let target = edges[top.node][top.next]
                    if !isSeen[target] {
                        isSeen[target] = true
                        stack.append((target, 0))
                    }
                } else {
                    order.append(top.node)
                    stack.removeLast()
                }
            }
        }
        return order
    }

    // MARK: what a rule refers to

    private func visit(_ branch: IRBranch, _ found: inout Set<Int>) {
        for expression in branch.body.expressions { visit(expression, &found) }
        for term in branch.path + [branch.value] + branch.arguments { visit(term, &found) }
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
}

import RegoSyntax

/// All rules by the path of the document they define. `data.a.b.p` is the node a ▸ b ▸ p below the root.
final class RuleTree {
    final class Node {
        let index: Int
        /// `a`, `b`, `p`: without `data`.
        let path: [Value]
        /// In the order in which they came.
        var children: [(key: Value, node: Int)] = []
        /// A complete rule, a set or a function that stands exactly here.
        var group: Int?
        /// Rules whose reference goes on behind this node with variables.
        var dynamic: Int?
        /// All rules whose reference without variables ends here, in the order of the files.
        var sources: [Source] = []

        init(index: Int, path: [Value]) {
            self.index = index
            self.path = path
        }

        func child(_ key: Value) -> Int? { children.first { $0.key == key }?.node }
    }

    enum Kind { case complete, set, function, dynamic }

    /// Rules that together make one document or one function.
    final class Group {
        let index: Int
        let kind: Kind
        let path: [Value]
        var rules: [Source] = []
        var defaultRule: Source?
        var arity: Int

        init(index: Int, kind: Kind, path: [Value], arity: Int) {
            self.index = index
            self.kind = kind
            self.path = path
            self.arity = arity
        }

        /// `data.a.p`
        var name: String { RuleTree.text(path) }
    }

    struct Source {
        let rule: Rule
        let module: Module
        /// The parts of the reference behind the group's path.
        let suffix: [Term]
    }

    private(set) var nodes: [Node] = [Node(index: 0, path: [])]
    private(set) var groups: [Group] = []
    /// The names that rules of a package define, by the package's path.
    private(set) var names: [[String]: Set<String>] = [:]
    let constants: Constants

    init(modules: [Module], constants: Constants) {
        self.constants = constants
        for module in modules {
            let package = module.package.names
            var node = 0
            for name in package { node = self.child(of: node, constants.string(name)) }
            for rule in module.rules { add(rule, of: module, package: package) }
        }
    }

    static func text(_ path: [Value]) -> String {
        var text = "data"
        for part in path {
            if let name = part.asString, isName(name) { text += "." + name } else { text += "[" + JSONWriter.text(part) + "]" }
        }
        return text
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == 0x5F || (first | 0x20 >= 0x61 && first | 0x20 <= 0x7A) else { return false }
        return text.utf8.allSatisfy { $0 == 0x5F || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) }
    }

    private func child(of parent: Int, _ key: Value) -> Int {
        if let found = nodes[parent].child(key) { return found }
        let node = Node(index: nodes.count, path: nodes[parent].path + [key])
        nodes.append(node)
        nodes[parent].children.append((key, node.index))
        return node.index
    }

    /// The node of a path, if it has one.
    func node(_ path: [Value]) -> Int? {
        var node = 0
        for key in path {
            guard let next = nodes[node].child(key) else { return nil }
            node = next
        }
        return node
    }

    private func add(_ rule: Rule, of module: Module, package: [String]) {
        guard case .variable(let name) = rule.head.ref.first?.value else { return }
        names[package, default: []].insert(name)
        var path = package.map { constants.string($0) } + [constants.string(name)]
        var rest = Array(rule.head.ref.dropFirst())
        while let first = rest.first, let key = constants.scalar(first.value) {
            path.append(key)
            rest.removeFirst()
        }
        var at = 0
        for key in path { at = child(of: at, key) }
        let node = nodes[at]
        let kind: Kind
        if !rest.isEmpty {
            kind = .dynamic
        } else {
            switch rule.head.kind {
            case .function: kind = .function
            case .multiValue: kind = .set
            case .singleValue: kind = .complete
            }
        }
        let source = Source(rule: rule, module: module, suffix: rest)
        node.sources.append(source)
        let existing = kind == .dynamic ? node.dynamic : node.group
        let group: Group
        if let existing {
            group = groups[existing]
            // A conflict: `RuleConflicts` tells.
            if group.kind != kind || group.arity != rule.head.arguments.count { return }
        } else {
            group = Group(index: groups.count, kind: kind, path: path, arity: rule.head.arguments.count)
            groups.append(group)
            if kind == .dynamic { node.dynamic = group.index } else { node.group = group.index }
        }
        if rule.isDefault { group.defaultRule = source } else { group.rules.append(source) }
    }
}

/// The constants of a program: interned strings, numbers, and whole literals. Built while compiling, then read only.
// SAFETY: written by the compiler alone, before the program is shared.
final class Constants: @unchecked Sendable {
    /// Those that a copy points into.
    private let below: Constants?
    let pool: StringPool
    let arena = Arena()
    private(set) var values: [Value] = []
    private var indices: [Value: Int] = [:]

    init() {
        below = nil
        pool = StringPool()
    }

    /// The same constants, to which more can be added; the others stay as they are.
    init(on below: Constants) {
        self.below = below
        pool = StringPool(on: below.pool)
        values = below.values
        indices = below.indices
    }

    func string(_ text: String) -> Value { pool.intern(text) }

    /// The value of a scalar term.
    func scalar(_ term: TermValue) -> Value? {
        switch term {
        case .null: .null
        case .boolean(let value): Value(value)
        case .number(let text): arena.number(text: text)
        case .string(let text): string(text)
        default: nil
        }
    }

    /// A copy whose strings are pooled.
    func adopt(_ value: Value) -> Value {
        switch value.kind {
        case .string: pool.intern(value.utf8)
        case .array: arena.array(value.elements.map(adopt))
        case .set: arena.set(value.elements.map(adopt))
        case .object: arena.object(value.entries.map { (adopt($0.key), adopt($0.value)) })
        default: arena.copy(value)
        }
    }

    /// The number of a constant; equal ones that are written alike share it.
    func index(of value: Value) -> Int {
        if let found = indices[value], values[found].bits == value.bits || !value.isNumber { return found }
        values.append(value)
        if indices[value] == nil { indices[value] = values.count - 1 }
        return values.count - 1
    }
}

import RegoSyntax

/// Whether references can find anything. On the way, variables in brackets get the type of the keys.
extension TypeChecker {
    /// All references of an expression, outside of comprehensions.
    func references(_ expression: IRExpression, _ environment: TypeEnvironment) -> [CompileProblem] {
        var found: [CompileProblem] = []
        switch expression.kind {
        case .term(let term): references(term, environment, &found)
        case .unify(let a, let b):
            references(a, environment, &found)
            references(b, environment, &found)
        case .call(_, let arguments, let result):
            for argument in arguments { references(argument, environment, &found) }
            if let result { references(result, environment, &found) }
        case .every(_, _, let domain, let body):
            references(domain, environment, &found)
            for inner in body.expressions { found += references(inner, environment) }
        case .not, .and, .or: break
        }
        return found
    }

    private func references(_ term: IRTerm, _ environment: TypeEnvironment, _ found: inout [CompileProblem]) {
        switch term {
        case .constant, .local, .comprehension: break
        case .array(let parts), .set(let parts): for part in parts { references(part, environment, &found) }
        case .object(let items):
            for item in items {
                references(item.key, environment, &found)
                references(item.value, environment, &found)
            }
        case .ref(let ref):
            if case .term(let root) = ref.root { references(root, environment, &found) }
            for part in ref.path { references(part, environment, &found) }
            if case .function = type(of: ref, environment) {
                found.append(unsupported(ref, ref.path.count, type(of: ref, environment)))
            } else if let problem = check(ref, environment) {
                found.append(problem)
            }
        }
    }

    private func check(_ ref: IRRef, _ environment: TypeEnvironment) -> CompileProblem? {
        switch ref.root {
        case .local(let id):
            if environment.type(of: id).isUnknownItself { environment.put(id, .any) }
            return leaf(environment.type(of: id), ref, 0, environment)
        case .term(let term):
            let type = type(of: term, environment)
            return leaf(type.isUnknownItself ? .any : type, ref, 0, environment)
        case .input, .data: return document(ref, environment)
        }
    }

    /// Goes down the tree of documents. Where it ends without a type, base documents may go on with anything.
    private func document(_ ref: IRRef, _ environment: TypeEnvironment) -> CompileProblem? {
        let root = tree.constants.string(ref.root.name)
        let trees = environment.trees
        next: for (number, tree) in trees.enumerated() {
            guard var node = tree.children[root] else { continue }
            if let type = node.type { return leaf(type, ref, 0, environment) }
            for (index, head) in ref.path.enumerated() {
                if let problem = step(head, at: node, ref, index, environment) { return problem }
                guard case .constant(let key) = head, let child = node.children[key] else {
                    if number + 1 < trees.count { continue next }
                    spread(from: node, ref, index + 1, environment)
                    return nil
                }
                if let type = child.type { return leaf(type, ref, index + 1, environment) }
                node = child
            }
            return nil
        }
        return leaf(.any, ref, 0, environment)
    }

    /// One key of a path through packages.
    private func step(_ head: IRTerm, at node: TypeTree, _ ref: IRRef, _ index: Int, _ environment: TypeEnvironment) -> CompileProblem? {
        if index < 2 {
            let isName =
                switch head {
                case .constant(let key): key.isString
                case .local, .ref, .comprehension: true
                case .array, .set, .object: false
                }
            if !isName { return invalid(ref, index, have: type(of: head, environment), want: .string, oneOf: node.names) }
        }
        guard head.isDynamic else { return nil }
        let keys = node.extentKeys
        let known = type(of: head, environment)
        if known.isUnknownItself {
            if case .local(let id) = head { environment.put(id, keys) }
            return nil
        }
        if ValueType.unifies(keys, known) { return nil }
        return invalid(ref, index, have: known, want: keys, oneOf: node.names)
    }

    /// A variable stands for any package: those behind it get what keys there are, and nothing is wrong with any of them alone.
    private func spread(from node: TypeTree, _ ref: IRRef, _ index: Int, _ environment: TypeEnvironment) {
        guard index < ref.path.count, node.children.count <= TypeTree.spreadMax else { return }
        for (_, child) in node.children.sorted(by: { $0.key < $1.key }) {
            if step(ref.path[index], at: child, ref, index, environment) == nil { spread(from: child, ref, index + 1, environment) }
        }
    }

    /// The rest of a reference, from `index` of its path on, behind a value of a known type.
    private func leaf(_ type: ValueType, _ ref: IRRef, _ index: Int, _ environment: TypeEnvironment) -> CompileProblem? {
        var type = type
        for at in ref.path.indices.dropFirst(index) {
            let keys = type.keys
            if keys.isUnknownItself { return unsupported(ref, at, type) }
            switch ref.path[at] {
            case .constant(let key) where !key.isCollection:
                let child = type.select(TypeKey(key))
                if child.isUnknownItself { return invalid(ref, at, have: nil, want: keys, oneOf: type.knownKeys) }
                type = child
                continue
            case .local(let id):
                let known = environment.type(of: id)
                if known.isUnknownItself {
                    environment.put(id, keys)
                } else if !ValueType.unifies(known, keys) {
                    return invalid(ref, at, have: known, want: keys, oneOf: type.knownKeys)
                }
            case .ref, .comprehension:
                let known = self.type(of: ref.path[at], environment)
                if !known.isUnknownItself, !ValueType.unifies(known, keys) {
                    return invalid(ref, at, have: known, want: keys, oneOf: type.knownKeys)
                }
            case let pattern:
                if !unify(pattern, keys, environment, union: false) {
                    return invalid(ref, at, have: self.type(of: pattern, environment), want: keys, oneOf: [])
                }
            }
            type = type.values
        }
        return nil
    }

    // MARK: errors

    private func unsupported(_ ref: IRRef, _ position: Int, _ have: ValueType) -> CompileProblem {
        let parts = text(ref)
        return problem(
            "undefined ref: \(parts.joined())", ref.location, .unsupported(reference: parts, position: position, have: have))
    }

    private func invalid(_ ref: IRRef, _ index: Int, have: ValueType?, want: ValueType, oneOf: [String]) -> CompileProblem {
        let parts = text(ref)
        return problem(
            "undefined ref: \(parts.joined())", ref.location,
            .invalid(reference: parts, position: index + 1, have: have, key: text(ref.path[index]), want: want, oneOf: oneOf))
    }

    /// The parts of a reference as they are written: `data`, `.a`, `[x]`.
    private func text(_ ref: IRRef) -> [String] {
        var parts: [String] = []
        switch ref.root {
        case .input, .data: parts.append(ref.root.name)
        case .local(let id): parts.append(name(id))
        case .term(let term): parts.append(text(term))
        }
        for part in ref.path {
            if case .constant(let key) = part, let name = key.asString, RuleTree.isName(name) {
                parts.append("." + name)
            } else {
                parts.append("[" + text(part) + "]")
            }
        }
        return parts
    }

    private func name(_ id: LocalID) -> String { id < names.count ? names[id] ?? "_" : "_" }

    private func text(_ term: IRTerm) -> String {
        switch term {
        case .constant(let value): String(decoding: TermText.bytes(value), as: UTF8.self)
        case .local(let id): name(id)
        case .ref(let ref): text(ref).joined()
        case .array(let parts): "[" + parts.map(text).joined(separator: ", ") + "]"
        case .set(let parts): "{" + parts.map(text).joined(separator: ", ") + "}"
        case .object(let items): "{" + items.map { text($0.key) + ": " + text($0.value) }.joined(separator: ", ") + "}"
        case .comprehension: "_"
        }
    }
}

extension IRTerm {
    /// Its value is only known while evaluating.
    fileprivate var isDynamic: Bool {
        switch self {
        case .local, .ref, .comprehension: true
        case .constant, .array, .set, .object: false
        }
    }
}

extension TypeTree {
    /// More packages than this are not looked through for what a variable may stand for.
    static let spreadMax = 64

    /// What is below, as errors list it.
    fileprivate var names: [String] { children.keys.sorted().map { String(decoding: TermText.bytes($0), as: UTF8.self) } }

    fileprivate var extentKeys: ValueType { children.count > TypeLimits.partsMax ? .any : extent.keys }
}

extension ValueType {
    /// The keys that are known, as errors list them.
    fileprivate var knownKeys: [String] {
        var keys: [TypeKey] = []
        collectKeys(&keys)
        keys.sort { TypeKey.compare($0, $1) < 0 }
        var texts: [String] = []
        for key in keys where texts.last != key.term { texts.append(key.term) }
        return texts
    }

    private func collectKeys(_ keys: inout [TypeKey]) {
        switch self {
        case .object(let fields, _): keys += fields.map(\.key)
        case .oneOf(let types): for type in types { type.collectKeys(&keys) }
        default: break
        }
    }
}

extension TypeKey {
    /// As a term of Rego.
    fileprivate var term: String {
        switch self {
        case .null: "null"
        case .string(let text): String(decoding: GoQuote.quoted(Array(text.utf8)), as: UTF8.self)
        case .boolean, .number, .other: text
        }
    }
}

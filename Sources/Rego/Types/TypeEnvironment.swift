/// The types of documents by their path: rules, and what schemas say of `input` and `data`.
final class TypeTree {
    /// What is known about the document here; nil: nothing but what is below.
    private(set) var type: ValueType?
    private(set) var children: [Value: TypeTree] = [:]

    var isLeaf: Bool { type != nil }

    /// The node of a path, made when it is not there.
    func node(_ path: some Sequence<Value>) -> TypeTree {
        var node = self
        for key in path {
            if let found = node.children[key] {
                node = found
            } else {
                let made = TypeTree()
                node.children[key] = made
                node = made
            }
        }
        return node
    }

    func find(_ path: some Sequence<Value>) -> TypeTree? {
        var node = self
        for key in path {
            guard let next = node.children[key] else { return nil }
            node = next
        }
        return node
    }

    func put(_ path: some Sequence<Value>, _ type: ValueType) { node(path).type = type }

    /// What is known about all of the document: an object of what is below, unless it is known itself. Base documents may add keys.
    var extent: ValueType {
        if let type { return type }
        var fields: [ValueType.Field] = []
        for (key, child) in children {
            switch key.kind {
            case .string, .number, .boolean: fields.append(ValueType.Field(TypeKey(key), child.extent))
            default: break
            }
        }
        return .object(unordered: fields, ValueType.Dynamic(.string, .any))
    }

    /// Adds what one more rule gives at a path, also to the objects on the way.
    func insert(_ path: [Value], _ type: ValueType) {
        var node = self
        for (index, key) in path.enumerated() {
            let existing = node.children[key]
            let child = existing ?? TypeTree()
            if existing == nil { node.children[key] = child }
            if existing != nil, index + 1 < path.count, let known = child.type, case .object = known {
                child.type = TypeTree.inserted(type, at: path[(index + 1)...], into: known)
            }
            node = child
        }
        node.type = TypeTree.merged(node.type ?? .unknown, type)
        guard case .object = type, !node.children.isEmpty else { return }
        for (below, leaf) in node.leaves() {
            if let known = node.type, case .object = known { node.type = TypeTree.inserted(leaf, at: below[...], into: known) }
        }
    }

    private func leaves() -> [([Value], ValueType)] {
        children.sorted { $0.key < $1.key }.flatMap { key, child -> [([Value], ValueType)] in
            if let type = child.type { return [([key], type)] }
            return child.leaves().map { ([key] + $0.0, $0.1) }
        }
    }

    private static func inserted(_ type: ValueType, at path: ArraySlice<Value>, into object: ValueType) -> ValueType {
        guard let key = path.first, case .object(let fields, let rest) = object else { return object }
        let value = path.count == 1 ? type : inserted(type, at: path.dropFirst(), into: .object([], nil))
        let keyType = TypeKey(key).type
        return .object(
            fields, ValueType.Dynamic(rest.map { .or($0.key, keyType) } ?? keyType, rest.map { .or($0.value, value) } ?? value))
    }

    /// The types of two rules of one document: sets and objects of no known keys become one, others are alternatives.
    private static func merged(_ a: ValueType, _ b: ValueType) -> ValueType {
        if let rest = a.onlyDynamic, let otherRest = b.onlyDynamic {
            return .object([], ValueType.Dynamic(.or(rest.key, otherRest.key), merged(rest.value, otherRest.value)))
        }
        switch (a, b) {
        case (.unknown, _): return b
        case (_, .unknown): return a
        case (.oneOf(let types), let object), (let object, .oneOf(let types)):
            guard let rest = object.onlyDynamic, let index = types.firstIndex(where: { $0.onlyDynamic != nil }),
                let other = types[index].onlyDynamic
            else { return .or(a, b) }
            var changed = types
            changed[index] = .object([], ValueType.Dynamic(.or(other.key, rest.key), .or(other.value, rest.value)))
            return .any(of: changed)
        case (.set(let element), .set(let other)): return .set(.or(element, other))
        default: return .or(a, b)
        }
    }
}

extension ValueType {
    /// Of an object no key of which is known: what its keys and values are.
    fileprivate var onlyDynamic: Dynamic? {
        if case .object(let fields, let rest) = self, fields.isEmpty { rest } else { nil }
    }
}

extension TypeKey {
    /// The key that a constant is.
    init(_ value: Value) {
        switch value.kind {
        case .null, .undefined: self = .null
        case .boolean: self = .boolean(value.isTrue)
        case .number: self = .number(value.numberText ?? "")
        case .string: self = .string(value.asString ?? "")
        // As JSON: a set is an array.
        case .array, .set:
            self = .other(TypeKey.text(value), .array(value.elements.prefix(TypeLimits.partsMax).map { TypeKey($0).type }, nil))
        case .object:
            self = .other(
                TypeKey.text(value), .object(unordered: value.entries.map { ValueType.Field(TypeKey($0.key), TypeKey($0.value).type) }, nil)
            )
        }
    }

    private static func text(_ value: Value) -> String { String(decoding: TermText.bytes(value), as: UTF8.self) }
}

/// What is known about the variables of a body and, behind it, of the bodies around it; and the documents that all rules see.
final class TypeEnvironment {
    private(set) var locals: [LocalID: ValueType] = [:]
    /// What schemas say for one rule, above what all rules see.
    let overrides: TypeTree?
    let documents: TypeTree
    let outer: TypeEnvironment?

    init(documents: TypeTree, overrides: TypeTree? = nil) {
        self.documents = documents
        self.overrides = overrides
        outer = nil
    }

    init(in outer: TypeEnvironment) {
        self.outer = outer
        overrides = outer.overrides
        documents = outer.documents
    }

    func type(of local: LocalID) -> ValueType {
        var environment: TypeEnvironment? = self
        while let here = environment {
            if let type = here.locals[local] { return type }
            environment = here.outer
        }
        return .unknown
    }

    func put(_ local: LocalID, _ type: ValueType) { locals[local] = type }

    /// The trees in which a document is looked for, one after another.
    var trees: [TypeTree] { overrides.map { [$0, documents] } ?? [documents] }
}

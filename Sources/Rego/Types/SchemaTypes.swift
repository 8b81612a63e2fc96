/// What a JSON Schema says about a value, as far as the type checker uses it: types, properties, items, `anyOf`, `allOf` and references within.
struct SchemaTypes {
    private let root: Value
    /// References that are being followed: one within itself ends there.
    private var following: Set<String> = []
    private var depth = 0

    static func type(of schema: Value) -> ValueType {
        var types = SchemaTypes(root: schema)
        return types.type(schema)
    }

    private init(root: Value) { self.root = root }

    private mutating func type(_ schema: Value) -> ValueType {
        guard schema.isObject, depth < BuiltinLimits.depthMax else { return .any }
        depth += 1
        defer { depth -= 1 }
        if let reference = schema["$ref"].asString { return follow(reference) }
        if schema["anyOf"].isArray {
            let core = typeItself(schema)
            var result = ValueType.unknown
            if case .object(let fields, nil) = core, !fields.isEmpty { result = core }
            for one in schema["anyOf"].elements { result = .or(type(one), result) }
            return result.isUnknownItself ? .any : result
        }
        if schema["allOf"].isArray {
            let parts = schema["allOf"].elements.map { type($0) } + (isTyped(schema) ? [typeItself(schema)] : [])
            return parts.dropFirst().reduce(parts.first ?? .any, Self.both)
        }
        return typeItself(schema)
    }

    private func isTyped(_ schema: Value) -> Bool {
        schema["type"].isDefined || schema["properties"].isDefined || schema["items"].isDefined
    }

    private func names(_ schema: Value) -> [String] {
        let type = schema["type"]
        return type.isArray ? type.elements.compactMap(\.asString) : [type.asString].compactMap { $0 }
    }

    /// The type without the schemas that are combined with it.
    private mutating func typeItself(_ schema: Value) -> ValueType {
        let names = names(schema)
        if names.contains("boolean") { return .boolean }
        if names.contains("string") { return .string }
        if names.contains("integer") || names.contains("number") { return .number }
        if names.contains("object") || (names.isEmpty && schema["properties"].isObject) {
            guard schema["properties"].isObject, schema["properties"].count > 0 else { return .anyObject }
            return .object(unordered: schema["properties"].entries.map { ValueType.Field(TypeKey($0.key), type($0.value)) }, nil)
        }
        if names.contains("array") || (names.isEmpty && schema["items"].isCollection) {
            let items = schema["items"]
            if items.isArray, items.count > 0 { return .array(items.elements.map { type($0) }, nil) }
            return items.isObject ? .array([], type(items)) : .anyArray
        }
        return .any
    }

    private mutating func follow(_ reference: String) -> ValueType {
        guard reference.hasPrefix("#"), let target = find(reference.dropFirst()) else { return .any }
        guard following.insert(reference).inserted else {
            // Within itself its keys are known, what is behind them is not.
            guard target["properties"].isObject else { return .any }
            return .object(unordered: target["properties"].entries.map { ValueType.Field(TypeKey($0.key), .any) }, nil)
        }
        defer { following.remove(reference) }
        return type(target)
    }

    /// `/definitions/a`
    private func find(_ pointer: Substring) -> Value? {
        var value = root
        for part in pointer.split(separator: "/") {
            guard let entry = value.entries.first(where: { $0.key.asString == String(part) }) else { return nil }
            value = entry.value
        }
        return value
    }

    /// What is both: objects have the keys of both.
    private static func both(_ a: ValueType, _ b: ValueType) -> ValueType {
        switch (a, b) {
        case (.any, _): return b
        case (_, .any): return a
        case (.object(let fields, _), .object(let others, _)) where !fields.isEmpty && !others.isEmpty:
            let more = others.filter { other in !fields.contains { TypeKey.compare($0.key, other.key) == 0 } }
            return .object(unordered: fields + more, nil)
        case (.object(let fields, _), .object) where !fields.isEmpty: return a
        case (.object, .object): return b
        default: return a
        }
    }
}

/// What annotations and options say about documents, for one rule.
struct SchemaOverrides {
    let constants: Constants
    private var types: [Value: ValueType] = [:]

    init(constants: Constants) { self.constants = constants }

    /// Adds what a schema says of a path that begins with `input` or `data`; `known`: the type of the root until now.
    mutating func add(_ path: [Value], _ type: ValueType, known: ValueType) {
        guard let root = path.first else { return }
        types[root] = path.count == 1 ? type : SchemaOverrides.replaced(types[root] ?? known, path[1...], type)
    }

    var tree: TypeTree? {
        if types.isEmpty { return nil }
        let tree = TypeTree()
        for (root, type) in types { tree.put([root], type) }
        return tree
    }

    /// A type in which what is at a path is another.
    private static func replaced(_ whole: ValueType, _ path: ArraySlice<Value>, _ type: ValueType) -> ValueType {
        guard let first = path.first else { return type }
        let key = TypeKey(first)
        guard case .object(var fields, let rest) = whole else {
            return .object([ValueType.Field(key, replaced(.any, path.dropFirst(), type))], ValueType.Dynamic(.any, .any))
        }
        if let index = fields.firstIndex(where: { TypeKey.compare($0.key, key) == 0 }) {
            fields[index].type = replaced(fields[index].type, path.dropFirst(), type)
        } else {
            fields.append(ValueType.Field(key, replaced(.any, path.dropFirst(), type)))
        }
        return .object(unordered: fields, rest)
    }
}

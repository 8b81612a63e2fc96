/// Limits of what the type checker remembers: it may always know less, never wrongly.
enum TypeLimits {
    /// Alternatives of one type. A rule with more of them is `any`: each merge would copy them all.
    static let alternativesMax = 256
    /// Elements or keys of a literal whose types are kept one by one.
    static let partsMax = 4096
}

extension ValueType {
    // MARK: unions

    /// The type of what is one or the other. What is unknown adds nothing; functions have no union with values.
    static func or(_ a: ValueType, _ b: ValueType) -> ValueType {
        switch (a, b) {
        case (.unknown, _): return b
        case (_, .unknown): return a
        case (.function(let one), .function(let other)): return union(one, other)
        case (.function, _), (_, .function): return .unknown
        case (.any, _), (_, .any): return .any
        case (.oneOf(let types), .oneOf(let others)): return limited(merged(types, others))
        case (.oneOf(let types), let other), (let other, .oneOf(let types)): return limited(merged(types, [other]))
        default:
            let order = compare(a, b)
            return order == 0 ? a : .oneOf(order < 0 ? [a, b] : [b, a])
        }
    }

    private static func limited(_ types: [ValueType]) -> ValueType { types.count > TypeLimits.alternativesMax ? .any : .oneOf(types) }

    /// Two lists in order, each type once.
    private static func merged(_ a: [ValueType], _ b: [ValueType]) -> [ValueType] {
        var result: [ValueType] = []
        result.reserveCapacity(a.count + b.count)
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            let order = compare(a[i], b[j])
            result.append(order <= 0 ? a[i] : b[j])
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
        return result + a[i...] + b[j...]
    }

    private static func union(_ one: Function, _ other: Function) -> ValueType {
        guard one.parameters.count == other.parameters.count else { return .unknown }
        return .function(
            Function(
                parameters: zip(one.parameters, other.parameters).map(or), result: or(one.result ?? .unknown, other.result ?? .unknown)))
    }

    /// Whether this is the other type or one of its alternatives is.
    func contains(_ other: ValueType) -> Bool {
        switch self {
        case .any: if case .function = other { false } else { true }
        case .oneOf(let types): types.contains { ValueType.compare($0, other) == 0 }
        default: ValueType.compare(self, other) == 0
        }
    }

    // MARK: parts

    /// What can stand in brackets behind it; unknown: nothing can.
    var keys: ValueType {
        switch self {
        case .array: return .number
        case .object(let fields, let rest):
            var type = ValueType.unknown
            for field in fields { type = .or(type, field.key.type) }
            return rest.map { .or(type, $0.key) } ?? type
        case .set(let element): return element
        case .any: return .any
        case .oneOf(let types): return types.reduce(.unknown) { .or($1.keys, $0) }
        default: return .unknown
        }
    }

    /// What a variable in brackets behind it finds.
    var values: ValueType {
        switch self {
        case .array(let first, let rest): return .or(first.reduce(.unknown, ValueType.or), rest ?? .unknown)
        case .object(let fields, let rest):
            let type = fields.reduce(.unknown) { ValueType.or($0, $1.type) }
            return rest.map { .or(type, $0.value) } ?? type
        case .set(let element): return element
        case .any: return .any
        case .oneOf(let types): return types.reduce(.unknown) { .or($1.values, $0) }
        default: return .unknown
        }
    }

    /// The element of an array.
    func element(_ index: Int) -> ValueType {
        guard case .array(let first, let rest) = self, index >= 0 else { return .unknown }
        return index < first.count ? first[index] : rest ?? .unknown
    }

    /// What a key finds; unknown: nothing.
    func select(_ key: TypeKey) -> ValueType {
        switch self {
        case .array:
            guard case .number(let text) = key, let index = Int(text) else { return .unknown }
            return element(index)
        case .object(let fields, let rest):
            var (low, high) = (0, fields.count)
            while low < high {
                let middle = (low + high) / 2
                if TypeKey.compare(fields[middle].key, key) < 0 { low = middle + 1 } else { high = middle }
            }
            if low < fields.count, TypeKey.compare(fields[low].key, key) == 0 { return fields[low].type }
            if let rest, rest.key.contains(key.type) { return rest.value }
            return .unknown
        case .set(let element):
            let type = key.type
            if ValueType.compare(element, type) == 0 { return element }
            switch element {
            case .any: return type
            case .oneOf where element.contains(type): return type
            default: return .unknown
            }
        case .any: return .any
        case .oneOf(let types): return types.reduce(.unknown) { .or($1.select(key), $0) }
        default: return .unknown
        }
    }

    /// Whether something in it could not be inferred.
    var isUnknown: Bool {
        switch self {
        case .unknown: true
        case .function(let function): function.parameters.contains(where: \.isUnknown) || (function.result ?? .unknown).isUnknown
        case .array(let first, let rest): first.contains(where: \.isUnknown) || rest?.isUnknown ?? false
        case .object(let fields, let rest):
            fields.contains { $0.type.isUnknown } || rest.map { $0.key.isUnknown || $0.value.isUnknown } ?? false
        case .set(let element): element.isUnknown
        default: false
        }
    }

    /// An object whose keys are put in order.
    static func object(unordered fields: [Field], _ rest: Dynamic?) -> ValueType {
        .object(fields.sorted { TypeKey.compare($0.key, $1.key) < 0 }, rest)
    }

    /// Declared types as the checker compares them: alternatives and keys in order.
    var normalized: ValueType {
        switch self {
        case .array(let first, let rest): .array(first.map(\.normalized), rest?.normalized)
        case .set(let element): .set(element.normalized)
        case .object(let fields, let rest):
            .object(
                unordered: fields.map { Field($0.key, $0.type.normalized) }, rest.map { Dynamic($0.key.normalized, $0.value.normalized) })
        case .oneOf(let types): .any(of: types.map(\.normalized))
        default: self
        }
    }

    // MARK: whether two can be equal

    static func unifies(_ a: ValueType, _ b: ValueType) -> Bool {
        switch (a, b) {
        case (.unknown, _), (_, .unknown): return false
        case (.any, .function), (.function, .any): return false
        case (.any, _), (_, .any): return true
        case (.oneOf(let types), _):
            if case .function = b { return false }
            if types.contains(where: { unifies($0, b) }) { return true }
            guard case .oneOf(let others) = b else { return false }
            return others.contains { unifies($0, a) }
        case (_, .oneOf(let types)):
            if case .function = a { return false }
            return types.contains { unifies($0, a) }
        case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string): return true
        case (.array(let first, let rest), .array(let otherFirst, let otherRest)):
            for index in first.indices where !unifies(first[index], b.element(index)) { return false }
            for index in otherFirst.indices where !unifies(otherFirst[index], a.element(index)) { return false }
            guard let rest, let otherRest else { return true }
            return unifies(rest, otherRest)
        case (.object(let fields, let rest), .object(let otherFields, let otherRest)):
            for field in fields where !unifies(field.type, b.select(field.key)) { return false }
            for field in otherFields where !unifies(field.type, a.select(field.key)) { return false }
            guard let rest, let otherRest else { return true }
            return unifies(rest.value, otherRest.value)
        case (.set, .set): return unifies(a.values, b.values)
        case (.function(let one), .function(let other)):
            return one.parameters.count == other.parameters.count && zip(one.parameters, other.parameters).allSatisfy(unifies)
        default: return false
        }
    }
}

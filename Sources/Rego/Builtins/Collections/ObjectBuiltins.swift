private let keyList = ValueType.oneOf([.anyArray, .anyObject, .anySet])

/// `object.*`.
let objectBuiltins: [Builtin] = [
    Builtin("object.get", [.anyObject, .any, .any], .any) { arguments, _ throws(BuiltinFailure) in
        let object = try arguments.object(0)
        // An array is a path, but a key that is there as such wins.
        let direct = object[arguments[1]]
        if direct.isDefined || !arguments[1].isArray { return direct.isDefined ? direct : arguments[2] }
        if arguments[1].count == 0 { return object }
        var value = object
        for key in arguments[1].elements {
            value = value.lookup(key)
            if value.isUndefined { return arguments[2] }
        }
        return value
    },
    Builtin("object.keys", [.anyObject], .anySet) { arguments, context throws(BuiltinFailure) in
        context.arena.set(try arguments.object(0).keys.elements)
    },
    Builtin("object.remove", [.anyObject, keyList], .any) { arguments, context throws(BuiltinFailure) in
        let object = try arguments.object(0)
        let keys = Set(try keys(arguments[1], position: 2))
        return context.arena.object(object.entries.filter { !keys.contains($0.key) })
    },
    Builtin("object.filter", [.anyObject, keyList], .any) { arguments, context throws(BuiltinFailure) in
        let object = try arguments.object(0)
        let keys = Set(try keys(arguments[1], position: 2))
        return context.arena.object(object.entries.filter { keys.contains($0.key) })
    },
    Builtin("object.union", [.anyObject, .anyObject], .any) { arguments, context throws(BuiltinFailure) in
        let (left, right) = (try arguments.object(0), try arguments.object(1))
        return try merge(left, right, context, depth: 0)
    },
    Builtin("object.union_n", [.array(of: .anyObject)], .any) { arguments, context throws(BuiltinFailure) in
        let objects = try arguments.array(0).elements
        for element in objects where !element.isObject { throw .element(1, of: arguments[0], mustBe: "object", got: element) }
        return try mergeAll(objects[...], context, depth: 0)
    },
    Builtin("object.subset", [.oneOf([.anyObject, .anySet, .anyArray]), .oneOf([.anyObject, .anySet, .anyArray])], .any) {
        arguments, _ throws(BuiltinFailure) in
        let (outer, inner) = (arguments[0], arguments[1])
        switch (outer.kind, inner.kind) {
        case (.object, .object), (.set, .set), (.array, .array), (.array, .set): return Value(try isSubset(inner, of: outer, depth: 0))
        default: throw BuiltinFailure("both arguments object.subset must be of the same type or array and set", kind: .type)
        }
    },
]

/// The keys of an object, the elements of an array or the members of a set.
private func keys(_ value: Value, position: Int) throws(BuiltinFailure) -> [Value] {
    switch value.kind {
    case .object: value.keys.elements
    case .array, .set: value.elements
    default: throw .operand(position, mustBe: .object, .set, .array, got: value)
    }
}

/// From left to right, but each key is gone through once, so that many small objects are not copied once for each.
private func mergeAll(_ objects: ArraySlice<Value>, _ context: BuiltinContext, depth: Int) throws(BuiltinFailure) -> Value {
    if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of an object", BuiltinLimits.depthMax) }
    if objects.count < 2 { return objects.first ?? .emptyObject }
    var values: [Value: [Value]] = [:]
    for object in objects {
        for (key, value) in object.entries { values[key, default: []].append(value) }
    }
    var entries: [(key: Value, value: Value)] = []
    entries.reserveCapacity(values.count)
    for (key, list) in values {
        // The last one wins; if it is an object, those right before it that are objects too are merged into it.
        let run = list[(list.lastIndex { !$0.isObject }.map { $0 + 1 } ?? 0)...]
        entries.append((key, run.isEmpty ? list[list.count - 1] : try mergeAll(run, context, depth: depth + 1)))
    }
    return context.arena.object(entries)
}

/// Objects within objects are merged too; for anything else the right one wins.
private func merge(_ left: Value, _ right: Value, _ context: BuiltinContext, depth: Int) throws(BuiltinFailure) -> Value {
    if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of an object", BuiltinLimits.depthMax) }
    if left.count == 0 { return right }
    if right.count == 0 { return left }
    var entries: [(key: Value, value: Value)] = []
    entries.reserveCapacity(left.count + right.count)
    for (key, value) in left.entries {
        let other = right[key]
        if other.isUndefined {
            entries.append((key, value))
        } else if value.isObject && other.isObject {
            entries.append((key, try merge(value, other, context, depth: depth + 1)))
        } else {
            entries.append((key, other))
        }
    }
    for (key, value) in right.entries where left[key].isUndefined { entries.append((key, value)) }
    return context.arena.object(entries)
}

private func isSubset(_ inner: Value, of outer: Value, depth: Int) throws(BuiltinFailure) -> Bool {
    if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of an object", BuiltinLimits.depthMax) }
    switch (outer.kind, inner.kind) {
    case (.object, .object):
        for (key, value) in inner.entries {
            let other = outer[key]
            guard other.isDefined, try isSubset(value, of: other, depth: depth + 1) else { return false }
        }
        return true
    case (.set, .set): return inner.elements.allSatisfy { outer.contains($0) }
    case (.array, .array):
        // A run of neighbours. Anything may follow only the first of equals: no more steps than elements squared.
        let (all, part) = (outer.elements, inner.elements)
        if part.count > all.count { return false }
        if all.count * part.count > BuiltinLimits.matchStepsMax { throw .tooLarge("comparisons of elements", BuiltinLimits.matchStepsMax) }
        return (0...(all.count - part.count)).contains { start in part.indices.allSatisfy { all[start + $0] == part[$0] } }
    case (.array, .set):
        let all = Set(outer.elements)
        return inner.elements.allSatisfy { all.contains($0) }
    default: return inner == outer
    }
}

private let list = ValueType.oneOf([.anyArray, .anySet])

/// `count`, `sort`, `max`, … over arrays and sets.
let aggregateBuiltins: [Builtin] = [
    Builtin("count", [.oneOf([.anyArray, .anyObject, .anySet, .string])], .number) { arguments, _ throws(BuiltinFailure) in
        let collection = arguments[0]
        if collection.isString { return Value(Runes.count(Array(collection.utf8))) }
        guard collection.isCollection else { throw .operand(1, mustBe: .array, .object, .set, .string, got: collection) }
        return Value(collection.count)
    },
    Builtin("max", [list], .any) { arguments, _ throws(BuiltinFailure) in
        let elements = try listElements(arguments[0])
        return elements.max { Value.compare($0, $1) < 0 } ?? .undefined
    },
    Builtin("min", [list], .any) { arguments, _ throws(BuiltinFailure) in
        let elements = try listElements(arguments[0])
        return elements.min { Value.compare($0, $1) < 0 } ?? .undefined
    },
    Builtin("sort", [list], .anyArray) { arguments, context throws(BuiltinFailure) in
        let elements = try listElements(arguments[0])
        return context.arena.array(arguments[0].isSet ? elements : elements.sorted())
    },
    Builtin("sum", [.oneOf([.array(of: .number), .set(.number)])], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.total(try numbers(arguments[0]), from: 0, with: .add, context.arena)
    },
    Builtin("product", [.oneOf([.array(of: .number), .set(.number)])], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.total(try numbers(arguments[0]), from: 1, with: .multiply, context.arena)
    },
    Builtin("all", [list], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try listElements(arguments[0]).allSatisfy { $0.isTrue })
    },
    Builtin("any", [list], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try listElements(arguments[0]).contains { $0.isTrue })
    },
]

private func listElements(_ value: Value) throws(BuiltinFailure) -> [Value] {
    guard value.isArray || value.isSet else { throw .operand(1, mustBe: .set, .array, got: value) }
    return value.elements
}

private func numbers(_ value: Value) throws(BuiltinFailure) -> [Value] {
    for element in try listElements(value) where !element.isNumber { throw .element(1, of: value, mustBe: "number", got: element) }
    return value.elements
}

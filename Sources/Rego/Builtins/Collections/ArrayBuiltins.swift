/// `array.*` and the operations on sets.
let arrayBuiltins: [Builtin] = [
    Builtin("array.concat", [.anyArray, .anyArray], .anyArray) { arguments, context throws(BuiltinFailure) in
        context.arena.array(try arguments.array(0).elements + arguments.array(1).elements)
    },
    Builtin("array.slice", [.anyArray, .number, .number], .anyArray) { arguments, context throws(BuiltinFailure) in
        let array = try arguments.array(0)
        let start = max(try arguments.int(1), 0)
        let stop = min(try arguments.int(2), array.count)
        return start < stop ? context.arena.array(Array(array.elements[start..<stop])) : .emptyArray
    },
    Builtin("array.reverse", [.anyArray], .anyArray) { arguments, context throws(BuiltinFailure) in
        context.arena.array(try arguments.array(0).elements.reversed())
    },
    Builtin("array.flatten", [.anyArray], .anyArray) { arguments, context throws(BuiltinFailure) in
        var flat: [Value] = []
        for element in try arguments.array(0).elements {
            if element.isArray { flat += element.elements } else { flat.append(element) }
            if flat.count > BuiltinLimits.elementsMax { throw .tooLarge("elements of the result", BuiltinLimits.elementsMax) }
        }
        return context.arena.array(flat)
    },
    Builtin("and", [.anySet, .anySet], .anySet) { arguments, context throws(BuiltinFailure) in
        let (left, right) = (try arguments.set(0), try arguments.set(1))
        let (small, large) = left.count < right.count ? (left, right) : (right, left)
        return context.arena.set(small.elements.filter { large.contains($0) })
    },
    Builtin("or", [.anySet, .anySet], .anySet) { arguments, context throws(BuiltinFailure) in
        let (left, right) = (try arguments.set(0), try arguments.set(1))
        return context.arena.set(left.elements + right.elements)
    },
    Builtin("set_diff", [.anySet, .anySet], .anySet) { arguments, context throws(BuiltinFailure) in
        let right = try arguments.set(1)
        return context.arena.set(try arguments.set(0).elements.filter { !right.contains($0) })
    },
    Builtin("intersection", [.set(.anySet)], .anySet) { arguments, context throws(BuiltinFailure) in
        let sets = try setsOf(try arguments.set(0))
        guard let first = sets.min(by: { $0.count < $1.count }) else { return .emptySet }
        return context.arena.set(first.elements.filter { member in sets.allSatisfy { $0.contains(member) } })
    },
    Builtin("union", [.set(.anySet)], .anySet) { arguments, context throws(BuiltinFailure) in
        context.arena.set(try setsOf(try arguments.set(0)).flatMap { $0.elements })
    },
]

private func setsOf(_ value: Value) throws(BuiltinFailure) -> [Value] {
    for element in value.elements where !element.isSet { throw .element(1, of: value, mustBe: "set", got: element) }
    return value.elements
}

/// Ranges, bits, units and chance.
let numberBuiltins: [Builtin] = [
    Builtin("numbers.range", [.number, .number], .array(of: .number)) { arguments, context throws(BuiltinFailure) in
        let (first, last) = (try arguments.integer(0), try arguments.integer(1))
        return try range(first, last, step: 1, context)
    },
    Builtin("numbers.range_step", [.number, .number, .number], .array(of: .number)) { arguments, context throws(BuiltinFailure) in
        let (first, last, step) = (try arguments.integer(0), try arguments.integer(1), try arguments.integer(2))
        guard !step.isNegative, !step.magnitude.isZero else {
            throw BuiltinFailure("numbers.range_step: step must be a positive number above zero")
        }
        return try range(first, last, step: step.asInt64 ?? .max, context)
    },
    Builtin("bits.and", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.integer(try arguments.integer(0).bitwise(try arguments.integer(1), &))
    },
    Builtin("bits.or", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.integer(try arguments.integer(0).bitwise(try arguments.integer(1), |))
    },
    Builtin("bits.xor", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.integer(try arguments.integer(0).bitwise(try arguments.integer(1), ^))
    },
    Builtin("bits.negate", [.number], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.integer(~(try arguments.integer(0)))
    },
    Builtin("bits.lsh", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        let (value, bits) = (try arguments.integer(0), try shift(arguments))
        guard value.magnitude.bitWidth + min(bits, 1 << 40) <= BuiltinLimits.integerBitsMax || value.magnitude.isZero else {
            throw .tooLarge("bits of the result", BuiltinLimits.integerBitsMax)
        }
        return context.arena.integer(value.magnitude.isZero ? value : value << bits)
    },
    Builtin("bits.rsh", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.integer(try arguments.integer(0) >> (try shift(arguments)))
    },
    Builtin("units.parse", [.string], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.number(text: try Units.parse(try quantity(arguments)))
    },
    Builtin("units.parse_bytes", [.string], .number) { arguments, context throws(BuiltinFailure) in
        context.arena.number(text: try Units.parseBytes(try quantity(arguments)))
    },
    Builtin("rand.intn", [.string, .number], .number, isPure: false) { arguments, context throws(BuiltinFailure) in
        let seed = try arguments.bytes(0)
        let limit = try arguments.int(1)
        if limit == 0 { return Value(0) }
        guard let random = context.host.random else { throw .host("random generator") }
        // One number per seed and limit within a query.
        let key = BuiltinContext.CacheKey(builtin: "rand.intn", text: seed + Array("-\(limit)".utf8))
        if let known = context.cache[key] as? Int64 { return Value(known) }
        let bits = random(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let number = Int64(bits.multipliedFullWidth(by: UInt64(limit.magnitude)).high)
        context.cache[key] = number
        return Value(number)
    },
]

private func quantity(_ arguments: UnsafeBufferPointer<Value>) throws(BuiltinFailure) -> [UInt8] {
    let text = try arguments.bytes(0)
    if text.count > BuiltinLimits.integerDigitsMax { throw .tooLarge("digits of an amount", BuiltinLimits.integerDigitsMax) }
    return text
}

private func shift(_ arguments: UnsafeBufferPointer<Value>) throws(BuiltinFailure) -> Int {
    let bits = try arguments.integer(1)
    if bits.isNegative {
        throw BuiltinFailure("operand 2 must be an unsigned integer number but got a negative integer", kind: .type)
    }
    return Int(bits.asInt64 ?? .max)
}

/// From one integer to another, up or down.
private func range(_ first: BigInteger, _ last: BigInteger, step: Int64, _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    guard let from = first.asInt64, let to = last.asInt64 else {
        throw .tooLarge("numbers of a range: only 64-bit integers; elements", BuiltinLimits.elementsMax)
    }
    let distance = from <= to ? UInt64(bitPattern: to &- from) : UInt64(bitPattern: from &- to)
    guard distance / UInt64(step) < UInt64(BuiltinLimits.elementsMax) else {
        throw .tooLarge("elements of a range", BuiltinLimits.elementsMax)
    }
    let count = Int(distance / UInt64(step)) + 1
    return context.arena.array((0..<count).map { Value(from <= to ? from + Int64($0) * step : from - Int64($0) * step) })
}

/// The operators on numbers (`-` also on sets) and rounding.
let arithmeticBuiltins: [Builtin] = [
    Builtin("plus", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.apply(.add, try arguments.number(0), try arguments.number(1), context.arena)
    },
    Builtin(
        "minus", [.oneOf([.number, .set(.any)]), .oneOf([.number, .set(.any)])], .oneOf([.number, .set(.any)])
    ) { arguments, context throws(BuiltinFailure) in
        let (left, right) = (arguments[0], arguments[1])
        if left.isNumber && right.isNumber { return try Arithmetic.apply(.subtract, left, right, context.arena) }
        if left.isSet && right.isSet { return context.arena.set(left.elements.filter { !right.contains($0) }) }
        guard left.isNumber || left.isSet else { throw .operand(1, mustBe: .number, .set, got: left) }
        throw .operand(2, mustBe: right.isNumber ? .set : .number, got: right)
    },
    Builtin("mul", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.apply(.multiply, try arguments.number(0), try arguments.number(1), context.arena)
    },
    Builtin("div", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.divide(try arguments.number(0), try arguments.number(1), context.arena)
    },
    Builtin("rem", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.remainder(try arguments.number(0), try arguments.number(1), context.arena)
    },
    Builtin("round", [.number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.round(try arguments.number(0), .nearest, context.arena)
    },
    Builtin("ceil", [.number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.round(try arguments.number(0), .up, context.arena)
    },
    Builtin("floor", [.number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.round(try arguments.number(0), .down, context.arena)
    },
    Builtin("abs", [.number], .number) { arguments, context throws(BuiltinFailure) in
        try Arithmetic.absolute(try arguments.number(0), context.arena)
    },
]

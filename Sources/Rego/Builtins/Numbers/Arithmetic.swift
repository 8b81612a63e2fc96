/// Arithmetic as OPA does it: exact on integers of any size, with 64 bits of mantissa on everything else.
enum Arithmetic {
    enum Operation { case add, subtract, multiply }

    static func apply(_ operation: Operation, _ left: Value, _ right: Value, _ arena: Arena) throws(BuiltinFailure) -> Value {
        if let a = left.asInt64, let b = right.asInt64 {
            let (result, overflow) =
                switch operation {
                case .add: a.addingReportingOverflow(b)
                case .subtract: a.subtractingReportingOverflow(b)
                case .multiply: a.multipliedReportingOverflow(by: b)
                }
            if !overflow { return Value(result) }
        }
        if let a = left.asInteger, let b = right.asInteger {
            switch operation {
            case .add: return try integer(a + b, arena)
            case .subtract: return try integer(a + -b, arena)
            case .multiply: return try integer(a * b, arena)
            }
        }
        let (a, b) = (try wide(left), try wide(right))
        switch operation {
        case .add: return arena.number(text: (a + b).text)
        case .subtract: return arena.number(text: (a + -b).text)
        case .multiply: return arena.number(text: (a * b).text)
        }
    }

    static func divide(_ left: Value, _ right: Value, _ arena: Arena) throws(BuiltinFailure) -> Value {
        if let a = left.asInt64, let b = right.asInt64 {
            if b == 0 { throw BuiltinFailure("divide by zero") }
            if a == 0 { return Value(0) }
            let (quotient, overflow) = a.dividedReportingOverflow(by: b)
            if !overflow && quotient.multipliedReportingOverflow(by: b) == (a, false) { return Value(quotient) }
        }
        let (a, b) = (try wide(left), try wide(right))
        if b.isZero { throw BuiltinFailure("divide by zero") }
        return arena.number(text: (a / b).text)
    }

    static func remainder(_ left: Value, _ right: Value, _ arena: Arena) throws(BuiltinFailure) -> Value {
        if let a = left.asInt64, let b = right.asInt64 {
            if b == 0 { throw BuiltinFailure("modulo by zero") }
            return Value(b == -1 ? 0 : a % b)
        }
        guard let a = left.asInteger, let b = right.asInteger else { throw BuiltinFailure("modulo on floating-point number") }
        if b.magnitude.isZero { throw BuiltinFailure("modulo by zero") }
        return arena.integer(BigInteger(isNegative: a.isNegative, magnitude: a.magnitude.remainder(dividingBy: b.magnitude)))
    }

    enum Rounding { case nearest, up, down }

    /// To a whole number; `nearest` rounds halves away from zero.
    static func round(_ value: Value, _ rounding: Rounding, _ arena: Arena) throws(BuiltinFailure) -> Value {
        if let integer = value.asInteger { return arena.integer(integer) }
        let wide = try wide(value)
        if wide.isInteger { return arena.integer(wide.truncated) }
        var result = wide.truncated
        // Between -1 and 1 as OPA: what is cut off to nothing has no sign left (decision 0028).
        if result.magnitude.isZero && rounding != .nearest { return arena.integer(BigInteger(rounding == .up ? 1 : 0)) }
        let away: Bool
        switch rounding {
        case .up: away = !wide.isNegative
        case .down: away = wide.isNegative
        case .nearest:
            let half = WideFloat(DecimalText(Array("0.5".utf8))!)!
            return arena.integer((wide.isNegative ? wide + -half : wide + half).truncated)
        }
        if away { result = BigInteger(isNegative: wide.isNegative, magnitude: result.magnitude.successor) }
        return arena.integer(result)
    }

    static func absolute(_ value: Value, _ arena: Arena) throws(BuiltinFailure) -> Value {
        if let integer = value.asInteger { return arena.integer(BigInteger(isNegative: false, magnitude: integer.magnitude)) }
        let text = value.numberText ?? "0"
        return text.utf8.first == UInt8(ascii: "-") ? arena.number(text: text.dropFirst()) : value
    }

    /// The sum or product of many; one of floating-point makes all of it floating-point.
    static func total(_ values: [Value], from start: Int64, with operation: Operation, _ arena: Arena) throws(BuiltinFailure) -> Value {
        var result = Value(start)
        for value in values { result = try apply(operation, result, value, arena) }
        return result
    }

    private static func wide(_ value: Value) throws(BuiltinFailure) -> WideFloat {
        guard let decimal = DecimalText(Array((value.numberText ?? "0").utf8)), let wide = WideFloat(decimal) else {
            throw .tooLarge("exponent of a number", WideFloat.decimalExponentMax)
        }
        return wide
    }

    private static func integer(_ value: BigInteger, _ arena: Arena) throws(BuiltinFailure) -> Value {
        guard value.magnitude.bitWidth <= BuiltinLimits.integerBitsMax else {
            throw .tooLarge("bits of an integer", BuiltinLimits.integerBitsMax)
        }
        return arena.integer(value)
    }
}

extension Magnitude {
    var successor: Magnitude {
        var next = self
        next.add(Magnitude(1))
        return next
    }

    static func * (left: Magnitude, right: Magnitude) -> Magnitude {
        if left.isZero || right.isZero { return Magnitude() }
        var limbs = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (index, limb) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (offset, other) in right.limbs.enumerated() {
                carry += UInt64(limb) * UInt64(other) + UInt64(limbs[index + offset])
                limbs[index + offset] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            limbs[index + right.limbs.count] = UInt32(carry)
        }
        return Magnitude(limbs: limbs)
    }

    /// Bit by bit: what is divided is small or rare.
    func remainder(dividingBy divisor: Magnitude) -> Magnitude {
        if self < divisor { return self }
        if divisor.limbs.count == 1 {
            var copy = self
            return Magnitude(UInt64(copy.divide(by: divisor.limbs[0])))
        }
        var rest = self
        var shift = bitWidth - divisor.bitWidth
        while shift >= 0 {
            let part = divisor << shift
            if !(rest < part) { rest.subtract(part) }
            shift -= 1
        }
        return rest
    }
}

extension BigInteger {
    static prefix func - (value: BigInteger) -> BigInteger {
        BigInteger(isNegative: !value.isNegative, magnitude: value.magnitude)
    }

    static func + (left: BigInteger, right: BigInteger) -> BigInteger {
        if left.isNegative == right.isNegative {
            var sum = left.magnitude
            sum.add(right.magnitude)
            return BigInteger(isNegative: left.isNegative, magnitude: sum)
        }
        let (large, small) = left.magnitude < right.magnitude ? (right, left) : (left, right)
        var difference = large.magnitude
        difference.subtract(small.magnitude)
        return BigInteger(isNegative: large.isNegative, magnitude: difference)
    }

    static func * (left: BigInteger, right: BigInteger) -> BigInteger {
        BigInteger(isNegative: left.isNegative != right.isNegative, magnitude: left.magnitude * right.magnitude)
    }
}

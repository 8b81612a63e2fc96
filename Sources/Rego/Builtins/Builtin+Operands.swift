/// Arguments as the cores of the built-ins take them, with OPA's errors.
extension UnsafeBufferPointer<Value> {
    func bytes(_ index: Int) throws(BuiltinFailure) -> [UInt8] { Array(try string(index)) }

    func text(_ index: Int) throws(BuiltinFailure) -> String { String(decoding: try string(index), as: UTF8.self) }

    func boolean(_ index: Int) throws(BuiltinFailure) -> Bool {
        guard let value = self[index].asBool else { throw .operand(index + 1, mustBe: .boolean, got: self[index]) }
        return value
    }

    /// An integer of any size that is written as one (or has no fraction).
    func integer(_ index: Int) throws(BuiltinFailure) -> BigInteger {
        guard let value = try number(index).asInteger else {
            throw BuiltinFailure("operand \(index + 1) must be integer number but got floating-point number", kind: .type)
        }
        return value
    }

    /// An integer that fits into 64 bits.
    func int(_ index: Int) throws(BuiltinFailure) -> Int {
        let value = try number(index)
        guard let int = value.asInt64 else {
            throw BuiltinFailure("operand \(index + 1) must be integer number but got floating-point number", kind: .type)
        }
        return Int(int)
    }

    /// The strings of an array or a set.
    func strings(_ index: Int, kinds: ValueKind...) throws(BuiltinFailure) -> [[UInt8]] {
        let value = self[index]
        guard value.isArray || value.isSet, kinds.contains(value.kind) else { throw Self.wrongKind(index, kinds, value) }
        var strings: [[UInt8]] = []
        strings.reserveCapacity(value.count)
        for at in 0..<value.count {
            let element = value.slot(at)
            guard element.isString else { throw .element(index + 1, of: value, mustBe: "string", got: element) }
            strings.append(Array(element.utf8))
        }
        return strings
    }

    static func wrongKind(_ index: Int, _ kinds: [ValueKind], _ value: Value) -> BuiltinFailure {
        let wanted = kinds.count == 1 ? kinds[0].name : "one of {" + kinds.map(\.name).joined(separator: ", ") + "}"
        return BuiltinFailure("operand \(index + 1) must be \(wanted) but got \(value.kind.name)", kind: .type)
    }
}

extension BuiltinFailure {
    /// An element is of another kind: "operand 2 must be array of strings but got array containing number".
    static func element(_ position: Int, of collection: Value, mustBe kind: String, got element: Value) -> BuiltinFailure {
        let name = collection.kind.name
        return BuiltinFailure(
            "operand \(position) must be \(name) of \(kind)s but got \(name) containing \(element.kind.name)", kind: .type)
    }

    static func host(_ what: String) -> BuiltinFailure { BuiltinFailure("this host has no \(what)") }
}

extension Value {
    /// The integer of a number without a fraction, whatever its size (up to `BuiltinLimits.integerDigitsMax` digits).
    var asInteger: BigInteger? {
        if let value = asInt64 { return BigInteger(value) }
        guard isNumber, let decimal = DecimalText(Array(textBytes)), decimal.exponent >= 0,
            decimal.writtenOutDigits <= BuiltinLimits.integerDigitsMax
        else { return nil }
        var magnitude = Magnitude(decimal: decimal.digits)
        magnitude.multiply(byPowerOfTen: decimal.exponent)
        return BigInteger(isNegative: decimal.isNegative, magnitude: magnitude)
    }
}

extension Arena {
    func integer(_ value: BigInteger) -> Value {
        if let small = value.asInt64 { return Value(small) }
        return number(text: value.text())
    }

    func strings(_ strings: [[UInt8]]) -> Value { array(strings.map { string($0) }) }

    /// An object whose keys are strings.
    func record(_ fields: [(String, Value)]) -> Value { object(fields.map { (string($0.0), $0.1) }) }
}

extension BuiltinContext {
    /// Makes the string, unless it is larger than a built-in may make.
    func string(_ bytes: [UInt8], _ name: String) throws(BuiltinFailure) -> Value {
        if bytes.count > BuiltinLimits.stringBytesMax { throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax) }
        return arena.string(bytes)
    }
}

/// `is_string`, `type_name`, `to_number` and the casts.
let typeBuiltins: [Builtin] =
    [
        ("is_number", ValueKind.number), ("is_string", .string), ("is_boolean", .boolean), ("is_array", .array), ("is_set", .set),
        ("is_object", .object), ("is_null", .null),
    ].map { name, kind in
        Builtin(name, [.any], .boolean) { arguments, _ throws(BuiltinFailure) in
            Value(arguments[0].kind == kind)
        }
    } + [
        Builtin("type_name", [.any], .string) { arguments, context throws(BuiltinFailure) in
            context.arena.string(arguments[0].kind.name)
        },
        Builtin("to_number", [.oneOf([.number, .string, .boolean, .null])], .number) { arguments, context throws(BuiltinFailure) in
            let value = arguments[0]
            switch value.kind {
            case .null: return Value(0)
            case .boolean: return Value(value.isTrue ? 1 : 0)
            case .number: return value
            case .string: return try number(Array(value.utf8), context)
            default: throw .operand(1, mustBe: .null, .boolean, .number, .string, got: value)
            }
        },
        Builtin("cast_array", [.any], .anyArray) { arguments, context throws(BuiltinFailure) in
            let value = arguments[0]
            guard value.isArray || value.isSet else { throw .operand(1, mustBe: .array, .set, got: value) }
            return value.isArray ? value : context.arena.array(value.elements)
        },
        Builtin("cast_set", [.any], .anySet) { arguments, context throws(BuiltinFailure) in
            let value = arguments[0]
            guard value.isArray || value.isSet else { throw .operand(1, mustBe: .array, .set, got: value) }
            return value.isSet ? value : context.arena.set(value.elements)
        },
        cast("cast_string", .string, .string), cast("cast_boolean", .boolean, .boolean), cast("cast_null", .null, .null),
        cast("cast_object", .object, .anyObject),
    ]

private func cast(_ name: String, _ kind: ValueKind, _ type: ValueType) -> Builtin {
    Builtin(name, [.any], type) { arguments, _ throws(BuiltinFailure) in
        guard arguments[0].kind == kind else { throw .operand(1, mustBe: kind, got: arguments[0]) }
        return arguments[0]
    }
}

/// Go's `strconv.ParseFloat` decides what is a number; its text becomes the value, so that no digit is lost.
private func number(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    let shown = GoQuote.quoted(String(decoding: text, as: UTF8.self))
    let word = String(decoding: text.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }, as: UTF8.self).lowercased()
    if ["nan", "inf", "infinity"].contains(word) {
        throw BuiltinFailure("operand 1 must be valid number string but got \(shown)", kind: .type)
    }
    let syntax = BuiltinFailure("strconv.ParseFloat: parsing \(shown): invalid syntax")
    guard let decimal = DecimalText(text) else {
        // Hexadecimal floating-point, which is a number for Go, is none for JSON.
        throw syntax
    }
    if !decimal.digits.isEmpty, decimal.digits.count + decimal.exponent > 309 {
        throw BuiltinFailure("strconv.ParseFloat: parsing \(shown): value out of range")
    }
    // JSON knows no plus in front and no bare point.
    var body = text[...]
    let sign = body.first == UInt8(ascii: "-") ? "-" : ""
    if body.first == UInt8(ascii: "-") || body.first == UInt8(ascii: "+") { body = body.dropFirst() }
    var result = Array(sign.utf8) + (body.first == UInt8(ascii: ".") ? [0x30] : []) + body
    if let point = result.firstIndex(of: UInt8(ascii: ".")), point + 1 == result.count || !ASCII.isDigit(result[point + 1]) {
        result.insert(0x30, at: point + 1)
    }
    while result.count > sign.utf8.count + 1, result[sign.utf8.count] == 0x30, ASCII.isDigit(result[sign.utf8.count + 1]) {
        result.remove(at: sign.utf8.count)
    }
    return result.withUnsafeBytes { context.arena.number(text: $0) }
}

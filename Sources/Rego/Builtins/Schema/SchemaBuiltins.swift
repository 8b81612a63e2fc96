private let document = ValueType.oneOf([.string, .anyObject])

/// `json.match_schema` and `json.verify_schema`.
let schemaBuiltins: [Builtin] = [
    Builtin("json.verify_schema", [document], .array([.boolean, .oneOf([.string, .null])], nil)) {
        arguments, context throws(BuiltinFailure) in
        do throws(BuiltinFailure) {
            _ = try JSONSchema(try read(arguments[0], context), context)
            return context.arena.array([.true, .null])
        } catch {
            return context.arena.array([.false, context.arena.string("jsonschema: \(error.message)")])
        }
    },
    Builtin(
        "json.match_schema", [document, document],
        .array(
            [
                .boolean,
                .array(
                    of: .object(
                        [
                            .init("desc", .string), .init("error", .string), .init("field", .string), .init("type", .string),
                        ], nil)),
            ], nil)
    ) { arguments, context throws(BuiltinFailure) in
        let schema = try JSONSchema(try read(arguments[1], context), context)
        let troubles = try SchemaValidator.troubles(try read(arguments[0], context), schema)
        let shown = troubles.map { trouble in
            context.arena.record([
                ("error", context.arena.string("\(trouble.field): \(trouble.description)")), ("type", context.arena.string(trouble.type)),
                ("field", context.arena.string(trouble.field)), ("desc", context.arena.string(trouble.description)),
            ])
        }
        return context.arena.array([Value(troubles.isEmpty), context.arena.array(shown)])
    },
]

/// A document as a value: a string is JSON, and all goes through JSON, so that sets become arrays.
private func read(_ value: Value, _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    switch value.kind {
    case .string:
        do throws(BuiltinFailure) {
            return try JSONText.read(value.utf8, context.arena)
        } catch {
            throw BuiltinFailure("invalid JSON string")
        }
    case .object: return try JSONText.read(try JSONText.bytes(value), context.arena)
    default: throw BuiltinFailure("wrong type, expected string or object")
    }
}

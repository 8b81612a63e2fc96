/// The operators that compare and look for members, as functions.
let operatorBuiltins: [Builtin] = [
    Builtin("eq", [.any, .any], .boolean) { arguments, _ in Value(arguments[0] == arguments[1]) },
    Builtin("equal", [.any, .any], .boolean) { arguments, _ in Value(arguments[0] == arguments[1]) },
    Builtin("neq", [.any, .any], .boolean) { arguments, _ in Value(arguments[0] != arguments[1]) },
    Builtin("lt", [.any, .any], .boolean) { arguments, _ in Value(Value.compare(arguments[0], arguments[1]) < 0) },
    Builtin("lte", [.any, .any], .boolean) { arguments, _ in Value(Value.compare(arguments[0], arguments[1]) <= 0) },
    Builtin("gt", [.any, .any], .boolean) { arguments, _ in Value(Value.compare(arguments[0], arguments[1]) > 0) },
    Builtin("gte", [.any, .any], .boolean) { arguments, _ in Value(Value.compare(arguments[0], arguments[1]) >= 0) },
    Builtin("internal.member_2", [.any, .any], .boolean) { arguments, _ in Value(arguments[1].hasMember(arguments[0])) },
    Builtin("internal.member_3", [.any, .any, .any], .boolean) { arguments, _ in
        let found = arguments[2].isSet && arguments[0] != arguments[1] ? Value.undefined : arguments[2].lookup(arguments[0])
        return Value(found.isDefined && found == arguments[1])
    },
    Builtin("internal.template_string", [.anyArray], .string) { arguments, context throws(BuiltinFailure) in
        var text: [UInt8] = []
        for part in try arguments.array(0).elements {
            var part = part
            if part.isSet {
                if part.count == 0 {
                    text.append(contentsOf: "<undefined>".utf8)
                    continue
                }
                if part.count > 1 { throw BuiltinFailure("template-strings must not produce multiple outputs", kind: .conflict) }
                part = part[0]
            }
            if part.isString { text.append(contentsOf: part.utf8) } else { TermText.append(part, to: &text) }
            if text.count > BuiltinLimits.stringBytesMax { throw .tooLarge("string", BuiltinLimits.stringBytesMax) }
        }
        return context.arena.string(text)
    },
]

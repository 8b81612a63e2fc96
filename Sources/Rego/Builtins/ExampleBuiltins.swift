/// A few built-ins that show the form.
let exampleBuiltins: [Builtin] = [
    Builtin("count", [.oneOf([.anyArray, .anyObject, .anySet, .string])], .number) { arguments, _ throws(BuiltinFailure) in
        let collection = arguments[0]
        if collection.isString { return Value(String(decoding: collection.utf8, as: UTF8.self).unicodeScalars.count) }
        guard collection.isCollection else { throw .operand(1, mustBe: .array, .object, .set, .string, got: collection) }
        return Value(collection.count)
    },
    Builtin("concat", [.string, .oneOf([.array(of: .string), .set(.string)])], .string) { arguments, context throws(BuiltinFailure) in
        let separator = try arguments.string(0)
        guard arguments[1].isArray || arguments[1].isSet else { throw .operand(2, mustBe: .array, .set, got: arguments[1]) }
        var joined: [UInt8] = []
        for index in 0..<arguments[1].count {
            if index > 0 { joined.append(contentsOf: separator) }
            let part = arguments[1][index]
            guard part.isString else {
                throw BuiltinFailure(
                    "operand 2 must be \(arguments[1].kind.name) of strings but got \(arguments[1].kind.name) containing \(part.kind.name)",
                    kind: .type)
            }
            joined.append(contentsOf: part.utf8)
            if joined.count > BuiltinLimits.stringBytesMax { throw .tooLarge("string", BuiltinLimits.stringBytesMax) }
        }
        return context.arena.string(joined)
    },
    Builtin("plus", [.number, .number], .number) { arguments, context throws(BuiltinFailure) in
        let (left, right) = (try arguments.number(0), try arguments.number(1))
        if let a = left.asInt64, let b = right.asInt64, case let (sum, overflow) = a.addingReportingOverflow(b), !overflow {
            return Value(sum)
        }
        throw BuiltinFailure("numbers beyond 64 bits are not here yet")
    },
]

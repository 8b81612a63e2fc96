private let paths = ValueType.oneOf([.array(of: .oneOf([.string, .anyArray])), .set(.oneOf([.string, .anyArray]))])

/// `json.*` but for schemas.
let jsonBuiltins: [Builtin] = [
    Builtin("json.filter", [.anyObject, paths], .any) { arguments, context throws(BuiltinFailure) in
        let object = try arguments.object(0)
        return try PathTree.read(arguments[1], position: 2, context.arena).filter(object, context.arena)
    },
    Builtin("json.remove", [.anyObject, paths], .any) { arguments, context throws(BuiltinFailure) in
        let object = try arguments.object(0)
        return try PathTree.read(arguments[1], position: 2, context.arena).remove(from: object, context.arena)
    },
    Builtin(
        "json.patch", [.any, .array(of: .object([.init("op", .string), .init("path", .any)], .init(.any, .any)))], .any
    ) { arguments, context throws(BuiltinFailure) in
        try JSONPatch(arena: context.arena).apply(try arguments.array(1).elements, to: arguments[0])
    },
    Builtin("json.marshal", [.any], .string) { arguments, context throws(BuiltinFailure) in
        try context.string(JSONText.bytes(arguments[0]), "json.marshal")
    },
    Builtin(
        "json.marshal_with_options",
        [.any, .object([.init("indent", .string), .init("prefix", .string), .init("pretty", .boolean)], .init(.string, .any))], .string
    ) { arguments, context throws(BuiltinFailure) in
        let options = try arguments.object(1)
        var pretty = false
        var indent: [UInt8] = [0x09]
        var prefix: [UInt8] = []
        for (key, value) in options.entries {
            switch key.asString {
            case "pretty": break
            case "indent":
                guard value.isString else { throw BuiltinFailure("operand 2 key \"indent\" failed cast to string", kind: .type) }
                indent = Array(value.utf8)
                pretty = true
            case "prefix":
                guard value.isString else { throw BuiltinFailure("operand 2 key \"prefix\" failed cast to string", kind: .type) }
                prefix = Array(value.utf8)
                pretty = true
            default:
                let name = String(decoding: TermText.bytes(key), as: UTF8.self)
                throw BuiltinFailure("operand 2 object contained unknown key \(name)", kind: .type)
            }
        }
        if options["pretty"].isDefined {
            guard let wanted = options["pretty"].asBool else {
                throw BuiltinFailure("operand 2 key \"pretty\" failed cast to bool", kind: .type)
            }
            pretty = wanted
        }
        let text = try JSONText.bytes(arguments[0])
        return try context.string(pretty ? try JSONText.indented(text, prefix: prefix, indent: indent) : text, "json.marshal_with_options")
    },
    Builtin("json.unmarshal", [.string], .any) { arguments, context throws(BuiltinFailure) in
        try JSONText.read(try arguments.string(0), context.arena)
    },
    Builtin("json.is_valid", [.string], .boolean) { arguments, context throws(BuiltinFailure) in
        guard arguments[0].isString else { return .false }
        return Value((try? JSONText.read(arguments[0].utf8, context.arena)) != nil)
    },
]

/// JSON as the built-ins read and write it.
enum JSONText {
    /// The reader recurses, and a thread's stack may be small: a text that nests deeper than anybody's document is refused before.
    private static func checkNesting(_ bytes: UnsafeRawBufferPointer) throws(BuiltinFailure) {
        var depth = 0
        var inString = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where inString: index += 1
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if !inString { depth += 1 }
                if depth > BuiltinLimits.depthMax { throw BuiltinFailure("exceeded max depth") }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): if !inString { depth -= 1 }
            default: break
            }
            index += 1
        }
    }

    static func read(_ bytes: UnsafeRawBufferPointer, _ arena: Arena) throws(BuiltinFailure) -> Value {
        try checkNesting(bytes)
        do throws(JSONError) {
            return try JSONReader.read(bytes, into: arena)
        } catch {
            throw BuiltinFailure(error.message)
        }
    }

    static func read(_ bytes: [UInt8], _ arena: Arena) throws(BuiltinFailure) -> Value {
        let result: Result<Value, BuiltinFailure> = bytes.withUnsafeBytes { raw in
            do throws(BuiltinFailure) { return .success(try read(raw, arena)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// One line, with what HTML would read as a tag escaped, as Go's encoder does.
    static func bytes(_ value: Value) throws(BuiltinFailure) -> [UInt8] {
        try checkDepth(value, 0)
        var writer = JSONWriter(escapesHTML: true)
        writer.write(value)
        return writer.bytes
    }

    private static func checkDepth(_ value: Value, _ depth: Int) throws(BuiltinFailure) {
        if depth > BuiltinLimits.pathLengthMax { throw .tooLarge("depth of a value", BuiltinLimits.pathLengthMax) }
        guard value.isCollection else { return }
        for index in 0..<value.count {
            if value.isObject { try checkDepth(value.keys.slot(index), depth + 1) }
            try checkDepth(value.slot(index), depth + 1)
        }
    }

    /// Spreads compact JSON over lines; each begins with the prefix and an indentation per level.
    static func indented(_ text: [UInt8], prefix: [UInt8], indent: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        var result = prefix
        var level = 0
        var inString = false
        var index = 0
        func newline() {
            result.append(0x0A)
            result += prefix
            for _ in 0..<level { result += indent }
        }
        while index < text.count {
            if result.count > BuiltinLimits.stringBytesMax { throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax) }
            let byte = text[index]
            index += 1
            if inString {
                result.append(byte)
                if byte == UInt8(ascii: "\\") {
                    result.append(text[index])
                    index += 1
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                inString = true
                result.append(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                result.append(byte)
                if text[index] == byte + 2 {
                    // Empty: the signs stay together.
                    result.append(text[index])
                    index += 1
                } else {
                    level += 1
                    newline()
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                level -= 1
                newline()
                result.append(byte)
            case UInt8(ascii: ","):
                result.append(byte)
                newline()
            case UInt8(ascii: ":"): result += [byte, 0x20]
            default: result.append(byte)
            }
        }
        return result
    }
}

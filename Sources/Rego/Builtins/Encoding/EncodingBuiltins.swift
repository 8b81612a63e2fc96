/// Base64, hexadecimal, URLs and URIs.
let encodingBuiltins: [Builtin] = [
    Builtin("base64.encode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Base64.standard.encode(try arguments.bytes(0)))
    },
    Builtin("base64.decode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(try Base64.standard.decode(try arguments.bytes(0)))
    },
    Builtin("base64.is_valid", [.string], .boolean) { arguments, _ throws(BuiltinFailure) in
        let text = try arguments.bytes(0)
        return Value((try? Base64.standard.decode(text)) != nil)
    },
    Builtin("base64url.encode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Base64.url.encode(try arguments.bytes(0)))
    },
    Builtin("base64url.encode_no_pad", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Base64.rawURL.encode(try arguments.bytes(0)))
    },
    Builtin("base64url.decode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(try Base64.decodeURL(try arguments.bytes(0)))
    },
    Builtin("hex.encode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Hex.encode(try arguments.bytes(0)))
    },
    Builtin("hex.decode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(try Hex.decode(try arguments.bytes(0)))
    },
    Builtin("urlquery.encode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(URLCoding.escape(try arguments.bytes(0), in: .queryComponent))
    },
    Builtin("urlquery.decode", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(try URLCoding.unescape(try arguments.bytes(0), in: .queryComponent))
    },
    Builtin(
        "urlquery.encode_object", [.object(of: .string, .oneOf([.string, .array(of: .string), .set(.string)]))], .string
    ) { arguments, context throws(BuiltinFailure) in
        var pairs: [[UInt8]] = []
        for (key, value) in try arguments.object(0).entries {
            guard key.isString else { throw .operand(1, mustBe: .string, got: key) }
            let name = URLCoding.escape(Array(key.utf8), in: .queryComponent)
            guard value.isString || value.isArray || value.isSet else {
                throw .operand(1, mustBe: .string, .array, .set, got: value)
            }
            for element in value.isString ? [value] : value.elements {
                guard element.isString else { throw .operand(1, mustBe: .string, got: element) }
                pairs.append(name + [UInt8(ascii: "=")] + URLCoding.escape(Array(element.utf8), in: .queryComponent))
            }
        }
        return context.arena.string(ByteText.join(pairs, by: [UInt8(ascii: "&")]))
    },
    Builtin("urlquery.decode_object", [.string], .object(of: .string, .array(of: .string))) { arguments, context throws(BuiltinFailure) in
        var lists: [[UInt8]: [Value]] = [:]
        for (key, value) in try URLCoding.parseQuery(try arguments.bytes(0)) {
            lists[key, default: []].append(context.arena.string(value))
        }
        return context.arena.object(lists.map { (context.arena.string($0.key), context.arena.array($0.value)) })
    },
    Builtin("uri.parse", [.string], .object(of: .string, .string)) { arguments, context throws(BuiltinFailure) in
        let uri = try URI(try arguments.bytes(0))
        let fields: [(String, [UInt8])] = [
            ("scheme", uri.scheme), ("hostname", uri.hostname), ("port", uri.port), ("path", uri.path), ("raw_path", uri.rawPath),
            ("raw_query", uri.rawQuery), ("fragment", uri.fragment),
        ]
        return context.arena.record(fields.filter { !$0.1.isEmpty }.map { ($0.0, context.arena.string($0.1)) })
    },
    Builtin("uri.is_valid", [.any], .boolean) { arguments, _ throws(BuiltinFailure) in
        guard arguments[0].isString else { return .false }
        return Value((try? URI(Array(arguments[0].utf8))) != nil)
    },
]

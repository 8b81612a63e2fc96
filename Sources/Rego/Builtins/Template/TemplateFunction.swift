/// The functions of Go's templates.
enum TemplateFunction {
    static let names: Set<String> = [
        "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "eq", "ne", "lt", "le", "gt",
        "ge",
    ]

    /// As Go prints it: `map[a:1 b:2]`, `[1 2]`.
    static func text(_ value: Value) -> [UInt8] {
        switch value.kind {
        case .undefined, .null: return Array("<undefined>".utf8)
        case .string: return Array(value.utf8)
        case .array, .set:
            return [UInt8(ascii: "[")] + ByteText.join(value.elements.map(inner), by: [0x20]) + [UInt8(ascii: "]")]
        case .object:
            let pairs = value.entries.map { inner($0.key) + [UInt8(ascii: ":")] + inner($0.value) }
            return Array("map[".utf8) + ByteText.join(pairs, by: [0x20]) + [UInt8(ascii: "]")]
        default: return TermText.bytes(value)
        }
    }

    private static func inner(_ value: Value) -> [UInt8] { value.isNull ? Array("<nil>".utf8) : text(value) }

    /// Empty is false. Numbers come to Go as text, which is never empty.
    static func isTrue(_ value: Value) -> Bool {
        switch value.kind {
        case .undefined, .null: false
        case .boolean: value.isTrue
        case .string: value.utf8.count > 0
        case .number: true
        default: value.count > 0
        }
    }

    static func number(_ text: String, _ arena: Arena) throws(BuiltinFailure) -> Value {
        let digits = text.filter { $0 != "_" }
        if digits.lowercased().hasPrefix("0x"), let value = Int64(digits.dropFirst(2), radix: 16) { return Value(value) }
        guard DecimalText(Array(digits.utf8)) != nil else { throw BuiltinFailure("template: bad number syntax: \(GoQuote.quoted(text))") }
        return arena.number(text: digits.hasPrefix("+") ? digits.dropFirst() : digits[...])
    }

    static func call(_ name: String, _ arguments: [Value], _ arena: Arena) throws(BuiltinFailure) -> Value {
        func need(_ count: Int) throws(BuiltinFailure) {
            if arguments.count < count {
                throw BuiltinFailure("template: wrong number of args for \(name): want at least \(count) got \(arguments.count)")
            }
        }
        func joined(spaces: Bool) -> [UInt8] {
            var result: [UInt8] = []
            for (index, argument) in arguments.enumerated() {
                // `print` puts blanks only between two that are no strings.
                if index > 0, spaces || !(argument.isString || arguments[index - 1].isString) { result.append(0x20) }
                result += text(argument)
            }
            return result
        }
        switch name {
        case "not":
            try need(1)
            return Value(!isTrue(arguments[0]))
        case "len":
            try need(1)
            if arguments[0].isString { return Value(arguments[0].utf8.count) }
            guard arguments[0].isCollection else { throw BuiltinFailure("template: len of type \(arguments[0].kind.name)") }
            return Value(arguments[0].count)
        case "index":
            try need(1)
            var value = arguments[0]
            for key in arguments.dropFirst() {
                guard value.isObject || value.isArray else { throw BuiltinFailure("template: can't index item of type \(value.kind.name)") }
                if value.isArray, key.asInt64.map({ $0 < 0 || $0 >= value.count }) ?? true {
                    throw BuiltinFailure("template: index out of range: \(key.numberText ?? key.kind.name)")
                }
                value = value.lookup(key)
            }
            return value
        case "slice":
            try need(1)
            let value = arguments[0]
            let count = value.isString ? value.utf8.count : value.count
            let bounds = arguments.dropFirst().compactMap { $0.asInt64.map { Int($0) } }
            let (from, to) = (bounds.first ?? 0, bounds.count > 1 ? bounds[1] : count)
            guard value.isString || value.isArray, from >= 0, from <= to, to <= count else {
                throw BuiltinFailure("template: index out of range")
            }
            return value.isString ? arena.string(Array(value.utf8[from..<to])) : arena.array(Array(value.elements[from..<to]))
        case "print": return arena.string(joined(spaces: false))
        case "println": return arena.string(joined(spaces: true) + [0x0A])
        case "printf":
            try need(1)
            guard arguments[0].isString else { throw BuiltinFailure("template: wrong type for value; expected string") }
            return arena.string(try GoFormat.sprintf(Array(arguments[0].utf8), arguments.dropFirst().map { GoArgument($0) }))
        case "html": return arena.string(html(joined(spaces: false)))
        case "js": return arena.string(javaScript(joined(spaces: false)))
        case "urlquery": return arena.string(URLCoding.escape(joined(spaces: false), in: .queryComponent))
        case "eq":
            try need(2)
            return Value(arguments.dropFirst().contains { $0 == arguments[0] })
        case "ne":
            try need(2)
            return Value(arguments[0] != arguments[1])
        default:
            try need(2)
            guard arguments[0].kind == arguments[1].kind, arguments[0].isNumber || arguments[0].isString else {
                throw BuiltinFailure("template: incompatible types for comparison")
            }
            let order = Value.compare(arguments[0], arguments[1])
            switch name {
            case "lt": return Value(order < 0)
            case "le": return Value(order <= 0)
            case "gt": return Value(order > 0)
            default: return Value(order >= 0)
            }
        }
    }

    private static func html(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "<"): Array("&lt;".utf8)
            case UInt8(ascii: ">"): Array("&gt;".utf8)
            case UInt8(ascii: "&"): Array("&amp;".utf8)
            case UInt8(ascii: "\""): Array("&#34;".utf8)
            case UInt8(ascii: "'"): Array("&#39;".utf8)
            case 0: Array("\u{FFFD}".utf8)
            default: [byte]
            }
        }
    }

    private static func javaScript(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\\"): Array("\\\\".utf8)
            case UInt8(ascii: "'"): Array("\\'".utf8)
            case UInt8(ascii: "\""): Array("\\\"".utf8)
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "="), 0..<0x20:
                Array("\\u00".utf8) + [ASCII.upperHex[Int(byte >> 4)], ASCII.upperHex[Int(byte & 15)]]
            default: [byte]
            }
        }
    }
}

/// `strings.render_template`.
let templateBuiltins: [Builtin] = [
    Builtin("strings.render_template", [.string, .object(of: .string, .any)], .string) { arguments, context throws(BuiltinFailure) in
        let template = try arguments.bytes(0)
        let data = try arguments.object(1)
        return try context.string(try TemplateRun.render(template, data, context.arena), "strings.render_template")
    }
]

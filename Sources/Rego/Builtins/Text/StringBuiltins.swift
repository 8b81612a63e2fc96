private let stringOrStrings = ValueType.oneOf([.string, .array(of: .string), .set(.string)])

/// `upper`, `split`, `indexof`, …
let stringBuiltins: [Builtin] = [
    Builtin("contains", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        let (text, needle) = (try arguments.string(0), try arguments.string(1))
        return Value(ByteText.contains(needle, in: text))
    },
    Builtin("startswith", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try arguments.string(0).starts(with: try arguments.string(1)))
    },
    Builtin("endswith", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        let (text, suffix) = (try arguments.string(0), try arguments.string(1))
        return Value(text.count >= suffix.count && text[(text.count - suffix.count)...].elementsEqual(suffix))
    },
    Builtin("lower", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Runes.mapped(try arguments.bytes(0), Runes.lower))
    },
    Builtin("upper", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Runes.mapped(try arguments.bytes(0), Runes.upper))
    },
    Builtin("indexof", [.string, .string], .number) { arguments, _ throws(BuiltinFailure) in
        let (text, needle) = (try arguments.bytes(0), try arguments.bytes(1))
        if needle.isEmpty { throw BuiltinFailure("empty search character") }
        guard let found = ByteText.find(needle, in: text) else { return Value(-1) }
        return Value(Runes.count(Array(text[..<found])))
    },
    Builtin("indexof_n", [.string, .string], .array(of: .number)) { arguments, context throws(BuiltinFailure) in
        let (text, needle) = (Runes.all(try arguments.bytes(0)), Runes.all(try arguments.bytes(1)))
        if needle.isEmpty { throw BuiltinFailure("empty search character") }
        var found: [Value] = []
        // Overlapping places count, as in OPA.
        for start in 0..<max(text.count - needle.count + 1, 0) where text[start] == needle[0] {
            if text[start..<(start + needle.count)].elementsEqual(needle) { found.append(Value(start)) }
        }
        return context.arena.array(found)
    },
    Builtin("substring", [.string, .number, .number], .string) { arguments, context throws(BuiltinFailure) in
        let text = try arguments.bytes(0)
        let (offset, length) = (try arguments.int(1), try arguments.int(2))
        if offset < 0 { throw BuiltinFailure("negative offset") }
        let runes = Runes.all(text)
        if offset >= runes.count { return context.arena.string("") }
        let end = length < 0 ? runes.count : min(runes.count, offset + min(length, runes.count))
        return context.arena.string(Runes.bytes(runes[offset..<end]))
    },
    Builtin("split", [.string, .string], .array(of: .string)) { arguments, context throws(BuiltinFailure) in
        let (text, separator) = (try arguments.bytes(0), try arguments.bytes(1))
        if text.count > BuiltinLimits.elementsMax, ByteText.count(separator, in: text) > BuiltinLimits.elementsMax {
            throw .tooLarge("parts", BuiltinLimits.elementsMax)
        }
        return context.arena.strings(ByteText.split(text, by: separator))
    },
    Builtin("strings.split_n", [.string, .string, .number], .array(of: .string)) { arguments, context throws(BuiltinFailure) in
        let (text, separator, count) = (try arguments.bytes(0), try arguments.bytes(1), try arguments.int(2))
        if text.count > BuiltinLimits.elementsMax, ByteText.count(separator, in: text) > BuiltinLimits.elementsMax {
            throw .tooLarge("parts", BuiltinLimits.elementsMax)
        }
        let parts = ByteText.split(text, by: separator)
        // The first so many, or, negative, the last.
        return context.arena.strings(count < 0 ? parts.suffix(Int(clamping: count.magnitude)) : Array(parts.prefix(count)))
    },
    Builtin("replace", [.string, .string, .string], .string) { arguments, context throws(BuiltinFailure) in
        let (text, old, new) = (try arguments.bytes(0), try arguments.bytes(1), try arguments.bytes(2))
        if text.count + (new.count - old.count) * ByteText.count(old, in: text) > BuiltinLimits.stringBytesMax {
            throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax)
        }
        return context.arena.string(ByteText.replace(text, old, with: new))
    },
    Builtin("strings.replace_n", [.object(of: .string, .string), .string], .string) { arguments, context throws(BuiltinFailure) in
        var pairs: [(old: [UInt8], new: [UInt8])] = []
        for (key, value) in try arguments.object(0).entries {
            guard key.isString else { throw BuiltinFailure("operand 1 non-string key found in pattern object", kind: .type) }
            guard value.isString else { throw BuiltinFailure("operand 1 non-string value found in pattern object", kind: .type) }
            pairs.append((Array(key.utf8), Array(value.utf8)))
        }
        let text = try arguments.bytes(1)
        return context.arena.string(try PatternReplacer(pairs).replace(in: text, bytesMax: BuiltinLimits.stringBytesMax))
    },
    Builtin("strings.reverse", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Runes.bytes(Runes.all(try arguments.bytes(0)).reversed()))
    },
    Builtin("strings.count", [.string, .string], .number) { arguments, _ throws(BuiltinFailure) in
        Value(ByteText.count(try arguments.bytes(1), in: try arguments.bytes(0)))
    },
    Builtin("trim", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Trimming.trim(try arguments.bytes(0), ends: [.left, .right], cutset: try arguments.bytes(1)))
    },
    Builtin("trim_left", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Trimming.trim(try arguments.bytes(0), ends: .left, cutset: try arguments.bytes(1)))
    },
    Builtin("trim_right", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Trimming.trim(try arguments.bytes(0), ends: .right, cutset: try arguments.bytes(1)))
    },
    Builtin("trim_prefix", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
        let (text, prefix) = (try arguments.bytes(0), try arguments.bytes(1))
        return ByteText.hasPrefix(text, prefix) ? context.arena.string(Array(text[prefix.count...])) : arguments[0]
    },
    Builtin("trim_suffix", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
        let (text, suffix) = (try arguments.bytes(0), try arguments.bytes(1))
        return ByteText.hasSuffix(text, suffix) ? context.arena.string(Array(text[..<(text.count - suffix.count)])) : arguments[0]
    },
    Builtin("trim_space", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(Trimming.trimSpace(try arguments.bytes(0)))
    },
    Builtin("concat", [.string, .oneOf([.array(of: .string), .set(.string)])], .string) { arguments, context throws(BuiltinFailure) in
        let separator = try arguments.string(0)
        let collection = arguments[1]
        guard collection.isArray || collection.isSet else { throw .operand(2, mustBe: .set, .array, got: collection) }
        var joined: [UInt8] = []
        for index in 0..<collection.count {
            if index > 0 { joined += separator }
            let part = collection.slot(index)
            guard part.isString else { throw .element(2, of: collection, mustBe: "string", got: part) }
            joined += part.utf8
            if joined.count > BuiltinLimits.stringBytesMax { throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax) }
        }
        return context.arena.string(joined)
    },
    Builtin("strings.any_prefix_match", [stringOrStrings, stringOrStrings], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try anyMatch(arguments) { text, prefix in text.starts(with: prefix) })
    },
    Builtin("strings.any_suffix_match", [stringOrStrings, stringOrStrings], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(
            try anyMatch(arguments) { text, suffix in
                text.count >= suffix.count && text[(text.count - suffix.count)...].elementsEqual(suffix)
            })
    },
    Builtin("format_int", [.number, .number], .string) { arguments, context throws(BuiltinFailure) in
        let number = try arguments.number(0)
        let base = try arguments.number(1).asInt64
        guard let base, [2, 8, 10, 16].contains(base) else { throw BuiltinFailure("operand 2 must be one of {2, 8, 10, 16}", kind: .type) }
        // A fraction is dropped.
        guard let integer = number.wholePart else { throw .tooLarge("digits of a number", BuiltinLimits.integerDigitsMax) }
        return context.arena.string(integer.text(base: UInt32(base)))
    },
    Builtin("sprintf", [.string, .anyArray], .string) { arguments, context throws(BuiltinFailure) in
        let format = try arguments.bytes(0)
        let list = try arguments.array(1)
        let formatted = try GoFormat.sprintf(format, (0..<list.count).map { GoArgument(list.slot($0)) })
        return context.arena.string(formatted)
    },
]

private func anyMatch(
    _ arguments: UnsafeBufferPointer<Value>, _ matches: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
) throws(BuiltinFailure) -> Bool {
    for index in 0..<2 {
        let value = arguments[index]
        if value.isString { continue }
        guard value.isArray || value.isSet else { throw .operand(index + 1, mustBe: .string, .set, .array, got: value) }
        for element in value.elements where !element.isString { throw .element(index + 1, of: value, mustBe: "string", got: element) }
    }
    let texts = arguments[0].isString ? [arguments[0]] : arguments[0].elements
    let parts = arguments[1].isString ? [arguments[1]] : arguments[1].elements
    return texts.contains { text in parts.contains { matches(text.utf8, $0.utf8) } }
}

extension Value {
    /// The number without its fraction; nil when it has too many digits.
    var wholePart: BigInteger? {
        if let value = asInt64 { return BigInteger(value) }
        guard isNumber, var decimal = DecimalText(Array(textBytes)), decimal.writtenOutDigits <= BuiltinLimits.integerDigitsMax else {
            return nil
        }
        if decimal.exponent < 0 {
            decimal.digits.removeLast(min(decimal.digits.count, -decimal.exponent))
            decimal.exponent = 0
        }
        var magnitude = Magnitude(decimal: decimal.digits)
        magnitude.multiply(byPowerOfTen: decimal.exponent)
        return BigInteger(isNegative: decimal.isNegative, magnitude: magnitude)
    }
}

extension GoArgument {
    /// As OPA hands a value to Go: integers, then floating-point numbers; strings; anything else as the text of the term.
    init(_ value: Value) {
        if value.isNumber {
            let text = value.numberText ?? "0"
            if let integer = Int64(text) {
                self = .integer(integer)
            } else if text.utf8.count <= BuiltinLimits.integerDigitsMax, let big = BigInteger(text) {
                self = .big(big)
            } else {
                self = .float(value.asDouble ?? 0)
            }
        } else if value.isString {
            self = .string(Array(value.utf8))
        } else {
            self = .string(TermText.bytes(value))
        }
    }
}

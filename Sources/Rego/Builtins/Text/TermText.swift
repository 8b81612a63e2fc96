/// A value as Rego source, as OPA's `Term.String` writes it: `{"a": [1, true]}`, `set()`, `{1, 2}`.
enum TermText {
    static func bytes(_ value: Value) -> [UInt8] {
        var result: [UInt8] = []
        append(value, to: &result)
        return result
    }

    static func append(_ value: Value, to result: inout [UInt8]) {
        switch value.kind {
        case .undefined: result += Array("<undefined>".utf8)
        case .null: result += Array("null".utf8)
        case .boolean: result += Array((value.isTrue ? "true" : "false").utf8)
        case .number: result += Array((value.numberText ?? "").utf8)
        case .string: result += GoQuote.quoted(Array(value.utf8))
        case .array: list(value, "[", "]", to: &result)
        case .set: if value.count == 0 { result += Array("set()".utf8) } else { list(value, "{", "}", to: &result) }
        case .object:
            result.append(UInt8(ascii: "{"))
            for index in 0..<value.count {
                if index > 0 { result += [UInt8(ascii: ","), 0x20] }
                append(value.keys.slot(index), to: &result)
                result += [UInt8(ascii: ":"), 0x20]
                append(value.slot(index), to: &result)
            }
            result.append(UInt8(ascii: "}"))
        }
    }

    private static func list(_ value: Value, _ open: Character, _ close: Character, to result: inout [UInt8]) {
        result.append(open.asciiValue!)
        for index in 0..<value.count {
            if index > 0 { result += [UInt8(ascii: ","), 0x20] }
            append(value.slot(index), to: &result)
        }
        result.append(close.asciiValue!)
    }
}

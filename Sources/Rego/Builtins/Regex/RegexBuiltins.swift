/// `regex.*`.
let regexBuiltins: [Builtin] = [
    Builtin("regex.is_valid", [.string], .boolean) { arguments, context throws(BuiltinFailure) in
        guard arguments[0].isString else { return .false }
        if context.host.regularExpressions == nil { throw .host("regular expressions") }
        let pattern = Array(arguments[0].utf8)
        return Value((try? Pattern.compile(pattern, context)) != nil)
    },
    Builtin("regex.match", [.string, .string], .boolean, match),
    Builtin("re_match", [.string, .string], .boolean, match),
    Builtin("regex.split", [.string, .string], .array(of: .string)) { arguments, context throws(BuiltinFailure) in
        let pattern = try Pattern.compile(try arguments.bytes(0), context)
        return context.arena.strings(try pattern.split(try arguments.bytes(1)))
    },
    Builtin("regex.find_n", [.string, .string, .number], .array(of: .string)) { arguments, context throws(BuiltinFailure) in
        let pattern = try Pattern.compile(try arguments.bytes(0), context)
        let text = try arguments.bytes(1)
        let matches = try pattern.all(in: text, limit: try arguments.int(2))
        return context.arena.strings(matches.map { Array(text[$0[0]..<$0[1]]) })
    },
    Builtin(
        "regex.find_all_string_submatch_n", [.string, .string, .number], .array(of: .array(of: .string))
    ) { arguments, context throws(BuiltinFailure) in
        let pattern = try Pattern.compile(try arguments.bytes(0), context)
        let text = try arguments.bytes(1)
        return context.arena.array(
            try pattern.all(in: text, limit: try arguments.int(2)).map { match in
                context.arena.strings(
                    stride(from: 0, to: match.count, by: 2).map { match[$0] < 0 ? [] : Array(text[match[$0]..<match[$0 + 1]]) })
            })
    },
    Builtin("regex.replace", [.string, .string, .string], .string) { arguments, context throws(BuiltinFailure) in
        let text = try arguments.bytes(0)
        let pattern = try Pattern.compile(try arguments.bytes(1), context)
        return context.arena.string(try pattern.replace(in: text, with: try arguments.bytes(2)))
    },
    Builtin("regex.template_match", [.string, .string, .string, .string], .boolean) { arguments, context throws(BuiltinFailure) in
        let (template, text) = (try arguments.bytes(0), try arguments.bytes(1))
        let (open, close) = (try arguments.bytes(2), try arguments.bytes(3))
        guard open.count == 1, close.count == 1 else {
            throw BuiltinFailure("start and end delimiters must be exactly one character")
        }
        let pattern = try Pattern.compile(try templatePattern(template, open: open[0], close: close[0]), context)
        return Value(text.withUnsafeBytes { pattern.matches($0) })
    },
    Builtin("regex.globs_match", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try GlobIntersection.intersects(try arguments.bytes(0), try arguments.bytes(1)))
    },
]

private func match(_ arguments: UnsafeBufferPointer<Value>, _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    let pattern = try Pattern.compile(try arguments.bytes(0), context)
    return Value(pattern.matches(try arguments.string(1)))
}

/// The whole pattern of a template: what is within delimiters, which may nest, is a pattern, all else stands for itself.
private func templatePattern(_ template: [UInt8], open: UInt8, close: UInt8) throws(BuiltinFailure) -> [UInt8] {
    var pattern: [UInt8] = [UInt8(ascii: "^")]
    var level = 0
    var begin = 0
    var end = 0
    func unbalanced() -> BuiltinFailure {
        BuiltinFailure("unbalanced braces in \(String(decoding: GoQuote.quoted(template), as: UTF8.self))")
    }
    for (index, byte) in template.enumerated() {
        // Equal delimiters cannot nest: they open and close in turn.
        let opens = byte == open && (open != close || level == 0)
        if opens {
            level += 1
            if level == 1 { begin = index }
        } else if byte == close {
            level -= 1
            if level < 0 { throw unbalanced() }
            if level == 0 {
                pattern += quoteMeta(Array(template[end..<begin]))
                pattern += [UInt8(ascii: "(")] + template[(begin + 1)..<index] + [UInt8(ascii: ")")]
                end = index + 1
            }
        }
    }
    if level != 0 { throw unbalanced() }
    return pattern + quoteMeta(Array(template[end...])) + [UInt8(ascii: "$")]
}

private func quoteMeta(_ text: [UInt8]) -> [UInt8] {
    text.flatMap { #"\.+*?()|[]{}^$"#.utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
}

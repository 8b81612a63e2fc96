/// `yaml.*`.
let yamlBuiltins: [Builtin] = [
    Builtin("yaml.marshal", [.any], .string) { arguments, context throws(BuiltinFailure) in
        guard let yaml = context.host.yaml else { throw .host("YAML") }
        // Through JSON, as in OPA: sets become arrays, and keys strings.
        let value = try JSONText.read(try JSONText.bytes(arguments[0]), context.arena)
        var events: [YAMLEvent] = []
        try append(value, context.arena, depth: 0, to: &events)
        let text: [UInt8]
        do throws(HostFailure) {
            text = try yaml.text(of: events)
        } catch {
            throw BuiltinFailure("yaml: \(error.message)")
        }
        return try context.string(text, "yaml.marshal")
    },
    Builtin("yaml.unmarshal", [.string], .any) { arguments, context throws(BuiltinFailure) in
        try read(try arguments.bytes(0), context)
    },
    Builtin("yaml.is_valid", [.string], .boolean) { arguments, context throws(BuiltinFailure) in
        guard arguments[0].isString else { return .false }
        if context.host.yaml == nil { throw .host("YAML") }
        let text = Array(arguments[0].utf8)
        return Value((try? read(text, context)) != nil)
    },
]

private func read(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    guard let yaml = context.host.yaml else { throw .host("YAML") }
    let events: [YAMLEvent]
    do throws(HostFailure) {
        events = try yaml.events(of: text)
    } catch {
        throw BuiltinFailure("yaml: \(error.message)")
    }
    return try YAMLReading.value(of: events, context.arena)
}

private func append(_ value: Value, _ arena: Arena, depth: Int, to events: inout [YAMLEvent]) throws(BuiltinFailure) {
    if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a value", BuiltinLimits.depthMax) }
    switch value.kind {
    case .array, .set:
        events.append(.sequenceStart())
        for element in value.elements { try append(element, arena, depth: depth + 1, to: &events) }
        events.append(.sequenceEnd)
    case .object:
        events.append(.mappingStart())
        for (key, element) in value.entries.sorted(by: { keyPrecedes(Array($0.key.utf8), Array($1.key.utf8)) }) {
            try append(key, arena, depth: depth + 1, to: &events)
            try append(element, arena, depth: depth + 1, to: &events)
        }
        events.append(.mappingEnd)
    case .string:
        let text = Array(value.utf8)
        let style: YAMLEvent.Style =
            text.contains(0x0A) ? .literal : YAMLScalar.isString(text, arena) ? .plain : .doubleQuoted
        events.append(.scalar(value: text, style: style))
    default:
        events.append(.scalar(value: TermText.bytes(value), style: .plain))
    }
}

/// The order of keys in go-yaml: numbers within them by their value ("a2" before "a10"), letters after everything else.
private func keyPrecedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    let (a, b) = (Runes.all(left), Runes.all(right))
    func isDigit(_ rune: UInt32) -> Bool { rune >= 0x30 && rune <= 0x39 }
    func isLetter(_ rune: UInt32) -> Bool { Unicode.Scalar(rune)?.properties.isAlphabetic ?? false }
    for index in 0..<min(a.count, b.count) where a[index] != b[index] {
        switch (isLetter(a[index]), isLetter(b[index])) {
        case (true, true): return a[index] < b[index]
        case (true, false): return false
        case (false, true): return true
        case (false, false): break
        }
        func run(_ runes: [UInt32]) -> (end: Int, value: Int) {
            var (end, value) = (index, 0)
            while end < runes.count, isDigit(runes[end]) {
                value = (value &* 10) &+ Int(runes[end] - 0x30)
                end += 1
            }
            return (end, value)
        }
        let (one, other) = (run(a), run(b))
        if one.value != other.value { return one.value < other.value }
        if one.end != other.end { return one.end < other.end }
        return a[index] < b[index]
    }
    return a.count < b.count
}

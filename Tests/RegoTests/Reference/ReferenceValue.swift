/// Values of the reference interpreter: nothing of the engine's own is used.
indirect enum ReferenceValue: Hashable, Comparable {
    case null
    case boolean(Bool)
    case number(Int)
    case string(String)
    case array([ReferenceValue])
    /// In order of the keys.
    case object([Entry])
    /// In order, each once.
    case set([ReferenceValue])

    struct Entry: Hashable {
        var key: ReferenceValue
        var value: ReferenceValue
    }

    private var rank: Int {
        switch self {
        case .null: 0
        case .boolean: 1
        case .number: 2
        case .string: 3
        case .array: 4
        case .object: 5
        case .set: 6
        }
    }

    static func < (a: ReferenceValue, b: ReferenceValue) -> Bool {
        switch (a, b) {
        case (.boolean(let a), .boolean(let b)): !a && b
        case (.number(let a), .number(let b)): a < b
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.array(let a), .array(let b)), (.set(let a), .set(let b)): a.lexicographicallyPrecedes(b)
        case (.object(let a), .object(let b)):
            // Keys first, pair by pair, then values, then the number of keys: as OPA orders objects.
            if let pair = zip(a, b).first(where: { $0.key != $1.key || $0.value != $1.value }) {
                pair.0.key != pair.1.key ? pair.0.key < pair.1.key : pair.0.value < pair.1.value
            } else {
                a.count < b.count
            }
        default: a.rank < b.rank
        }
    }

    static func set(of members: some Sequence<ReferenceValue>) -> ReferenceValue { .set(Set(members).sorted()) }

    static func object(of entries: [ReferenceValue: ReferenceValue]) -> ReferenceValue {
        .object(entries.map { Entry(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key })
    }

    /// What a key finds.
    func lookup(_ key: ReferenceValue) -> ReferenceValue? {
        switch self {
        case .array(let elements):
            guard case .number(let index) = key, elements.indices.contains(index) else { return nil }
            return elements[index]
        case .object(let entries): return entries.first { $0.key == key }?.value
        case .set(let members): return members.contains(key) ? key : nil
        default: return nil
        }
    }

    /// Everything that can stand in brackets behind it, with what that finds.
    var items: [(key: ReferenceValue, value: ReferenceValue)] {
        switch self {
        case .array(let elements): elements.enumerated().map { (.number($0), $1) }
        case .object(let entries): entries.map { ($0.key, $0.value) }
        case .set(let members): members.map { ($0, $0) }
        default: []
        }
    }

    /// As JSON, in the engine's way of writing it.
    var text: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let value): String(value)
        case .string(let value): "\"\(value)\""
        case .array(let elements), .set(let elements): "[" + elements.map(\.text).joined(separator: ",") + "]"
        case .object(let entries): "{" + entries.map { $0.keyText + ":" + $0.value.text }.sorted().joined(separator: ",") + "}"
        }
    }
}

extension ReferenceValue.Entry {
    /// Keys that are no strings are written as the text of their JSON.
    fileprivate var keyText: String {
        if case .string = key { return key.text }
        return "\"" + key.text.map { $0 == "\"" ? "\\\"" : String($0) }.joined() + "\""
    }
}

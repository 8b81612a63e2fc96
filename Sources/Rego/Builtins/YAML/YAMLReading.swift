/// Turns the events of a YAML document into a value, by the rules of YAML 1.1 as Go's yaml.v2 has them (`yes` is true, `010` is eight).
struct YAMLReading {
    private let events: [YAMLEvent]
    private let arena: Arena
    private var index = 0
    private var anchors: [String: Value] = [:]
    /// What aliases may add up to: a few lines of them unfold to billions of nodes.
    private var nodesLeft = BuiltinLimits.elementsMax
    private var sizes: [String: Int] = [:]

    static func value(of events: [YAMLEvent], _ arena: Arena) throws(BuiltinFailure) -> Value {
        var reading = YAMLReading(events: events, arena: arena)
        if events.isEmpty { return .null }
        return try reading.node(depth: 0)
    }

    private init(events: [YAMLEvent], arena: Arena) {
        self.events = events
        self.arena = arena
    }

    private mutating func node(depth: Int) throws(BuiltinFailure) -> Value {
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a YAML document", BuiltinLimits.depthMax) }
        nodesLeft -= 1
        if nodesLeft < 0 { throw BuiltinFailure("yaml: document contains excessive aliasing") }
        let before = nodesLeft
        let event = events[index]
        index += 1
        let value: Value
        let name: String
        switch event {
        case .scalar(let text, let style, let tag, let anchor):
            value = try YAMLScalar.resolve(text, style: style, tag: tag, arena)
            name = anchor
        case .alias(let anchor):
            guard let known = anchors[anchor] else { throw BuiltinFailure("yaml: unknown anchor '\(anchor)' referenced") }
            nodesLeft -= sizes[anchor] ?? 0
            if nodesLeft < 0 { throw BuiltinFailure("yaml: document contains excessive aliasing") }
            return known
        case .sequenceStart(let anchor):
            var elements: [Value] = []
            while events[index] != .sequenceEnd { elements.append(try node(depth: depth + 1)) }
            index += 1
            value = arena.array(elements)
            name = anchor
        case .mappingStart(let anchor):
            value = try mapping(depth: depth)
            name = anchor
        case .sequenceEnd, .mappingEnd: preconditionFailure("the parser balances its events")
        }
        if !name.isEmpty {
            anchors[name] = value
            sizes[name] = before - nodesLeft + 1
        }
        return value
    }

    private mutating func mapping(depth: Int) throws(BuiltinFailure) -> Value {
        var own: [(key: Value, value: Value)] = []
        var merged: [(key: Value, value: Value)] = []
        while events[index] != .mappingEnd {
            let isMerge = events[index].isMergeKey
            let key = try key(try node(depth: depth + 1))
            let value = try node(depth: depth + 1)
            if isMerge {
                for source in value.isArray ? value.elements.reversed() : [value] {
                    guard source.isObject else { throw BuiltinFailure("yaml: map merge requires map or sequence of maps as the value") }
                    merged += source.entries
                }
            } else {
                own.append((key, value))
            }
        }
        index += 1
        return arena.object(merged + own)
    }

    /// JSON has only strings as keys.
    private func key(_ value: Value) throws(BuiltinFailure) -> Value {
        switch value.kind {
        case .string: return value
        case .number: return arena.string(value.numberText ?? "")
        case .boolean: return arena.string(value.isTrue ? "true" : "false")
        default: throw BuiltinFailure("yaml: unsupported map key of type \(value.kind.name)")
        }
    }
}

extension YAMLEvent {
    fileprivate var isMergeKey: Bool {
        if case .scalar(let value, .plain, let tag, _) = self { return tag.isEmpty && value.elementsEqual("<<".utf8) }
        return false
    }
}

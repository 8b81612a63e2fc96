import CYAML
import Rego

/// YAML by libyaml (MIT licence).
struct LibYAML: HostYAML {
    /// Events of one document. An alias bomb is small as text; what it unfolds to is limited by the engine.
    private static let eventsMax = 2_000_000
    /// Libyaml looks at all open brackets for every token: thousands of them take minutes.
    private static let depthMax = 1000

    func events(of text: [UInt8]) throws(HostFailure) -> [YAMLEvent] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw HostFailure("out of memory") }
        defer { yaml_parser_delete(&parser) }
        let result: Result<[YAMLEvent], HostFailure> = text.withUnsafeBufferPointer { bytes in
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            var events: [YAMLEvent] = []
            var depth = 0
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(&parser, &event) == 1 else { return .failure(Self.failure(parser)) }
                defer { yaml_event_delete(&event) }
                switch event.type {
                case YAML_SCALAR_EVENT: events.append(Self.scalar(event.data.scalar))
                case YAML_ALIAS_EVENT: events.append(.alias(Self.text(event.data.alias.anchor)))
                case YAML_SEQUENCE_START_EVENT: events.append(.sequenceStart(anchor: Self.text(event.data.sequence_start.anchor)))
                case YAML_SEQUENCE_END_EVENT:
                    depth -= 1
                    events.append(.sequenceEnd)
                case YAML_MAPPING_START_EVENT: events.append(.mappingStart(anchor: Self.text(event.data.mapping_start.anchor)))
                case YAML_MAPPING_END_EVENT:
                    depth -= 1
                    events.append(.mappingEnd)
                case YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT: return .success(events)
                default: break
                }
                if event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT { depth += 1 }
                if depth > Self.depthMax { return .failure(HostFailure("exceeded max depth of \(Self.depthMax)")) }
                if events.count > Self.eventsMax { return .failure(HostFailure("document is too large")) }
            }
        }
        return try result.get()
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String {
        guard let pointer else { return "" }
        return String(cString: pointer)
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> YAMLEvent {
        let style: YAMLEvent.Style =
            switch scalar.style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_PLAIN_SCALAR_STYLE: .plain
            default: .literal
            }
        return .scalar(
            value: Array(UnsafeBufferPointer(start: scalar.value, count: scalar.length)), style: style, tag: text(scalar.tag),
            anchor: text(scalar.anchor))
    }

    /// The words of go-yaml, which is a port of libyaml and counts lines its own way.
    private static func failure(_ parser: yaml_parser_t) -> HostFailure {
        var line = parser.context_mark.line != 0 ? parser.context_mark.line : parser.problem_mark.line
        if line != 0 && parser.error == YAML_SCANNER_ERROR { line += 1 }
        let problem = parser.problem.map { String(cString: $0) } ?? "unknown problem parsing YAML content"
        return HostFailure((line != 0 ? "line \(line): " : "") + problem)
    }

    func text(of events: [YAMLEvent]) throws(HostFailure) -> [UInt8] {
        var emitter = yaml_emitter_t()
        guard yaml_emitter_initialize(&emitter) == 1 else { throw HostFailure("out of memory") }
        defer { yaml_emitter_delete(&emitter) }
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        // SAFETY: the emitter calls back only while this function runs, which keeps `output` alive.
        let context = Unmanaged.passUnretained(output).toOpaque()
        yaml_emitter_set_output(
            &emitter,
            { context, buffer, size in
                guard let context, let buffer else { return 0 }
                // SAFETY: `context` is the `output` above, which lives as long as the emitter may call.
                Unmanaged<Output>.fromOpaque(context).takeUnretainedValue().bytes += UnsafeBufferPointer(start: buffer, count: size)
                return 1
            }, context)
        yaml_emitter_set_unicode(&emitter, 1)

        func emit(_ make: (inout yaml_event_t) -> Int32) throws(HostFailure) {
            var event = yaml_event_t()
            guard make(&event) == 1, yaml_emitter_emit(&emitter, &event) == 1 else {
                throw HostFailure(emitter.problem.map { String(cString: $0) } ?? "cannot write YAML")
            }
        }
        try emit { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
        try emit { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
        for event in events {
            switch event {
            case .scalar(let value, let style, _, _):
                let style =
                    switch style {
                    case .plain: YAML_PLAIN_SCALAR_STYLE
                    case .singleQuoted: YAML_SINGLE_QUOTED_SCALAR_STYLE
                    case .doubleQuoted: YAML_DOUBLE_QUOTED_SCALAR_STYLE
                    case .literal: YAML_LITERAL_SCALAR_STYLE
                    }
                try emit { made in
                    var value = value.isEmpty ? [0] : value
                    let count = Int32(event.byteCount)
                    return yaml_scalar_event_initialize(&made, nil, nil, &value, count, 1, 1, style)
                }
            case .sequenceStart: try emit { yaml_sequence_start_event_initialize(&$0, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE) }
            case .sequenceEnd: try emit { yaml_sequence_end_event_initialize(&$0) }
            case .mappingStart: try emit { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE) }
            case .mappingEnd: try emit { yaml_mapping_end_event_initialize(&$0) }
            case .alias: preconditionFailure("aliases are not written")
            }
        }
        try emit { yaml_document_end_event_initialize(&$0, 1) }
        try emit { yaml_stream_end_event_initialize(&$0) }
        return output.bytes
    }
}

extension YAMLEvent {
    fileprivate var byteCount: Int {
        if case .scalar(let value, _, _, _) = self { return value.count }
        return 0
    }
}

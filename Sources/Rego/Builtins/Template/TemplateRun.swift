/// Writes a template with values, as Go's `text/template` does; what is not there is "<undefined>".
struct TemplateRun {
    private enum Flow { case goOn, breakLoop, continueLoop }

    private let definitions: [String: [TemplateNode]]
    private let arena: Arena
    private var output: [UInt8] = []
    private var variables: [(name: String, value: Value)] = []
    /// The variables that hold the index of a `range`, which is an integer for Go, while numbers of the data are text.
    private var indexes: Set<String> = []
    private var stepsLeft = BuiltinLimits.matchStepsMax
    private var depth = 0

    static func render(_ template: [UInt8], _ data: Value, _ arena: Arena) throws(BuiltinFailure) -> [UInt8] {
        let (root, definitions) = try TemplateParser.parse(template)
        var run = TemplateRun(definitions: definitions, arena: arena)
        run.variables = [("", data)]
        _ = try run.write(root, data)
        return run.output
    }

    private init(definitions: [String: [TemplateNode]], arena: Arena) {
        self.definitions = definitions
        self.arena = arena
    }

    private mutating func step() throws(BuiltinFailure) {
        stepsLeft -= 1
        if stepsLeft < 0 { throw .tooLarge("steps of a template", BuiltinLimits.matchStepsMax) }
        if output.count > BuiltinLimits.stringBytesMax { throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax) }
    }

    private mutating func write(_ nodes: [TemplateNode], _ dot: Value) throws(BuiltinFailure) -> Flow {
        depth += 1
        defer { depth -= 1 }
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a template", BuiltinLimits.depthMax) }
        for node in nodes {
            try step()
            switch node {
            case .text(let bytes): output += bytes
            case .action(let pipeline):
                let value = try evaluate(pipeline, dot)
                if pipeline.variables.isEmpty { output += TemplateFunction.text(value) }
            case .conditional(let pipeline, let then, let otherwise), .with(let pipeline, let then, let otherwise):
                let mark = variables.count
                let value = try evaluate(pipeline, dot)
                var inner = dot
                if case .with = node { inner = value }
                let isTrue = isInteger(pipeline) ? value.asInt64 != 0 : TemplateFunction.isTrue(value)
                let flow = try write(isTrue ? then : otherwise, isTrue ? inner : dot)
                variables.removeLast(variables.count - mark)
                if flow != .goOn { return flow }
            case .range(let pipeline, let body, let otherwise): try range(pipeline, body, otherwise, dot)
            case .call(let name, let pipeline):
                guard let body = definitions[name] else { throw BuiltinFailure("template: template \(GoQuote.quoted(name)) not defined") }
                let value = try pipeline.map { pipeline throws(BuiltinFailure) in try evaluate(pipeline, dot) } ?? .undefined
                let kept = variables
                variables = [("", value)]
                _ = try write(body, value)
                variables = kept
            case .breakLoop: return .breakLoop
            case .continueLoop: return .continueLoop
            }
        }
        return .goOn
    }

    private mutating func range(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: Value
    ) throws(BuiltinFailure) {
        let mark = variables.count
        var bare = pipeline
        bare.variables = []
        let value = try evaluate(bare, dot)
        let pairs: [(key: Value, value: Value)]
        switch value.kind {
        case .array, .set: pairs = value.elements.enumerated().map { (Value($0), $1) }
        case .object: pairs = value.entries
        case .undefined, .null: pairs = []
        default: throw BuiltinFailure("template: range can't iterate over \(String(decoding: TemplateFunction.text(value), as: UTF8.self))")
        }
        for (key, element) in pairs {
            try step()
            variables.removeLast(variables.count - mark)
            let values = pipeline.variables.count > 1 ? [key, element] : [element]
            for (name, value) in zip(pipeline.variables, values) { set(name, value, declares: pipeline.declares) }
            if pipeline.variables.count > 1, !value.isObject { indexes.insert(pipeline.variables[0]) }
            if try write(body, element) == .breakLoop { break }
        }
        variables.removeLast(variables.count - mark)
        if pairs.isEmpty { _ = try write(otherwise, dot) }
    }

    /// Whether the pipeline gives what is an integer for Go, so that zero is false.
    private func isInteger(_ pipeline: TemplatePipeline) -> Bool {
        guard let command = pipeline.commands.last, let first = command.first else { return false }
        switch first {
        case .variable(let name): return command.count == 1 && indexes.contains(name)
        case .function("len"), .number: return true
        default: return false
        }
    }

    private mutating func set(_ name: String, _ value: Value, declares: Bool) {
        if !declares, let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }

    private mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: Value) throws(BuiltinFailure) -> Value {
        var value: Value?
        for command in pipeline.commands { value = try evaluate(command, piped: value, dot) }
        let result = value ?? .undefined
        for name in pipeline.variables { set(name, result, declares: pipeline.declares) }
        return result
    }

    private mutating func evaluate(_ command: [TemplateOperand], piped: Value?, _ dot: Value) throws(BuiltinFailure) -> Value {
        try step()
        guard case .function(let name) = command[0] else {
            if command.count > 1 || piped != nil { throw BuiltinFailure("template: can't give argument to non-function") }
            return try evaluate(command[0], dot)
        }
        // `and` and `or` stop at the first that decides.
        if name == "and" || name == "or" {
            var value = Value.undefined
            for operand in command.dropFirst() {
                value = try evaluate(operand, dot)
                if TemplateFunction.isTrue(value) == (name == "or") { return value }
            }
            return piped ?? value
        }
        var arguments: [Value] = []
        for operand in command.dropFirst() { arguments.append(try evaluate(operand, dot)) }
        if let piped { arguments.append(piped) }
        return try TemplateFunction.call(name, arguments, arena)
    }

    private mutating func evaluate(_ operand: TemplateOperand, _ dot: Value) throws(BuiltinFailure) -> Value {
        switch operand {
        case .dot: return dot
        case .variable(let name):
            guard let found = variables.last(where: { $0.name == name }) else {
                throw BuiltinFailure("template: undefined variable \(GoQuote.quoted("$" + name))")
            }
            return found.value
        case .string(let bytes): return arena.string(bytes)
        case .number(let text): return try TemplateFunction.number(text, arena)
        case .boolean(let value): return Value(value)
        case .nothing: return .null
        case .function(let name): return try TemplateFunction.call(name, [], arena)
        case .pipeline(let pipeline): return try evaluate(pipeline, dot)
        case .fields(let base, let names):
            var value = try evaluate(base, dot)
            for name in names {
                switch value.kind {
                case .object: value = value[arena.string(name)]
                case .undefined: break
                case .null: throw BuiltinFailure("template: nil pointer evaluating interface {}.\(name)")
                default: throw BuiltinFailure("template: can't evaluate field \(name) in type \(value.kind.name)")
                }
            }
            return value
        }
    }
}

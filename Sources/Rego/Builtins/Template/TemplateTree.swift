/// A Go text template as a tree.
indirect enum TemplateNode {
    case text([UInt8])
    case action(TemplatePipeline)
    case conditional(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case call(name: String, TemplatePipeline?)
    case breakLoop
    case continueLoop
}

/// `$a, $b := command | command`
struct TemplatePipeline {
    var variables: [String] = []
    /// `:=` makes the variables, `=` changes them.
    var declares = false
    var commands: [[TemplateOperand]] = []
}

indirect enum TemplateOperand {
    case dot
    case variable(String)
    case string([UInt8])
    case number(String)
    case boolean(Bool)
    case nothing
    case function(String)
    case pipeline(TemplatePipeline)
    /// `.a.b` behind another operand.
    case fields(TemplateOperand, [String])
}

struct TemplateParser {
    private let tokens: [TemplateToken]
    private var index = 0
    private var depth = 0
    private(set) var definitions: [String: [TemplateNode]] = [:]

    static func parse(_ text: [UInt8]) throws(BuiltinFailure) -> (root: [TemplateNode], definitions: [String: [TemplateNode]]) {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(text))
        let (nodes, end) = try parser.nodes()
        guard end == nil else { throw BuiltinFailure("template: unexpected {{\(end!)}}") }
        return (nodes, parser.definitions)
    }

    private init(tokens: [TemplateToken]) { self.tokens = tokens }

    private var peek: TemplateToken? { index < tokens.count ? tokens[index] : nil }

    private mutating func skipSpace() {
        while peek == .space { index += 1 }
    }

    private mutating func expectClose() throws(BuiltinFailure) {
        skipSpace()
        guard peek == .close else { throw BuiltinFailure("template: unexpected token in action") }
        index += 1
    }

    /// Up to `{{end}}` or `{{else …}}`, whose word is given back with its action still open.
    private mutating func nodes() throws(BuiltinFailure) -> ([TemplateNode], String?) {
        depth += 1
        defer { depth -= 1 }
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a template", BuiltinLimits.depthMax) }
        var nodes: [TemplateNode] = []
        while let token = peek {
            index += 1
            switch token {
            case .text(let bytes): nodes.append(.text(bytes))
            case .open:
                skipSpace()
                if case .word(let word) = peek, ["end", "else"].contains(word) {
                    index += 1
                    return (nodes, word)
                }
                if let node = try action() { nodes.append(node) }
            default: throw BuiltinFailure("template: unexpected token")
            }
        }
        return (nodes, nil)
    }

    private mutating func action() throws(BuiltinFailure) -> TemplateNode? {
        guard case .word(let word) = peek else { return .action(try pipelineToClose()) }
        switch word {
        case "if", "with", "range":
            index += 1
            let pipeline = try pipelineToClose()
            let (body, otherwise) = try branches(word)
            switch word {
            case "if": return .conditional(pipeline, then: body, otherwise: otherwise)
            case "with": return .with(pipeline, then: body, otherwise: otherwise)
            default: return .range(pipeline, body: body, otherwise: otherwise)
            }
        case "break", "continue":
            index += 1
            try expectClose()
            return word == "break" ? .breakLoop : .continueLoop
        case "define", "block":
            index += 1
            let name = try name()
            skipSpace()
            let pipeline: TemplatePipeline? = word == "block" ? try pipelineToClose() : nil
            if word == "define" { try expectClose() }
            let (body, end) = try nodes()
            guard end == "end" else { throw BuiltinFailure("template: unexpected end of \(word)") }
            try expectClose()
            definitions[name] = body
            return word == "block" ? .call(name: name, pipeline) : nil
        case "template":
            index += 1
            let name = try name()
            skipSpace()
            if peek == .close {
                index += 1
                return .call(name: name, nil)
            }
            return .call(name: name, try pipelineToClose())
        default: return .action(try pipelineToClose())
        }
    }

    private mutating func name() throws(BuiltinFailure) -> String {
        skipSpace()
        guard case .string(let bytes) = peek else { throw BuiltinFailure("template: expected the name of a template") }
        index += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func branches(_ word: String) throws(BuiltinFailure) -> ([TemplateNode], [TemplateNode]) {
        let (body, end) = try nodes()
        guard let end else { throw BuiltinFailure("template: unexpected EOF") }
        if end == "end" {
            try expectClose()
            return (body, [])
        }
        skipSpace()
        if case .word(let next) = peek, next == word, word != "range" {
            // {{else if}} is an {{if}} within the {{else}} that ends with it.
            index += 1
            let pipeline = try pipelineToClose()
            depth += 1
            defer { depth -= 1 }
            if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a template", BuiltinLimits.depthMax) }
            let (then, otherwise) = try branches(word)
            return (
                body,
                [
                    word == "if"
                        ? .conditional(pipeline, then: then, otherwise: otherwise) : .with(pipeline, then: then, otherwise: otherwise)
                ]
            )
        }
        try expectClose()
        let (otherwise, last) = try nodes()
        guard last == "end" else { throw BuiltinFailure("template: expected end; found \(last ?? "EOF")") }
        try expectClose()
        return (body, otherwise)
    }

    private mutating func pipelineToClose() throws(BuiltinFailure) -> TemplatePipeline {
        let pipeline = try pipeline(until: .close)
        return pipeline
    }

    private mutating func pipeline(until end: TemplateToken) throws(BuiltinFailure) -> TemplatePipeline {
        depth += 1
        defer { depth -= 1 }
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a template", BuiltinLimits.depthMax) }
        var pipeline = TemplatePipeline()
        skipSpace()
        readVariables(into: &pipeline)
        var command: [TemplateOperand] = []
        while true {
            skipSpace()
            guard let token = peek else { throw BuiltinFailure("template: unclosed action") }
            if token == end || token == .pipe {
                index += 1
                if command.isEmpty { throw BuiltinFailure("template: missing value for command") }
                pipeline.commands.append(command)
                command = []
                if token == end { return pipeline }
                continue
            }
            command.append(try operand())
        }
    }

    /// `$x :=`, `$i, $x :=`, `$x =`
    private mutating func readVariables(into pipeline: inout TemplatePipeline) {
        let start = index
        var names: [String] = []
        while case .variable(let name) = peek {
            names.append(name)
            index += 1
            skipSpace()
            if peek == .comma {
                index += 1
                skipSpace()
                continue
            }
            break
        }
        if !names.isEmpty, peek == .declare || peek == .assign {
            pipeline.declares = peek == .declare
            pipeline.variables = names
            index += 1
        } else {
            index = start
        }
    }

    private mutating func operand() throws(BuiltinFailure) -> TemplateOperand {
        guard let token = peek else { throw BuiltinFailure("template: unclosed action") }
        index += 1
        var operand: TemplateOperand
        switch token {
        case .field(let name): operand = name.isEmpty ? .dot : .fields(.dot, [name])
        case .variable(let name): operand = .variable(name)
        case .string(let bytes): operand = .string(bytes)
        case .number(let text): operand = .number(text)
        case .word("true"), .word("false"): operand = .boolean(token == .word("true"))
        case .word("nil"): operand = .nothing
        case .word(let name):
            guard TemplateFunction.names.contains(name) else {
                throw BuiltinFailure("template: function \(GoQuote.quoted(name)) not defined")
            }
            operand = .function(name)
        case .parenthesisLeft: operand = .pipeline(try pipeline(until: .parenthesisRight))
        default: throw BuiltinFailure("template: unexpected token in operand")
        }
        var fields: [String] = []
        while case .field(let name) = peek, !name.isEmpty {
            fields.append(name)
            index += 1
        }
        return fields.isEmpty ? operand : .fields(operand, fields)
    }
}

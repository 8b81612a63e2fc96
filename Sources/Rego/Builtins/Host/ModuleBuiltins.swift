import RegoSyntax

/// `rego.parse_module`.
let moduleBuiltins: [Builtin] = [
    Builtin("rego.parse_module", [.string, .string], .object(of: .string, .any)) { arguments, context throws(BuiltinFailure) in
        let source = SourceText(name: try arguments.text(0), text: try arguments.text(1))
        let module: Module
        do throws(SyntaxError) {
            module = try RegoParser.module(source)
        } catch {
            throw BuiltinFailure(error.description)
        }
        return try JSONText.read(module.json(), context.arena)
    }
]

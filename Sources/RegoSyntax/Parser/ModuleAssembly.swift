/// Makes a module of the statements of a text.
struct ModuleAssembly {
    let source: SourceText
    let version: RegoVersion

    func module(of statements: [Statement], comments: [Comment]) throws(SyntaxError) -> Module {
        guard let first = statements.first else {
            throw SyntaxError(file: source.name, problems: [SyntaxProblem(message: "empty module", at: .none)])
        }
        var problems: [SyntaxProblem] = []
        var package: Package?
        if case .package(let found) = first {
            package = found
        } else {
            problems.append(SyntaxProblem(message: "package expected", at: first.location))
        }
        var imports: [Import] = []
        var rules: [Rule] = []
        var version = version
        rules.reserveCapacity(statements.count)
        for statement in statements.dropFirst() {
            switch statement {
            case .package(let found): problems.append(SyntaxProblem(message: "unexpected package", at: found.location))
            case .import(let found):
                imports.append(found)
                if version == .v0, found.isOfRegoV1 { version = .v0CompatV1 }
            case .rule(let rule): rules.append(rule)
            case .body(let body):
                do throws(ConstantRule.Refusal) {
                    rules.append(try ConstantRule.rule(of: body))
                } catch {
                    problems.append(SyntaxProblem(message: error.message, at: body[0].location))
                }
            }
        }
        if version != .v0 {
            for rule in rules { RegoV1Check.all.check(rule, into: &problems) }
        }
        guard problems.isEmpty, let package else { throw SyntaxError(file: source.name, problems: problems) }
        let annotations = AnnotationBlocks.find(in: comments, package: package, imports: imports, rules: rules)
        return Module(
            source: source, version: version, package: package, imports: imports, rules: rules, comments: comments,
            annotations: annotations)
    }
}

extension Import {
    /// `import rego.v1`.
    public var isOfRegoV1: Bool {
        guard path.count == 2, case .variable("rego") = path[0].value, case .string("v1") = path[1].value else { return false }
        return true
    }
}

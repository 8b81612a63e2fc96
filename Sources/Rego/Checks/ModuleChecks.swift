import RegoSyntax

/// What is checked of each module for itself.
struct ModuleChecks {
    let module: Module
    let options: CompileOptions

    private func problem(_ code: String, _ message: String, _ location: Location, _ stage: CompileStage) -> CompileProblem {
        CompileProblem(code: code, message: message, file: module.source.name, location: location, stage: stage)
    }

    private func problems(_ syntax: [SyntaxProblem], _ stage: CompileStage) -> [CompileProblem] {
        syntax.map { problem($0.code, $0.message, $0.location, stage) }
    }

    /// v1's rules for names: v0 keeps to them when it is strict.
    private var isLikeV1: Bool { options.isStrict || module.version != .v0 }

    /// What needs no other module.
    var early: [CompileProblem] {
        var found: [CompileProblem] = []
        for rule in module.rules {
            if let name = rule.head.arguments.lazy.compactMap(Self.root).first {
                let message = "args must not shadow \(name) (use a different variable name)"
                found.append(problem(CompileProblem.compile, message, rule.location, .references))
            }
            for one in LocalVariables.problems(of: rule, isStrict: options.isStrict) {
                found.append(problem(CompileProblem.compile, one.message, one.location, .localVariables))
            }
            for one in VoidCalls.problems(of: rule) { found.append(problem(one.code, one.message, one.location, .voidCalls)) }
        }
        guard isLikeV1 else { return found }
        let check = ModuleCheck(module)
        return found + problems(check.rootNameProblems, .rootNames) + problems(check.importProblems, .imports)
    }

    /// What is only told when nothing else is wrong.
    var late: [CompileProblem] { isLikeV1 ? problems(ModuleCheck(module).deprecatedProblems, .deprecated) : [] }

    /// Imports that nothing uses.
    func unused(besides used: Set<String>) -> [CompileProblem] {
        module.imports.filter { !$0.isOfKeywords && !used.contains($0.name) }.map { one in
            let text = RegoSyntax.TermText.text(ofRef: one.path) + (one.alias.map { " as \($0)" } ?? "")
            return problem(CompileProblem.compile, "import \(text) unused", one.location, .references)
        }
    }

    /// `input` or `data` in a pattern.
    private static func root(_ term: Term) -> String? {
        switch term.value {
        case .ref(let parts):
            if parts.count == 1, case .variable(let name) = parts[0].value, name == "input" || name == "data" { return name }
            return parts.lazy.compactMap(root).first
        case .array(let parts): return parts.lazy.compactMap(root).first
        case .object(let items): return items.lazy.compactMap { root($0.value) }.first
        default: return nil
        }
    }
}

/// Calls of functions that give nothing, where a value is needed.
struct VoidCalls: TreeVisitor {
    private var found: [CompileProblem] = []

    static func problems(of rule: Rule) -> [CompileProblem] {
        var calls = VoidCalls()
        calls.visit(rule)
        return calls.found
    }

    static func problems(of query: Body) -> [CompileProblem] {
        var calls = VoidCalls()
        calls.visit(query)
        return calls.found
    }

    mutating func enter(_ term: Term) -> Bool {
        if case .call(let parts) = term.value, RegoSyntax.TermText.text(of: parts[0]) == "print" {
            found.append(
                CompileProblem(
                    code: CompileProblem.type, message: "\(RegoSyntax.TermText.text(of: term)) used as value", file: "",
                    location: term.location,
                    stage: .voidCalls))
        }
        return true
    }
}

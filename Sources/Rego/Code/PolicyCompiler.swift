import RegoSyntax

/// From modules to functions: the tree, names, safety, recursion, code.
struct PolicyCompiler {
    let modules: [Module]
    let builtins: BuiltinTable
    let host: Host

    func compile() throws(CompileError) -> ProgramBuilder {
        let constants = Constants()
        let tree = RuleTree(modules: modules, constants: constants)
        var problems = tree.problems
        let annotations = AnnotationTable(modules: modules, constants: constants, builtins: builtins, host: host)
        var resolvers: [ObjectIdentifier: Resolver] = [:]
        for module in modules {
            resolvers[ObjectIdentifier(module)] = Resolver(
                tree: tree, builtins: builtins, constants: constants, file: module.source.name, package: module.package.names,
                imports: module.imports)
            resolvers[ObjectIdentifier(module)]?.annotations = annotations
            for rule in module.rules {
                resolvers[ObjectIdentifier(module)]?.namesByRow[rule.location.row, default: []].insert(Resolver.name(rule))
            }
        }
        var resolved: [(group: RuleTree.Group, rules: [(file: String, rule: IRRule)], defaultRule: IRRule?)] = []
        for group in tree.groups {
            var rules: [(file: String, rule: IRRule)] = []
            for source in group.rules {
                guard let resolver = resolvers[ObjectIdentifier(source.module)] else { continue }
                rules.append((source.module.source.name, resolver.rule(source, of: group)))
            }
            let defaultRule = group.defaultRule.flatMap { source in resolvers[ObjectIdentifier(source.module)]?.rule(source, of: group) }
            resolved.append((group, rules, defaultRule))
        }
        var mocked: Set<IRCallee> = []
        for resolver in modules.compactMap({ resolvers[ObjectIdentifier($0)] }) {
            problems.append(contentsOf: resolver.problems)
            mocked.formUnion(resolver.mocked)
        }
        guard problems.isEmpty else { throw CompileError(problems) }
        let checker = TypeChecker(tree: tree, builtins: builtins, documents: TypeTree())
        let dependencies = Dependencies(tree: tree, rules: resolved)
        problems = dependencies.recursions()
        guard problems.isEmpty else { throw CompileError(problems) }
        for index in dependencies.order {
            let (group, rules, defaultRule) = resolved[index]
            let file = group.defaultRule?.module.source.name ?? ""
            checker.check(group, rules + (defaultRule.map { [(file, $0)] } ?? [])) { _ in nil }
        }
        guard checker.problems.isEmpty else { throw CompileError(checker.problems) }
        let builder = ProgramBuilder(tree: tree, builtins: builtins, constants: constants, documents: checker.documents)
        builder.mocked = mocked
        for (group, rules, defaultRule) in resolved { builder.function(group, rules: rules, defaultRule: defaultRule) }
        builder.code.finish()
        if builder.isTooLarge {
            throw CompileError([
                CompileProblem(
                    code: CompileProblem.compile, message: "a rule needs more than \(ProgramLimits.registersMax) values at once", file: "",
                    location: .none, stage: .code)
            ])
        }
        return builder
    }
}

/// Compiles one query against a policy.
struct QueryCompiler {
    let builder: ProgramBuilder

    func compile(_ body: Body, package: [String], imports: [Import], capturesValues: Bool) throws(CompileError) -> Query {
        let resolver = Resolver(
            tree: builder.tree, builtins: builder.builtins, constants: builder.constants, file: "", package: package, imports: imports)
        resolver.scopes.push(pending: declaredNames(body))
        var resolved: IRBody
        var values: [IRTerm] = []
        if capturesValues {
            var all: [IRExpression] = []
            for expression in body {
                let part = resolver.expressions([expression])
                values.append(capture(part.expressions.last, resolver))
                all.append(contentsOf: part.expressions)
            }
            resolved = IRBody(all)
        } else {
            resolved = resolver.expressions(body)
        }
        var safety = Safety(arity: resolver.arity)
        safety.order(resolved, globals: [])
        resolver.reportUnsafe(safety)
        if !resolver.problems.isEmpty { throw CompileError(resolver.problems) }
        let checker = TypeChecker(tree: builder.tree, builtins: builder.builtins, documents: builder.documents)
        checker.isQuery = true
        checker.names = resolver.scopes.names
        let typeProblems = checker.check(resolved, TypeEnvironment(documents: builder.documents))
        if !typeProblems.isEmpty { throw CompileError(typeProblems) }
        var variables: [(name: String, id: LocalID)] = []
        for expression in resolved.expressions {
            IRVariables.all(expression) { id in
                if let name = resolver.scopes.names[id], name != "_", !variables.contains(where: { $0.id == id }) {
                    variables.append((name, id))
                }
            }
        }
        variables.sort { $0.name < $1.name }
        // Functions that only this query replaces are called without asking by rules that were compiled before; so compile those again.
        let needed = resolver.mocked.subtracting(builder.mocked)
        if !needed.isEmpty { builder.recompile(mocking: needed) }
        let compiler = FunctionCompiler(program: builder, file: builder.file(""), arguments: 0)
        let entry = builder.code.words.count
        let result = compiler.query(resolved, values + variables.map { .local($0.id) })
        builder.code.emit(.giveBack, result)
        builder.code.finish()
        builder.functions.append(
            Program.Function(entry: entry, registers: compiler.registerCount, arguments: 0, isMemoised: false, path: []))
        return Query(
            program: Program(builder), function: builder.functions.count - 1, expressionCount: values.count,
            variables: variables.map(\.name))
    }

    /// Makes an expression's value visible; what it gives is the term for it.
    private func capture(_ expression: IRExpression?, _ resolver: Resolver) -> IRTerm {
        guard let expression, !expression.isNegated else { return .constant(.true) }
        switch expression.kind {
        case .term(let term):
            let id = resolver.scopes.generated()
            expression.kind = .unify(.local(id), term)
            return .local(id)
        case .call(let callee, let arguments, nil):
            let id = resolver.scopes.generated()
            expression.kind = .call(callee, arguments, result: .local(id))
            return .local(id)
        case .unify(let a, let b) where expression.bindsNothing:
            guard let equal = resolver.builtins.index("equal") else { return .constant(.true) }
            let id = resolver.scopes.generated()
            expression.kind = .call(.builtin(equal), [a, b], result: .local(id))
            return .local(id)
        default: return .constant(.true)
        }
    }
}

extension FunctionCompiler {
    /// All answers of a body as an array of arrays.
    func query(_ body: IRBody, _ row: [IRTerm]) -> Int {
        let result = newRegister()
        let done = program.code.label()
        program.code.emit(.begin)
        self.body(body, fail: done) { fail in
            var fail = fail
            program.code.emit(.append, evaluate(.array(row), &fail))
            program.code.emit(.jump, to: fail)
        }
        program.code.place(done)
        program.code.emit(.endArray, result)
        return result
    }
}

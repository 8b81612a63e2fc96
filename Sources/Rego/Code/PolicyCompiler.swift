import RegoSyntax

/// What a compilation may be asked for beyond compiling.
public struct CompileOptions: Sendable {
    /// As `opa check --strict`: nothing that is imported, assigned or taken as an argument may be unused, v0 modules keep to v1's names.
    public var isStrict = false
    /// `print` is taken away rather than checked.
    public var erasesPrints = false
    /// The `schemas` of annotations count while types are checked, as they do in `opa check`.
    public var usesSchemaAnnotations = false
    /// JSON Schemas by the reference that annotations give (`schema.input`). The one of `schema` alone is that of the input of all rules.
    public var schemas: [String: Value] = [:]
    /// Rules must not define what data has already. Undefined: not checked.
    public var baseDocuments = Value.undefined
    /// False tries all rules one after another and evaluates each of their expressions: for tests, and for whoever wants to see every expression.
    public var usesIndex = true
    /// False takes policies whose types cannot fit, as policies made by chance are: for tests.
    public var checksTypes = true

    public init() {}
}

/// From modules to functions: the tree, names, safety, recursion, types, code.
struct PolicyCompiler {
    let modules: [Module]
    let builtins: BuiltinTable
    let host: Host
    let options: CompileOptions

    func compile() throws(CompileError) -> ProgramBuilder {
        let constants = Constants()
        let modules = modules.sorted { $0.source.name < $1.source.name }
        let tree = RuleTree(modules: modules, constants: constants)
        var problems = modules.flatMap { ModuleChecks(module: $0, options: options).early }
        problems += RuleConflicts(tree: tree, modules: modules, baseDocuments: options.baseDocuments).problems
        let annotations = AnnotationTable(modules: modules, constants: constants, builtins: builtins, host: host)
        var resolvers: [ObjectIdentifier: Resolver] = [:]
        for module in modules {
            let resolver = Resolver(
                tree: tree, builtins: builtins, constants: constants, file: module.source.name, package: module.package.names,
                imports: module.imports)
            resolver.annotations = annotations
            resolver.erasesPrints = options.erasesPrints
            for rule in module.rules { resolver.namesByRow[rule.location.row, default: []].insert(Resolver.name(rule)) }
            resolvers[ObjectIdentifier(module)] = resolver
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
        for module in modules {
            guard let resolver = resolvers[ObjectIdentifier(module)] else { continue }
            problems += resolver.problems
            mocked.formUnion(resolver.mocked)
            if options.isStrict { problems += ModuleChecks(module: module, options: options).unused(besides: resolver.usedImports) }
        }
        guard problems.isEmpty else { throw CompileError(problems) }
        let checker = TypeChecker(tree: tree, builtins: builtins, documents: TypeTree())
        if let schema = options.schemas["schema"] { checker.documents.put([constants.string("input")], SchemaTypes.type(of: schema)) }
        let dependencies = Dependencies(tree: tree, rules: resolved)
        problems = dependencies.recursions()
        guard problems.isEmpty else { throw CompileError(problems) }
        for index in dependencies.order where options.checksTypes {
            let (group, rules, defaultRule) = resolved[index]
            let file = group.defaultRule?.module.source.name ?? ""
            checker.check(group, rules + (defaultRule.map { [(file, $0)] } ?? [])) { file, rule in
                options.usesSchemaAnnotations || !options.schemas.isEmpty
                    ? checker.overrides(file, rule, annotations, options.schemas) : nil
            }
        }
        guard checker.problems.isEmpty else { throw CompileError(checker.problems) }
        problems = modules.flatMap { ModuleChecks(module: $0, options: options).late }
        guard problems.isEmpty else { throw CompileError(problems) }
        let builder = ProgramBuilder(
            tree: tree, builtins: builtins, constants: constants, documents: checker.documents, usesIndex: options.usesIndex)
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
        let problems =
            resolver.problems
            + LocalVariables.problems(of: body, isStrict: false).map {
                CompileProblem(code: CompileProblem.compile, message: $0.message, file: "", location: $0.location, stage: .localVariables)
            } + VoidCalls.problems(of: body)
        if !problems.isEmpty { throw CompileError(problems) }
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

import RegoSyntax

/// Limits of a program: what the instructions' fields can name.
enum ProgramLimits {
    /// Registers of one function: 16 bits name one. A rule that needs more is refused.
    static let registersMax = 60_000
}

/// Compiles the rules of a tree, one function a group, and queries against them.
final class ProgramBuilder {
    let tree: RuleTree
    let builtins: BuiltinTable
    let constants: Constants
    /// What is known about the types of documents: queries are checked against it.
    let documents: TypeTree
    var code = CodeWriter()
    var functions: [Program.Function] = []
    var mocked: Set<IRCallee> = []
    var isTooLarge = false
    /// False: rules are tried one after another, as the differential tests compare.
    let usesIndex: Bool
    private(set) var indices: [RuleIndex] = []
    private(set) var files: [String] = []
    private(set) var unsafe: [LocalID] = []
    private var temporaries = 1 << 40
    private var sources: [(group: RuleTree.Group, rules: [(file: String, rule: IRRule)], defaultRule: IRRule?)] = []

    init(tree: RuleTree, builtins: BuiltinTable, constants: Constants, documents: TypeTree, usesIndex: Bool = true) {
        self.usesIndex = usesIndex
        self.documents = documents
        self.tree = tree
        self.builtins = builtins
        self.constants = constants
    }

    /// A variable that only the code generator knows.
    func temporary() -> LocalID {
        temporaries += 1
        return temporaries
    }

    func unsafeVariable(_ id: LocalID) { unsafe.append(id) }

    func file(_ name: String) -> Int {
        if let found = files.lastIndex(of: name) { return found }
        files.append(name)
        return files.count - 1
    }

    func addIndex(_ index: RuleIndex) -> Int {
        indices.append(index)
        return indices.count - 1
    }

    func pathConstant(_ path: [Value]) -> Int { constants.index(of: constants.arena.array(path)) }

    /// Functions of the tree come first, then built-ins.
    func calleeNumber(_ callee: IRCallee) -> Int {
        switch callee {
        case .group(let index): index
        case .builtin(let index): tree.groups.count + index
        }
    }

    /// The same functions, to which a query can be added.
    func copy() -> ProgramBuilder {
        let other = ProgramBuilder(
            tree: tree, builtins: builtins, constants: Constants(on: constants), documents: documents, usesIndex: usesIndex)
        other.code = code
        other.functions = functions
        other.mocked = mocked
        other.files = files
        other.indices = indices
        other.sources = sources
        other.temporaries = temporaries
        return other
    }

    /// Writes all functions again, with calls that ask before they go.
    func recompile(mocking callees: Set<IRCallee>) {
        mocked.formUnion(callees)
        code = CodeWriter()
        functions = []
        indices = []
        let sources = sources
        self.sources = []
        for (group, rules, defaultRule) in sources { function(group, rules: rules, defaultRule: defaultRule) }
        code.finish()
    }

    /// Writes the function of a group.
    func function(_ group: RuleTree.Group, rules: [(file: String, rule: IRRule)], defaultRule: IRRule?) {
        sources.append((group, rules, defaultRule))
        let entry = code.words.count
        let compiler = FunctionCompiler(program: self, file: rules.first.map { file($0.file) } ?? 0, arguments: group.arity)
        switch group.kind {
        case .complete, .function: compiler.complete(group, rules.map { (file($0.file), $0.rule) }, defaultRule)
        case .set, .dynamic: compiler.partial(group, rules.map { (file($0.file), $0.rule) })
        }
        functions.append(
            Program.Function(
                entry: entry, registers: compiler.registerCount, arguments: group.arity,
                isMemoised: group.arity == 0 && group.kind != .function,
                path: group.path))
    }
}

extension FunctionCompiler {
    /// A complete rule or a function: all its rules must agree.
    func complete(_ group: RuleTree.Group, _ rules: [(Int, IRRule)], _ defaultRule: IRRule?) {
        let result = newRegister()
        let done = program.code.label()
        let conflict = group.kind == .function ? 1 : 0
        let values = rules.flatMap { $0.1.branches.map { isConstant($0.value) } }
        // When all say the same, the first that holds decides.
        let isDecidedAtOnce = !values.isEmpty && values.allSatisfy { $0 != nil && $0 == values[0] }
        program.code.emit(.clear, result)
        indexed(rules) { rule, after in
            if rule.branches.count == 1 {
                branch(rule.branches[0], fail: after) { value, fail in
                    program.code.emit(.merge, result, value, conflict)
                    program.code.emit(.jump, to: isDecidedAtOnce ? done : (isConstant(rule.branches[0].value) != nil ? after : fail))
                }
                return
            }
            let chain = newRegister()
            let merge = program.code.label()
            program.code.emit(.clear, chain)
            for one in rule.branches {
                let next = program.code.label()
                branch(one, fail: next) { value, fail in
                    program.code.emit(.merge, chain, value, conflict)
                    program.code.emit(.jump, to: isConstant(one.value) != nil ? merge : fail)
                }
                program.code.place(next)
                program.code.emit(.ifDefined, chain, to: merge)
            }
            program.code.emit(.jump, to: after)
            program.code.place(merge)
            program.code.emit(.merge, result, chain, conflict)
        }
        if let value = defaultRule?.branches.first {
            program.code.emit(.ifDefined, result, to: done)
            branch(value, fail: done) { register, _ in program.code.emit(.move, result, register) }
        }
        program.code.place(done)
        program.code.emit(.giveBack, result)
    }

    /// A set, or an object whose keys are variables.
    func partial(_ group: RuleTree.Group, _ rules: [(Int, IRRule)]) {
        program.code.emit(.begin)
        indexed(rules) { rule, after in
            for (position, one) in rule.branches.enumerated() {
                let next = position == rule.branches.count - 1 ? after : program.code.label()
                branch(one, fail: next) { value, fail in
                    if group.kind == .set {
                        program.code.emit(.append, value)
                    } else {
                        var fail = fail
                        let path = evaluate(.array(one.path), &fail)
                        program.code.emit(.appendPath, path, value, one.isElement ? 1 : 0)
                    }
                    program.code.emit(.jump, to: fail)
                }
                if next != after { program.code.place(next) }
            }
        }
        let result = newRegister()
        if group.kind == .set { program.code.emit(.endSet, result) } else { program.code.emit(.endNested, result) }
        program.code.emit(.giveBack, result)
    }

    /// One branch: its parameters, its body, its value.
    private func branch(_ branch: IRBranch, fail: Label, success: (_ value: Int, _ fail: Label) -> Void) {
        inScope {
            var fail = fail
            for (index, argument) in branch.arguments.enumerated() { match(argument, index, &fail) }
            body(branch.body, fail: fail) { fail in
                var fail = fail
                let value = evaluate(branch.value, &fail)
                success(value, fail)
            }
        }
    }
}

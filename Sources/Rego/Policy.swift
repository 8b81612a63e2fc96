import RegoSyntax
import Synchronization

/// Compiled modules. Queries are compiled against it; it may be shared by all threads.
public final class Policy: Sendable {
    public let modules: [Module]
    public let builtins: BuiltinTable
    private let state: Mutex<State>

    // SAFETY: only used while the mutex is held.
    private struct State: @unchecked Sendable {
        let builder: ProgramBuilder
    }

    /// - Parameters:
    ///   - host: reads the YAML of annotations; policies without `rego.metadata` calls need none.
    /// - Throws: `CompileError` with all that is wrong with the modules.
    public init(
        modules: [Module], builtins: BuiltinTable = .standard, host: Host = Host(), options: CompileOptions = CompileOptions()
    ) throws(CompileError) {
        self.modules = modules
        self.builtins = builtins
        let compiled = try PolicyCompiler(modules: modules, builtins: builtins, host: host, options: options).compile()
        state = Mutex(State(builder: compiled))
    }

    /// Compiles a query.
    ///
    /// - Parameters:
    ///   - package: its rules may be called by their name alone.
    ///   - capturesValues: also gives the value of each expression, and a false one does not end the query; as `opa eval` shows them.
    public func query(_ body: Body, package: [String] = [], imports: [Import] = [], capturesValues: Bool = false) throws(CompileError)
        -> Query
    {
        let result: Result<Query, CompileError> = state.withLock { state in
            do throws(CompileError) {
                return .success(
                    try QueryCompiler(builder: state.builder.copy()).compile(
                        body, package: package, imports: imports, capturesValues: capturesValues))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// A compiled query. Immutable; each thread evaluates it with an `Evaluator` of its own.
public final class Query: Sendable {
    let program: Program
    let function: Int
    /// Values of expressions that each answer begins with; 0 unless they were asked for.
    public let expressionCount: Int
    /// The names of the variables whose values each answer ends with.
    public let variables: [String]

    init(program: Program, function: Int, expressionCount: Int, variables: [String]) {
        self.program = program
        self.function = function
        self.expressionCount = expressionCount
        self.variables = variables
    }

    /// Reads JSON for this query: strings that the policy knows are shared with it, so that comparing them is comparing addresses.
    public func read(_ bytes: [UInt8], into arena: Arena) throws(JSONError) -> Value {
        try JSONReader.read(bytes, into: arena, pool: program.constantStore.pool)
    }

    /// The same data with its strings pooled and its own memory, for this query alone. Costs a walk over all of it; do it once, before
    /// evaluators run.
    public func adopt(_ data: Value) -> Value { program.constantStore.adopt(data) }
}

/// Evaluates a query again and again. Belongs to one thread at a time.
public final class Evaluator {
    public let query: Query
    private let machine: Machine

    public init(_ query: Query, host: Host = Host(), limits: EvaluationLimits = EvaluationLimits(), isStrict: Bool = false) {
        self.query = query
        machine = Machine(query.program, host: host, limits: limits, isStrict: isStrict)
    }

    /// Where the input may be read into. Emptied by `reset()`.
    public var arena: Arena { machine.arena }

    /// The first failure of a built-in in the last evaluation.
    public var builtinFailure: EvaluationError? { machine.builtinFailure }

    public func reset() { machine.arena.reset() }

    /// All answers: an array of arrays, each with the values of the expressions and then of the variables. It lives until `reset()`.
    ///
    /// - Parameter input: undefined when there is none.
    public func evaluate(input: Value = .undefined, data: Value = .emptyObject) throws(EvaluationError) -> Value {
        try machine.evaluate(query.function, input: input, data: data)
    }

    /// Each answer as an object of its variables.
    public func bindings(input: Value = .undefined, data: Value = .emptyObject) throws(EvaluationError) -> [Value] {
        let names = query.variables.map { machine.arena.string($0) }
        return try evaluate(input: input, data: data).elements.map { row in
            var entries: [(key: Value, value: Value)] = []
            for (index, name) in names.enumerated() { entries.append((name, row.slot(query.expressionCount + index))) }
            return machine.arena.object(entries)
        }
    }
}

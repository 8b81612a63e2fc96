import RegoSyntax

/// Runs a program. One machine belongs to one thread at a time and is used again and again; a warm evaluation allocates nothing.
final class Machine {
    let program: Program
    let arena: Arena
    let builtinContext: BuiltinContext
    let limits: EvaluationLimits
    let registers: UnsafeMutablePointer<Value>
    let frames: UnsafeMutablePointer<Frame>
    let memo: UnsafeMutablePointer<Value>
    var touched: [Int] = []
    var lists = ListBuilder()
    var contexts: [EvaluationContext] = []
    var context = 0
    /// Those of the context of now, at hand for the loop.
    var input = Value.undefined
    var data = Value.undefined
    var frameCount = 0
    /// Ask a context before a rule or function is called.
    var asksContext = false
    var stepsLeft = 0
    let isStrict: Bool
    /// The first failure of a built-in, which made something undefined.
    var builtinFailure: EvaluationError?

    static let registersMax = 1 << 20
    private static let absent = Value(bits: 0, tag: .max, length: 0)

    struct Frame {
        var returnTo: Int32
        var failTo: Int32
        var base: Int32
        var result: Int32
        var function: Int32
        var contextCount: Int32
        var context: Int32
    }

    init(_ program: Program, host: Host, limits: EvaluationLimits, isStrict: Bool) {
        self.program = program
        self.limits = limits
        self.isStrict = isStrict
        arena = Arena()
        arena.bytesMax = limits.memoryBytesMax
        builtinContext = BuiltinContext(arena: arena, host: host, limits: limits)
        registers = .allocate(capacity: Machine.registersMax)
        frames = .allocate(capacity: limits.depthMax + 1)
        memo = .allocate(capacity: max(program.functions.count, 1))
        memo.initialize(repeating: Machine.absent, count: max(program.functions.count, 1))
    }

    deinit {
        registers.deallocate()
        frames.deallocate()
        memo.deallocate()
    }

    /// Evaluates a function without arguments, usually a query.
    func evaluate(_ function: Int, input: Value, data: Value) throws(EvaluationError) -> Value {
        for index in touched { memo[index] = Machine.absent }
        touched.removeAll(keepingCapacity: true)
        lists.reset()
        contexts.removeAll(keepingCapacity: true)
        contexts.append(EvaluationContext(input: input, data: data))
        enter(0)
        frameCount = 0
        stepsLeft = limits.stepsMax
        builtinFailure = nil
        builtinContext.beginQuery()
        return try invoke(function, base: 0)
    }

    // MARK: memo

    @inline(__always) func remembered(_ function: Int) -> Value? {
        if context == 0 {
            let value = memo[function]
            return value.tag == .max ? nil : value
        }
        return contexts[context].memo[function]
    }

    @inline(__always) func remember(_ function: Int, _ value: Value) {
        if context == 0 {
            memo[function] = value
            touched.append(function)
        } else {
            contexts[context].memo[function] = value
        }
    }

    // MARK: errors

    func failure(_ code: EvaluationError.Code, _ message: String, at word: Int) -> EvaluationError {
        let place = program.place(of: word)
        return EvaluationError(code: code, message: message, file: place?.file ?? "", location: place?.location ?? .none)
    }

    func conflict(_ kind: Int, at word: Int) -> EvaluationError {
        let message: String
        switch kind {
        case 0: message = "complete rules must not produce multiple outputs"
        case 1: message = "functions must not produce multiple outputs for same inputs"
        default: message = "object keys must be unique"
        }
        return failure(.conflict, message, at: word)
    }

    func checkLimits(at word: Int) throws(EvaluationError) {
        if arena.isExhausted { throw failure(.limit, "the evaluation needs more than \(limits.memoryBytesMax) bytes", at: word) }
        if builtinContext.isCancelled() { throw failure(.cancelled, "caller cancelled query execution", at: word) }
    }

    // MARK: built-ins

    /// Calls a built-in; undefined when it failed and failing is not an error.
    func callBuiltin(_ index: Int, _ arguments: UnsafeBufferPointer<Value>, at word: Int) throws(EvaluationError) -> Value {
        let builtin = program.builtins.all[index]
        stepsLeft -= 16
        do throws(BuiltinFailure) {
            let value = try builtin.call(arguments, builtinContext)
            if arena.isExhausted { try checkLimitsTyped(at: word) }
            return value
        } catch {
            let code: EvaluationError.Code
            switch error.kind {
            case .type: code = .type
            case .refused: code = .builtin
            case .conflict: code = .conflict
            }
            let message = error.message.hasPrefix(builtin.name + ":") ? error.message : builtin.name + ": " + error.message
            let failure = failure(code, message, at: word)
            if isStrict || error.kind == .conflict { throw failure }
            if builtinFailure == nil { builtinFailure = failure }
            return .undefined
        }
    }

    private func checkLimitsTyped(at word: Int) throws(BuiltinFailure) {
        throw BuiltinFailure("the evaluation needs more than \(limits.memoryBytesMax) bytes")
    }

    // MARK: with

    func beginContext() -> Int {
        var made = contexts[context]
        made.memo = [:]
        contexts.append(made)
        return contexts.count - 1
    }

    func enter(_ index: Int) {
        context = index
        input = contexts[index].input
        data = contexts[index].data
        asksContext = !contexts[index].replaced.isEmpty || !contexts[index].functions.isEmpty
    }

    // MARK: calls from outside of the loop

    /// The value of a function without arguments, or with those that lie at `base`.
    func invoke(_ function: Int, base: Int) throws(EvaluationError) -> Value {
        if asksContext, let value = contexts[context].replacement(of: program.functions[function].path) { return value }
        let isMemoised = program.functions[function].isMemoised
        if isMemoised, let value = remembered(function) { return value }
        let bottom = frameCount
        let entry = program.functionTable[function]
        guard base + Int(entry.registers) < Machine.registersMax, frameCount < limits.depthMax else {
            throw failure(.limit, "rules are nested more than \(limits.depthMax) deep", at: Int(entry.entry))
        }
        let before = (context, contexts.count)
        frames[frameCount] = Frame(
            returnTo: -1, failTo: -1, base: Int32(base), result: 0, function: Int32(function), contextCount: Int32(contexts.count),
            context: Int32(context))
        frameCount += 1
        let value = try run(Int(entry.entry), base, bottom)
        if contexts.count > before.1 { contexts.removeLast(contexts.count - before.1) }
        if context != before.0 { enter(before.0) }
        if isMemoised { remember(function, value) }
        return value
    }

    /// Where registers above the running function are free.
    func free(_ function: Int, _ base: Int) -> Int { base + program.functions[function].registers }
}

import RegoSyntax

/// Runs a program. One machine belongs to one thread at a time and is used again and again; a warm evaluation allocates nothing.
final class Machine {
    let program: Program
    let arena: Arena
    let builtinContext: BuiltinContext
    let limits: EvaluationLimits
    let registers: UnsafeMutablePointer<Value>
    let frames: UnsafeMutablePointer<Frame>
    /// The documents that were evaluated in the query's context.
    let memo: UnsafeMutablePointer<Value>
    /// Which of them, to be forgotten before the next evaluation.
    private let touched: UnsafeMutablePointer<Int32>
    private var touchedCount = 0
    var lists = ListBuilder()
    /// The first one is the query's, and stands for `root`.
    private(set) var contexts: [EvaluationContext] = [EvaluationContext(input: .undefined, data: .undefined)]
    private(set) var contextCount = 1
    private var root = (input: Value.undefined, data: Value.undefined)
    var context = 0
    /// Those of the context of now, at hand for the loop.
    var input = Value.undefined
    var data = Value.undefined
    var frameCount = 0
    /// Ask a context before a rule or function is called.
    var asksContext = false
    /// Steps until the limits are looked at, and those that are left after that.
    var ticks = 0
    private var stepsBehind = 0
    let isStrict: Bool
    /// The first failure of a built-in, which made something undefined.
    var builtinFailure: EvaluationError?

    static let registersMax = 1 << 20
    /// What no value is: not remembered, not replaced.
    @inline(__always) static var absent: Value { Value(bits: 0, tag: .max, length: 0) }
    private static let ticksMax = 4096

    struct Frame {
        var returnTo: Int32
        var failTo: Int32
        var base: Int32
        /// The first register above the function's.
        var top: Int32
        var result: Int32
        var function: Int32
        var contextCount: Int32
        var context: Int32
    }

    init(_ program: Program, host: Host, limits: EvaluationLimits, isStrict: Bool) {
        self.program = program
        self.limits = limits
        self.isStrict = isStrict
        arena = Arena(bytesMax: limits.memoryBytesMax)
        builtinContext = BuiltinContext(arena: arena, host: host, limits: limits)
        registers = .allocate(capacity: Machine.registersMax)
        frames = .allocate(capacity: limits.depthMax + 1)
        memo = .allocate(capacity: max(program.functions.count, 1))
        memo.initialize(repeating: Machine.absent, count: max(program.functions.count, 1))
        touched = .allocate(capacity: max(program.functions.count, 1))
    }

    deinit {
        registers.deallocate()
        frames.deallocate()
        memo.deallocate()
        touched.deallocate()
    }

    /// Evaluates a function without arguments, usually a query.
    func evaluate(_ function: Int, input: Value, data: Value) throws(EvaluationError) -> Value {
        for index in 0..<touchedCount { memo[Int(touched[index])] = Machine.absent }
        touchedCount = 0
        lists.reset()
        dropContexts(to: 1)
        root = (input, data)
        enter(0)
        frameCount = 0
        ticks = min(limits.stepsMax, Machine.ticksMax)
        stepsBehind = limits.stepsMax - ticks
        builtinFailure = nil
        builtinContext.beginQuery()
        return try invoke(function, base: 0)
    }

    /// Looks at the limits, and gives the next steps.
    @inline(never) func step(at word: Int) throws(EvaluationError) {
        let left = stepsBehind + ticks
        if left < 0 { throw failure(.limit, "the evaluation takes more than \(limits.stepsMax) steps", at: word) }
        ticks = min(left, Machine.ticksMax)
        stepsBehind = left - ticks
        try checkLimits(at: word)
    }

    // MARK: memo

    /// What is known of a document; `absent` when it was not evaluated in this context.
    @inline(__always) func remembered(_ function: Int) -> Value {
        context == 0 ? memo[function] : contexts[context].memo[function] ?? Machine.absent
    }

    @inline(__always) func remember(_ function: Int, _ value: Value) {
        if context == 0 {
            if memo[function].tag == .max {
                touched[touchedCount] = Int32(truncatingIfNeeded: function)
                touchedCount &+= 1
            }
            memo[function] = value
        } else {
            rememberInContext(function, value)
        }
    }

    @inline(never) private func rememberInContext(_ function: Int, _ value: Value) { contexts[context].memo[function] = value }

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
        ticks -= 16
        do throws(BuiltinFailure) {
            let value = try program.builtinCalls[index](arguments, builtinContext)
            if arena.isExhausted { try checkLimitsTyped(at: word) }
            return value
        } catch {
            let builtin = program.builtins.all[index]
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
        made.input = input
        made.data = data
        made.memo = [:]
        contexts.append(made)
        contextCount += 1
        return contextCount - 1
    }

    func changeContext(_ index: Int, _ change: (inout EvaluationContext) -> Void) { change(&contexts[index]) }

    @inline(__always) func dropContexts(to count: Int) {
        if contextCount > count { dropManyContexts(to: count) }
    }

    @inline(never) private func dropManyContexts(to count: Int) {
        contexts.removeLast(contextCount - count)
        contextCount = count
    }

    @inline(__always) func enter(_ index: Int) {
        context = index
        if index == 0 {
            input = root.input
            data = root.data
            asksContext = false
        } else {
            enterOther(index)
        }
    }

    @inline(never) private func enterOther(_ index: Int) {
        input = contexts[index].input
        data = contexts[index].data
        asksContext = !contexts[index].replaced.isEmpty || !contexts[index].functions.isEmpty
    }

    // MARK: calls from outside of the loop

    /// The value of a function without arguments, or with those that lie at `base`.
    func invoke(_ function: Int, base: Int) throws(EvaluationError) -> Value {
        let entry = program.functionTable[function]
        if asksContext, let value = contexts[context].replacement(of: program.functions[function].path) { return value }
        if entry.isMemoised {
            let known = remembered(function)
            if known.tag != .max { return known }
        }
        let bottom = frameCount
        guard base + Int(entry.registers) < Machine.registersMax, frameCount < limits.depthMax else {
            throw failure(.limit, "rules are nested more than \(limits.depthMax) deep", at: Int(entry.entry))
        }
        let before = (context: context, count: contextCount)
        frames[frameCount] = Frame(
            returnTo: -1, failTo: -1, base: Int32(base), top: Int32(base) + entry.registers, result: 0, function: Int32(function),
            contextCount: Int32(before.count), context: Int32(before.context))
        frameCount += 1
        let value = try run(Int(entry.entry), base, bottom)
        dropContexts(to: before.count)
        if context != before.context { enter(before.context) }
        if entry.isMemoised { remember(function, value) }
        return value
    }

    /// Where registers above the running function are free.
    func free(_ function: Int, _ base: Int) -> Int { base + program.functions[function].registers }
}

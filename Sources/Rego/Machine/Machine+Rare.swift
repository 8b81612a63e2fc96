/// What the loop calls: instructions that are seldom run, or do so much that the call does not count.
extension Machine {
    /// Instructions that build collections, go through documents, and change the context. Gives where the code goes on.
    @inline(never) func rare(_ op: Op, _ at: Int, _ a: Int, _ b: Int, _ c: Int, _ base: Int) throws(EvaluationError) -> Int {
        let r = registers + base
        var pc = at
        let second = pc < program.wordCount ? program.words[pc] : 0
        switch op {
        case .mockedBuiltin:
            let value: Value
            if asksContext, let replaced = try mocked(program.groupCount + operand(second), r, b, c, base, at: pc) {
                value = replaced
            } else {
                value = try callBuiltin(operand(second), UnsafeBufferPointer(start: r + b, count: c), at: pc)
            }
            r[a] = value
            pc = value.isUndefined ? target(second) : pc + 1
        case .appendPair:
            lists.append(r[a])
            lists.append(r[b])
        case .appendPath:
            lists.append(r[a])
            lists.append(r[b])
            lists.append(Value(c == 1))
        case .endSet: r[a] = lists.endSet(arena)
        case .endObject:
            guard let value = lists.endObject(arena) else { throw conflict(2, at: pc) }
            r[a] = value
        case .endNested:
            guard let value = lists.endNested(arena) else { throw conflict(2, at: pc) }
            r[a] = value
        case .makeSet: r[a] = arena.set(Array(UnsafeBufferPointer(start: r + b, count: c)))
        case .makeObject:
            var entries: [(key: Value, value: Value)] = []
            for index in stride(from: b, to: b + c, by: 2) { entries.append((r[index], r[index + 1])) }
            r[a] = arena.object(entries)
        case .isArray: pc = r[a].isArray && r[a].count == operand(second) ? pc + 1 : target(second)
        case .isObject: pc = r[a].isObject && r[a].count == operand(second) ? pc + 1 : target(second)
        case .node:
            try startNode(a, operand(second), base)
            pc += 1
        case .nodeGet:
            try nodeGet(a, b, r[c], base)
            pc = r[a].isUndefined && r[a + 1].isUndefined ? target(second) : pc + 1
        case .nodeScan:
            r[a] = nodeKeys(b, base)
            r[a + 1] = Value(0)
            pc = r[a].isCollection ? pc + 1 : target(second)
        case .nodeValue:
            r[a] = try nodeValue(b, base)
            pc = r[a].isUndefined ? target(second) : pc + 1
        case .withBegin:
            r[b] = Value(context)
            r[a] = Value(beginContext())
        case .withInput, .withData, .withValue, .withFunction:
            changeContext(op, Int(r[a].bits), op == .withFunction ? .undefined : r[b], b, operand(second))
            pc += 1
        case .context: enter(Int(r[a].bits))
        default: throw failure(.internalError, op == .stop ? "the code ended" : "unknown instruction", at: pc)
        }
        if arena.isExhausted { try checkLimits(at: pc) }
        return pc
    }

    private func changeContext(_ op: Op, _ index: Int, _ value: Value, _ replacement: Int, _ d: Int) {
        changeContext(index) { context in
            switch op {
            case .withInput:
                context.input = arena.replacing(context.input, at: program.constants[d].elements[...], with: value)
            case .withData:
                let path = program.constants[d].elements
                context.data = arena.replacing(context.data, at: path[...], with: value)
                context.replaced.insert((path, value), at: 0)
            case .withValue: context.functions[d] = .value(value)
            default: context.functions[d] = .function(replacement)
            }
        }
    }

    /// The answer of what stands in the place of a rule or a function; nil when nothing does.
    func mocked(_ callee: Int, _ r: UnsafeMutablePointer<Value>, _ b: Int, _ c: Int, _ base: Int, at pc: Int)
        throws(EvaluationError) -> Value?
    {
        let current = contexts[context]
        if callee < program.groupCount, let value = current.replacement(of: program.functions[callee].path) { return value }
        switch current.functions[callee] {
        case nil: return nil
        case .value(let value): return value
        case .function(let other):
            if other >= program.groupCount {
                return try callBuiltin(other - program.groupCount, UnsafeBufferPointer(start: r + b, count: c), at: pc)
            }
            let newBase = free(Int(frames[frameCount - 1].function), base)
            for index in 0..<c { registers[newBase + index] = r[b + index] }
            // Inside of the replacement the original is itself again.
            let before = contexts[context].functions
            let index = context
            changeContext(index) { $0.functions[callee] = nil }
            defer { changeContext(index) { $0.functions = before } }
            return try invoke(other, base: newBase)
        }
    }
}

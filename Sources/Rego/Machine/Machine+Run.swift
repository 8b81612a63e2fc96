extension Machine {
    /// The loop. Ends when the frame at `bottom` gives its value back.
    func run(_ entry: Int, _ startBase: Int, _ bottom: Int) throws(EvaluationError) -> Value {
        let code = UnsafePointer(program.words)
        let constants = UnsafePointer(program.constants)
        let table = UnsafePointer(program.functionTable)
        let views = UnsafePointer(program.indexViews)
        let registers = registers
        var pc = entry
        var base = startBase
        var r = registers + base
        while true {
            let word = code[pc]
            pc &+= 1
            let a = Int(truncatingIfNeeded: (word &>> 16) & 0xFFFF)
            let b = Int(truncatingIfNeeded: (word &>> 32) & 0xFFFF)
            let c = Int(truncatingIfNeeded: word &>> 48)
            // The code is written by this engine alone, so the byte is one of the operations.
            let op = unsafeBitCast(UInt8(truncatingIfNeeded: word), to: Op.self)
            switch op {
            case .stop: throw failure(.internalError, "the code ended", at: pc)
            case .jump: pc = target(code[pc])
            case .move: r[a] = r[b]
            case .constant:
                r[a] = constants[operand(code[pc])]
                pc &+= 1
            case .clear: r[a] = .undefined
            case .input:
                let value = input
                r[a] = value
                pc = value.isUndefined ? target(code[pc]) : pc &+ 1
            case .base: r[a] = data
            case .get:
                let value = r[b].lookup(r[c])
                r[a] = value
                pc = value.isUndefined ? target(code[pc]) : pc &+ 1
            case .getConstant:
                let second = code[pc]
                var value = r[b].lookup(constants[operand(second)])
                if c == 1 && value.isUndefined { value = asPath(r[b], constants[operand(second)]) }
                r[a] = value
                pc = value.isUndefined ? target(second) : pc &+ 1
            case .equal: pc = r[a] == r[b] ? pc &+ 1 : target(code[pc])
            case .equalConstant: pc = r[a] == constants[operand(code[pc])] ? pc &+ 1 : target(code[pc])
            case .compare: pc = holds(c, r[a], r[b]) ? pc &+ 1 : target(code[pc])
            case .truth: pc = r[a].isUndefined || r[a].isFalse ? target(code[pc]) : pc &+ 1
            case .ifDefined: pc = r[a].isDefined ? target(code[pc]) : pc &+ 1
            case .scan:
                r[a] = r[b]
                r[a &+ 1] = Value(0)
                pc = r[b].isCollection ? pc &+ 1 : target(code[pc])
            case .next:
                let index = Int(truncatingIfNeeded: r[a &+ 1].bits)
                let collection = r[a]
                guard index < Int(collection.length) else {
                    pc = target(code[pc])
                    continue
                }
                pc &+= 1
                stepsLeft &-= 1
                if stepsLeft < 0 || stepsLeft & 0xFFF == 0 { try step(at: pc) }
                r[a &+ 1].bits = UInt64(truncatingIfNeeded: index &+ 1)
                let value = collection.slot(index)
                r[c] = value
                switch collection.tag & ~Value.Tag.imageBit {
                case Value.Tag.array: r[b] = Value(index)
                case Value.Tag.set: r[b] = value
                default: r[b] = collection.keys.slot(index)
                }
            case .call, .mockedCall:
                let second = code[pc]
                let function = operand(second)
                let entry = table[function]
                stepsLeft &-= 1
                if asksContext || op == .mockedCall, let replaced = try mocked(function, r, b, c, base, at: pc) {
                    r[a] = replaced
                    pc = replaced.isUndefined ? target(second) : pc &+ 1
                    continue
                }
                if entry.isMemoised, let value = remembered(function) {
                    r[a] = value
                    pc = value.isUndefined ? target(second) : pc &+ 1
                    continue
                }
                let newBase = base &+ Int(table[Int(frames[frameCount &- 1].function)].registers)
                guard frameCount < limits.depthMax, newBase &+ Int(entry.registers) < Machine.registersMax, stepsLeft >= 0 else {
                    try step(at: pc)
                    throw failure(.limit, "rules are nested more than \(limits.depthMax) deep", at: pc)
                }
                for index in 0..<c { registers[newBase &+ index] = r[b &+ index] }
                frames[frameCount] = Frame(
                    returnTo: Int32(truncatingIfNeeded: pc &+ 1), failTo: Int32(truncatingIfNeeded: target(second)),
                    base: Int32(truncatingIfNeeded: base), result: Int32(truncatingIfNeeded: a),
                    function: Int32(truncatingIfNeeded: function),
                    contextCount: Int32(truncatingIfNeeded: contexts.count), context: Int32(truncatingIfNeeded: context))
                frameCount &+= 1
                base = newBase
                r = registers + base
                pc = Int(entry.entry)
            case .giveBack:
                let value = r[a]
                frameCount &-= 1
                let frame = frames[frameCount]
                if frameCount == bottom { return value }
                if contexts.count > Int(frame.contextCount) { contexts.removeLast(contexts.count - Int(frame.contextCount)) }
                if context != Int(frame.context) { enter(Int(frame.context)) }
                if table[Int(frame.function)].isMemoised { remember(Int(frame.function), value) }
                base = Int(frame.base)
                r = registers + base
                r[Int(frame.result)] = value
                pc = Int(value.isUndefined ? frame.failTo : frame.returnTo)
            case .builtin, .mockedBuiltin:
                let second = code[pc]
                let value: Value
                if op == .mockedBuiltin, let replaced = try mocked(program.groupCount + operand(second), r, b, c, base, at: pc) {
                    value = replaced
                } else {
                    value = try callBuiltin(operand(second), UnsafeBufferPointer(start: r + b, count: c), at: pc)
                }
                r[a] = value
                pc = value.isUndefined ? target(second) : pc &+ 1
            case .add, .subtract:
                let second = code[pc]
                let (left, right) = (r[b], r[c])
                if left.tag == Value.Tag.integer && right.tag == Value.Tag.integer {
                    let (x, y) = (Int64(bitPattern: left.bits), Int64(bitPattern: right.bits))
                    let (sum, overflow) = op == .add ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
                    if !overflow {
                        r[a] = Value(sum)
                        pc &+= 1
                        continue
                    }
                }
                let value = try callBuiltin(operand(second), UnsafeBufferPointer(start: r + b, count: 2), at: pc)
                r[a] = value
                pc = value.isUndefined ? target(second) : pc &+ 1
            case .indexBegin:
                let index = views[operand(code[pc])]
                pc &+= 1
                r[a] = Value(0)
                for offset in 0..<index.tableCount {
                    r[a &+ 1 &+ offset].bits = UInt64(UInt(bitPattern: index.entries[offset].set(for: r[a &+ 1 &+ offset])))
                }
            case .indexNext:
                let second = code[pc]
                let rule = views[operand(second)].next(from: Int(r[a].bits), r + a + 1)
                if rule < 0 {
                    pc = target(second)
                } else {
                    r[a].bits = UInt64(rule &+ 1)
                    pc = target(code[pc &+ 1 &+ rule])
                }
            case .merge:
                if r[a].isUndefined { r[a] = r[b] } else if r[a] != r[b] { throw conflict(c, at: pc) }
            default: try rare(op, &pc, a, b, c, base)
            }
        }
    }

    @inline(__always) func target(_ word: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: word)) }
    @inline(__always) func operand(_ word: UInt64) -> Int { Int(word &>> 32) }

    @inline(__always) private func holds(_ kind: Int, _ left: Value, _ right: Value) -> Bool {
        switch kind {
        case 0: left != right
        case 1: Value.compare(left, right) < 0
        case 2: Value.compare(left, right) <= 0
        case 3: Value.compare(left, right) > 0
        default: Value.compare(left, right) >= 0
        }
    }

    /// Base documents are found by paths of strings: `data[2]` is also the key "2".
    @inline(never) private func asPath(_ document: Value, _ key: Value) -> Value {
        guard document.isObject, key.tag == Value.Tag.integer else { return .undefined }
        return document[arena.string(String(Int64(bitPattern: key.bits)))]
    }

    @inline(never) func step(at word: Int) throws(EvaluationError) {
        if stepsLeft < 0 { throw failure(.limit, "the evaluation takes more than \(limits.stepsMax) steps", at: word) }
        try checkLimits(at: word)
    }

    /// Instructions that build collections, go through documents, and change the context.
    @inline(never) private func rare(_ op: Op, _ pc: inout Int, _ a: Int, _ b: Int, _ c: Int, _ base: Int) throws(EvaluationError) {
        let r = registers + base
        let second = pc < program.wordCount ? program.words[pc] : 0
        switch op {
        case .begin: lists.begin()
        case .append: lists.append(r[a])
        case .appendPair:
            lists.append(r[a])
            lists.append(r[b])
        case .appendPath:
            lists.append(r[a])
            lists.append(r[b])
            lists.append(Value(c == 1))
        case .endArray: r[a] = lists.endArray(arena)
        case .endSet: r[a] = lists.endSet(arena)
        case .endObject:
            guard let value = lists.endObject(arena) else { throw conflict(2, at: pc) }
            r[a] = value
        case .endNested:
            guard let value = lists.endNested(arena) else { throw conflict(2, at: pc) }
            r[a] = value
        case .makeArray: r[a] = arena.array(UnsafeBufferPointer(start: r + b, count: c))
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
        default: throw failure(.internalError, "unknown instruction", at: pc)
        }
        if arena.isExhausted { try checkLimits(at: pc) }
    }

    private func changeContext(_ op: Op, _ index: Int, _ value: Value, _ replacement: Int, _ d: Int) {
        switch op {
        case .withInput:
            contexts[index].input = arena.replacing(contexts[index].input, at: program.constants[d].elements[...], with: value)
        case .withData:
            let path = program.constants[d].elements
            contexts[index].data = arena.replacing(contexts[index].data, at: path[...], with: value)
            contexts[index].replaced.insert((path, value), at: 0)
        case .withValue: contexts[index].functions[d] = .value(value)
        default: contexts[index].functions[d] = .function(replacement)
        }
    }

    /// The answer of what stands in the place of a rule or a function; nil when nothing does.
    private func mocked(_ callee: Int, _ r: UnsafeMutablePointer<Value>, _ b: Int, _ c: Int, _ base: Int, at pc: Int)
        throws(EvaluationError) -> Value?
    {
        let current = contexts[context]
        if callee < program.functions.count, let value = current.replacement(of: program.functions[callee].path) { return value }
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
            contexts[context].functions[callee] = nil
            let index = context
            defer { contexts[index].functions = before }
            return try invoke(other, base: newBase)
        }
    }
}

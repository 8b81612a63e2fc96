extension Machine {
    /// The loop. Ends when the frame at `bottom` gives its value back.
    ///
    /// What stands here is what decisions consist of, kept short so that the registers of the processor suffice; everything else is called.
    func run(_ entry: Int, _ startBase: Int, _ bottom: Int) throws(EvaluationError) -> Value {
        let code = UnsafePointer(program.words)
        let constants = UnsafePointer(program.constants)
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
                let value = r[b].field(constants[operand(code[pc])])
                r[a] = value
                pc = value.isUndefined ? target(code[pc]) : pc &+ 1
            case .getBase:
                var value = r[b].field(constants[operand(code[pc])])
                if value.isUndefined { value = asPath(r[b], constants[operand(code[pc])]) }
                r[a] = value
                pc = value.isUndefined ? target(code[pc]) : pc &+ 1
            case .equal: pc = r[a] == r[b] ? pc &+ 1 : target(code[pc])
            case .equalConstant: pc = r[a] == constants[operand(code[pc])] ? pc &+ 1 : target(code[pc])
            case .fieldEqual: pc = r[a].field(constants[operand(code[pc])]) == r[b] ? pc &+ 1 : target(code[pc])
            case .compare: pc = holds(c, r[a], r[b]) ? pc &+ 1 : target(code[pc])
            case .member: pc = r[b].hasMember(r[a]) ? pc &+ 1 : target(code[pc])
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
                ticks &-= 1
                if ticks < 0 { try step(at: pc) }
                r[a &+ 1].bits = UInt64(truncatingIfNeeded: index &+ 1)
                if collection.tag == Value.Tag.array {
                    r[b] = Value(index)
                    r[c] = (collection.pointer + index &* 16).load(as: Value.self)
                } else {
                    nextOther(collection, index, r + b, r + c)
                }
            case .call, .mockedCall:
                let second = code[pc]
                let function = operand(second)
                let entry = program.functionTable + function
                ticks &-= 1
                var known = Machine.absent
                if context != 0 {
                    known = try knownInContext(function, r, b, c, base, at: pc)
                } else if entry.pointee.isMemoised {
                    known = memo[function]
                }
                if known.tag != .max {
                    r[a] = known
                    pc = known.isUndefined ? target(second) : pc &+ 1
                    continue
                }
                let frame = frames + frameCount
                let newBase = Int((frame - 1).pointee.top)
                let top = newBase &+ Int(entry.pointee.registers)
                if frameCount >= limits.depthMax || top >= Machine.registersMax || ticks < 0 { try checkCall(top, at: pc) }
                let (from, to) = (r + b, registers + newBase)
                for index in 0..<c { to[index] = from[index] }
                frame.pointee = Frame(
                    returnTo: Int32(truncatingIfNeeded: pc &+ 1), failTo: Int32(truncatingIfNeeded: target(second)),
                    base: Int32(truncatingIfNeeded: base), top: Int32(truncatingIfNeeded: top), result: Int32(truncatingIfNeeded: a),
                    function: Int32(truncatingIfNeeded: function), contextCount: Int32(truncatingIfNeeded: contextCount),
                    context: Int32(truncatingIfNeeded: context))
                frameCount &+= 1
                base = newBase
                r = to
                pc = Int(entry.pointee.entry)
            case .giveBack:
                let value = r[a]
                frameCount &-= 1
                if frameCount == bottom { return value }
                let frame = frames + frameCount
                dropContexts(to: Int(frame.pointee.contextCount))
                if context != Int(frame.pointee.context) { enter(Int(frame.pointee.context)) }
                let function = Int(frame.pointee.function)
                if program.functionTable[function].isMemoised { remember(function, value) }
                base = Int(frame.pointee.base)
                r = registers + base
                r[Int(frame.pointee.result)] = value
                pc = Int(value.isUndefined ? frame.pointee.failTo : frame.pointee.returnTo)
            case .builtin:
                let second = code[pc]
                let value = try callBuiltin(operand(second), UnsafeBufferPointer(start: r + b, count: c), at: pc)
                r[a] = value
                pc = value.isUndefined ? target(second) : pc &+ 1
            case .add, .subtract:
                let (left, right) = (r[b], r[c])
                let (x, y) = (Int64(bitPattern: left.bits), Int64(bitPattern: right.bits))
                let (sum, overflow) = op == .add ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
                if left.tag == Value.Tag.integer && right.tag == Value.Tag.integer && !overflow {
                    r[a] = Value(sum)
                    pc &+= 1
                    continue
                }
                let second = code[pc]
                let value = try callBuiltin(operand(second), UnsafeBufferPointer(start: r + b, count: 2), at: pc)
                r[a] = value
                pc = value.isUndefined ? target(second) : pc &+ 1
            case .indexBegin:
                let index = program.indexViews + operand(code[pc])
                pc &+= 1
                r[a] = Value(0)
                for offset in 0..<index.pointee.tableCount {
                    let entry = index.pointee.entries + offset
                    let value = r[a &+ 1 &+ entry.pointee.source]
                    r[b &+ offset].bits = entry.pointee.set(for: value)
                }
            case .indexNext:
                let second = code[pc]
                let rule = (program.indexViews + operand(second)).pointee.next(from: Int(truncatingIfNeeded: r[a].bits), r + b)
                if rule < 0 {
                    pc = target(second)
                } else {
                    r[a] = Value(rule &+ 1)
                    pc = target(code[pc &+ 1 &+ rule])
                }
            case .merge:
                if r[a].isUndefined { r[a] = r[b] } else if r[a] != r[b] { throw conflict(c, at: pc) }
            case .begin: lists.begin()
            case .append: lists.append(r[a])
            case .endArray:
                r[a] = lists.endArray(arena)
                if arena.isExhausted { try checkLimits(at: pc) }
            case .makeArray:
                r[a] = arena.array(UnsafeBufferPointer(start: r + b, count: c))
                if arena.isExhausted { try checkLimits(at: pc) }
            // All are named, so that nothing is compared before the jump.
            case .stop, .mockedBuiltin, .appendPair, .appendPath, .endSet, .endObject, .endNested, .makeSet, .makeObject, .isArray,
                .isObject,
                .node, .nodeGet, .nodeScan, .nodeValue, .withBegin, .withInput, .withData, .withValue, .withFunction, .context:
                pc = try rare(op, pc, a, b, c, base)
            }
        }
    }

    @inline(__always) func target(_ word: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: word)) }
    @inline(__always) func operand(_ word: UInt64) -> Int { Int(truncatingIfNeeded: word &>> 32) }

    @inline(__always) private func holds(_ kind: Int, _ left: Value, _ right: Value) -> Bool {
        if left.tag == Value.Tag.integer && right.tag == Value.Tag.integer {
            let (a, b) = (Int64(bitPattern: left.bits), Int64(bitPattern: right.bits))
            switch kind {
            case 0: return a != b
            case 1: return a < b
            case 2: return a <= b
            case 3: return a > b
            default: return a >= b
            }
        }
        return holdsOther(kind, left, right)
    }

    @inline(never) private func holdsOther(_ kind: Int, _ left: Value, _ right: Value) -> Bool {
        switch kind {
        case 0: left != right
        case 1: Value.compare(left, right) < 0
        case 2: Value.compare(left, right) <= 0
        case 3: Value.compare(left, right) > 0
        default: Value.compare(left, right) >= 0
        }
    }

    /// The next key and value of what is no array in the arena.
    @inline(never) private func nextOther(
        _ collection: Value, _ index: Int, _ key: UnsafeMutablePointer<Value>, _ value: UnsafeMutablePointer<Value>
    ) {
        let found = collection.slot(index)
        switch collection.tag & ~Value.Tag.imageBit {
        case Value.Tag.array: key.pointee = Value(index)
        case Value.Tag.set: key.pointee = found
        default: key.pointee = collection.keys.slot(index)
        }
        value.pointee = found
    }

    /// Base documents are found by paths of strings: `data[2]` is also the key "2".
    @inline(never) private func asPath(_ document: Value, _ key: Value) -> Value {
        guard document.isObject, key.tag == Value.Tag.integer else { return .undefined }
        return document[arena.string(String(Int64(bitPattern: key.bits)))]
    }

    /// A call reached a limit: the steps, which may go on, or the depth.
    @inline(never) private func checkCall(_ top: Int, at word: Int) throws(EvaluationError) {
        if ticks < 0 { try step(at: word) }
        if frameCount >= limits.depthMax || top >= Machine.registersMax {
            throw failure(.limit, "rules are nested more than \(limits.depthMax) deep", at: word)
        }
    }

    /// What a call gives in a context that a `with` made, if that is known; else `absent`.
    @inline(never) private func knownInContext(
        _ function: Int, _ r: UnsafeMutablePointer<Value>, _ b: Int, _ c: Int, _ base: Int, at pc: Int
    ) throws(EvaluationError) -> Value {
        if asksContext, let replaced = try mocked(function, r, b, c, base, at: pc) { return replaced }
        return program.functionTable[function].isMemoised ? remembered(function) : Machine.absent
    }
}

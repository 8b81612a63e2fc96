/// Making terms equal, and calls.
extension FunctionCompiler {
    /// Makes two terms equal: variables without a value get one.
    func unify(_ a: IRTerm, _ b: IRTerm, _ fail: inout Label) {
        var waiting: [(IRTerm, IRTerm)] = [(a, b)]
        while !waiting.isEmpty {
            var later: [(IRTerm, IRTerm)] = []
            let before = waiting.count
            var expanded = false
            for (left, right) in waiting {
                if case .array(let mine) = left, case .array(let theirs) = right, !(isReady(left) && isReady(right)) {
                    if mine.count != theirs.count {
                        program.code.emit(.jump, to: fail)
                    } else {
                        later.append(contentsOf: zip(mine, theirs).map { ($0, $1) })
                    }
                    expanded = true
                } else if case .object(let mine) = left, case .object(let theirs) = right, !(isReady(left) && isReady(right)),
                    let pairs = matchKeys(mine, theirs)
                {
                    if let pairs { later.append(contentsOf: pairs) } else { program.code.emit(.jump, to: fail) }
                    expanded = true
                } else if isReady(left) && isReady(right) {
                    equal(left, right, &fail)
                } else if isReady(right), isMatchable(left) {
                    match(left, evaluate(right, &fail), &fail)
                } else if isReady(left), isMatchable(right) {
                    match(right, evaluate(left, &fail), &fail)
                } else {
                    later.append((left, right))
                }
            }
            waiting = later
            if waiting.count == before && !expanded {
                for (left, right) in waiting { reportUnready(left, right) }
                return
            }
        }
    }

    private func reportUnready(_ left: IRTerm, _ right: IRTerm) {
        for id in IRVariables.set(left).union(IRVariables.set(right)).sorted() where !isBound(id) { program.unsafeVariable(id) }
    }

    /// The values that belong together; inner nil: the keys differ; nil: some key is no constant.
    private func matchKeys(_ left: [(key: IRTerm, value: IRTerm)], _ right: [(key: IRTerm, value: IRTerm)]) -> [(IRTerm, IRTerm)]?? {
        var theirs: [Value: IRTerm] = [:]
        for (key, value) in right {
            guard let constant = isConstant(key) else { return .none }
            theirs[constant] = value
        }
        var pairs: [(IRTerm, IRTerm)] = []
        for (key, value) in left {
            guard let constant = isConstant(key) else { return .none }
            guard let other = theirs[constant] else { return .some(nil) }
            pairs.append((value, other))
        }
        return left.count == right.count ? .some(pairs) : .some(nil)
    }

    private func equal(_ left: IRTerm, _ right: IRTerm, _ fail: inout Label) {
        if let a = isConstant(left), let b = isConstant(right) {
            if a != b { program.code.emit(.jump, to: fail) }
        } else if let constant = isConstant(right) {
            program.code.emit(.equalConstant, evaluate(left, &fail), to: fail, program.constants.index(of: constant))
        } else if let constant = isConstant(left) {
            program.code.emit(.equalConstant, evaluate(right, &fail), to: fail, program.constants.index(of: constant))
        } else if let (object, key) = field(left) {
            fieldEqual(object, key, right, &fail)
        } else if let (object, key) = field(right) {
            fieldEqual(object, key, left, &fail)
        } else {
            let a = evaluate(left, &fail)
            let b = evaluate(right, &fail)
            program.code.emit(.equal, a, b, to: fail)
        }
    }

    /// A variable and a constant key: `grant.action`.
    private func field(_ term: IRTerm) -> (object: Int, key: Value)? {
        guard case .ref(let ref) = term, case .local(let id) = ref.root, let object = register(of: id), ref.path.count == 1,
            let key = isConstant(ref.path[0])
        else { return nil }
        return (object, key)
    }

    private func fieldEqual(_ object: Int, _ key: Value, _ other: IRTerm, _ fail: inout Label) {
        let value = evaluate(other, &fail)
        program.code.emit(.fieldEqual, object, value, to: fail, program.constants.index(of: key))
    }

    /// Whether `match` can take the term apart now.
    private func isMatchable(_ term: IRTerm) -> Bool {
        switch term {
        case .local, .constant, .comprehension: true
        case .array(let parts): parts.allSatisfy(isMatchable)
        case .object(let items): items.allSatisfy { isReady($0.key) && isMatchable($0.value) }
        case .set, .ref: isReady(term)
        }
    }

    /// Takes a value apart as a pattern says.
    func match(_ pattern: IRTerm, _ register: Int, _ fail: inout Label) {
        switch pattern {
        case .constant(let value): program.code.emit(.equalConstant, register, to: fail, program.constants.index(of: value))
        case .local(let id):
            if let known = self.register(of: id) {
                if known != register { program.code.emit(.equal, known, register, to: fail) }
            } else {
                bind(id, register)
            }
        case .array(let parts) where !isReady(pattern):
            program.code.emit(.isArray, register, to: fail, parts.count)
            var elements: [(IRTerm, Int)] = []
            for (index, part) in parts.enumerated() {
                let element = newRegister()
                program.code.emit(.getConstant, element, register, to: fail, program.constants.index(of: Value(index)))
                elements.append((part, element))
            }
            matchAll(elements, &fail)
        case .object(let items) where !isReady(pattern):
            program.code.emit(.isObject, register, to: fail, items.count)
            var elements: [(IRTerm, Int)] = []
            for (key, value) in items {
                let element = newRegister()
                let keyRegister = evaluate(key, &fail)
                program.code.emit(.get, element, register, keyRegister, to: fail)
                elements.append((value, element))
            }
            matchAll(elements, &fail)
        default:
            guard isReady(pattern) else {
                for id in IRVariables.set(pattern).sorted() where !isBound(id) { program.unsafeVariable(id) }
                return
            }
            let value = evaluate(pattern, &fail)
            program.code.emit(.equal, value, register, to: fail)
        }
    }

    /// Variables first, so that what needs them finds them.
    private func matchAll(_ elements: [(IRTerm, Int)], _ fail: inout Label) {
        var later: [(IRTerm, Int)] = []
        for (part, element) in elements {
            if isMatchable(part) { match(part, element, &fail) } else { later.append((part, element)) }
        }
        for (part, element) in later { match(part, element, &fail) }
    }

    // MARK: calls

    func call(_ callee: IRCallee, _ arguments: [IRTerm], _ result: IRTerm?, _ fail: inout Label) {
        let isMocked = program.mocked.contains(callee)
        if !isMocked, case .builtin(let index) = callee, special(program.builtins.all[index].name, arguments, result, &fail) { return }
        let start = consecutive(arguments, &fail)
        let register = newRegister()
        switch callee {
        case .builtin(let index):
            program.code.emit(isMocked ? .mockedBuiltin : .builtin, register, start, arguments.count, to: fail, index)
            if program.builtins.all[index].isRelation {
                let scan = newRegister(2)
                let (key, value) = (newRegister(), newRegister())
                program.code.emit(.scan, scan, register, to: fail)
                let again = program.code.label()
                program.code.place(again)
                program.code.emit(.next, scan, key, value, to: fail)
                fail = again
                if let result { unifyResult(result, value, &fail) }
                return
            }
        case .group(let index):
            program.code.emit(isMocked ? .mockedCall : .call, register, start, arguments.count, to: fail, index)
        }
        if let result {
            unifyResult(result, register, &fail)
        } else {
            program.code.emit(.truth, register, to: fail)
        }
    }

    private func unifyResult(_ result: IRTerm, _ register: Int, _ fail: inout Label) {
        match(result, register, &fail)
    }

    /// Comparisons that only have to hold, and sums of small integers.
    private func special(_ name: String, _ arguments: [IRTerm], _ result: IRTerm?, _ fail: inout Label) -> Bool {
        if result == nil, arguments.count == 2 {
            let kind: Int
            switch name {
            case "neq": kind = 0
            case "lt": kind = 1
            case "lte": kind = 2
            case "gt": kind = 3
            case "gte": kind = 4
            case "internal.member_2": kind = 5
            default: return false
            }
            let left = evaluate(arguments[0], &fail)
            let right = evaluate(arguments[1], &fail)
            program.code.emit(kind == 5 ? .member : .compare, left, right, kind, to: fail)
            return true
        }
        if let result, name == "plus" || name == "minus" {
            let start = consecutive(arguments, &fail)
            let register = newRegister()
            let index = program.builtins.index(name) ?? 0
            program.code.emit(name == "plus" ? .add : .subtract, register, start, start + 1, to: fail, index)
            match(result, register, &fail)
            return true
        }
        return false
    }
}

/// Evaluating terms into registers.
extension FunctionCompiler {
    /// The register that holds a term's value. Loops that the term needs become the new place to fail to.
    func evaluate(_ term: IRTerm, _ fail: inout Label) -> Int {
        switch term {
        case .constant(let value):
            let register = newRegister()
            program.code.emit(.constant, register, to: nil, program.constants.index(of: value))
            return register
        case .local(let id):
            if let register = register(of: id) { return register }
            program.unsafeVariable(id)
            return newRegister()
        case .ref(let ref): return reference(ref, &fail)
        case .array(let parts):
            let start = consecutive(parts, &fail)
            let register = newRegister()
            program.code.emit(.makeArray, register, start, parts.count)
            return register
        case .set(let parts):
            let start = consecutive(parts, &fail)
            let register = newRegister()
            program.code.emit(.makeSet, register, start, parts.count)
            return register
        case .object(let items):
            let start = consecutive(items.flatMap { [$0.key, $0.value] }, &fail)
            let register = newRegister()
            program.code.emit(.makeObject, register, start, items.count * 2)
            return register
        case .comprehension(let one): return comprehension(one)
        }
    }

    /// The values of terms in registers that follow one another.
    func consecutive(_ terms: [IRTerm], _ fail: inout Label) -> Int {
        let values = terms.map { term -> Int in
            if case .constant = term { return -1 }
            return evaluate(term, &fail)
        }
        let start = newRegister(max(terms.count, 1))
        for (index, value) in values.enumerated() {
            if let constant = isConstant(terms[index]) {
                program.code.emit(.constant, start + index, to: nil, program.constants.index(of: constant))
            } else {
                program.code.emit(.move, start + index, value)
            }
        }
        return start
    }

    private func comprehension(_ one: IRComprehension) -> Int {
        let result = newRegister()
        let done = program.code.label()
        program.code.emit(.begin)
        inScope {
            body(one.body, fail: done) { fail in
                var fail = fail
                if let key = one.key {
                    let keyRegister = evaluate(key, &fail)
                    let valueRegister = evaluate(one.value, &fail)
                    program.code.emit(.appendPair, keyRegister, valueRegister)
                } else {
                    program.code.emit(.append, evaluate(one.value, &fail))
                }
                program.code.emit(.jump, to: fail)
            }
        }
        program.code.place(done)
        switch one.kind {
        case .array: program.code.emit(.endArray, result)
        case .set: program.code.emit(.endSet, result)
        case .object: program.code.emit(.endObject, result)
        }
        return result
    }

    // MARK: references

    private func reference(_ ref: IRRef, _ fail: inout Label) -> Int {
        switch ref.root {
        case .input:
            // As far as the path is constant it is read once.
            let constant = ref.path.prefix { isConstant($0) != nil }
            let start = input(constant.compactMap(isConstant), &fail)
            return navigate(start, ref.path[constant.count...], &fail)
        case .local(let id):
            guard let register = register(of: id) else {
                program.unsafeVariable(id)
                return newRegister()
            }
            return navigate(register, ref.path[...], &fail)
        case .term(let term):
            let register = evaluate(term, &fail)
            return navigate(register, ref.path[...], &fail)
        case .data: return document(ref.path, &fail)
        }
    }

    /// Goes from a value along the parts of a reference.
    private func navigate(_ start: Int, _ path: ArraySlice<IRTerm>, _ fail: inout Label, isBase: Bool = false) -> Int {
        var current = start
        for part in path {
            if let key = isConstant(part) {
                let register = newRegister()
                program.code.emit(isBase ? .getBase : .getConstant, register, current, to: fail, program.constants.index(of: key))
                current = register
            } else if isReady(part) {
                let key = evaluate(part, &fail)
                let register = newRegister()
                program.code.emit(.get, register, current, key, to: fail)
                current = register
            } else {
                let scan = newRegister(2)
                let (key, value) = (newRegister(), newRegister())
                program.code.emit(.scan, scan, current, to: fail)
                let again = program.code.label()
                program.code.place(again)
                program.code.emit(.next, scan, key, value, to: fail)
                fail = again
                match(part, key, &fail)
                current = value
            }
        }
        return current
    }

    private func document(_ path: [IRTerm], _ fail: inout Label) -> Int {
        let tree = program.tree
        var node = 0
        var index = 0
        while index < path.count, tree.nodes[node].dynamic == nil, let key = isConstant(path[index]),
            let child = tree.nodes[node].child(key)
        {
            node = child
            index += 1
            if let group = tree.nodes[node].group {
                if tree.groups[group].kind == .function { break }
                return navigate(callRule(group, fail), path[index...], &fail)
            }
        }
        let here = tree.nodes[node]
        if let dynamic = here.dynamic, here.children.isEmpty {
            return navigate(callRule(dynamic, fail), path[index...], &fail)
        }
        if here.dynamic == nil, index < path.count, let key = isConstant(path[index]), here.child(key) == nil {
            // Nothing but base documents there.
            let register = newRegister()
            program.code.emit(.base, register)
            return navigate(register, path[...], &fail, isBase: true)
        }
        if node == 0 && here.children.isEmpty {
            let register = newRegister()
            program.code.emit(.base, register)
            return navigate(register, path[...], &fail, isBase: true)
        }
        var current = newRegister(3)
        program.code.emit(.node, current, to: nil, node)
        for part in path[index...] {
            if isReady(part) {
                let key = evaluate(part, &fail)
                let register = newRegister(3)
                program.code.emit(.nodeGet, register, current, key, to: fail)
                current = register
            } else {
                let scan = newRegister(2)
                let (key, value, register) = (newRegister(), newRegister(), newRegister(3))
                program.code.emit(.nodeScan, scan, current, to: fail)
                let again = program.code.label()
                program.code.place(again)
                program.code.emit(.next, scan, key, value, to: fail)
                fail = again
                match(part, key, &fail)
                program.code.emit(.nodeGet, register, current, key, to: fail)
                current = register
            }
        }
        let result = newRegister()
        program.code.emit(.nodeValue, result, current, to: fail)
        return result
    }

    private func callRule(_ group: Int, _ fail: Label) -> Int {
        let register = newRegister()
        program.code.emit(.call, register, 0, 0, to: fail, group)
        return register
    }
}

/// Documents that rules and base data make together: `data`, and packages as a whole.
///
/// A place in the tree is two registers: the node's number and the base document there; the number is undefined behind the last rule.
extension Machine {
    func startNode(_ a: Int, _ node: Int, _ base: Int) {
        let r = registers + base
        var document = contexts[context].data
        for key in program.nodes[node].path { document = document.lookup(key) }
        r[a] = Value(node)
        r[a + 1] = document
    }

    private func top(_ base: Int) -> Int { free(Int(frames[frameCount - 1].function), base) }

    /// The base document at a node, with what the rules with variables behind the node make.
    private func withDynamic(_ node: Int, _ document: Value, _ base: Int) throws(EvaluationError) -> Value {
        guard let dynamic = program.nodes[node].dynamic else { return document }
        let made = try invoke(dynamic, base: top(base))
        return merged(document, made)
    }

    func nodeGet(_ a: Int, _ b: Int, _ key: Value, _ base: Int) throws(EvaluationError) {
        let r = registers + base
        guard r[b].isDefined else {
            let value = r[b + 1].lookup(key)
            r[a] = .undefined
            r[a + 1] = value
            return
        }
        let node = Int(r[b].bits)
        let document = try withDynamic(node, r[b + 1], base).lookup(key)
        guard let child = program.nodes[node].children.first(where: { $0.key == key })?.node else {
            r[a] = .undefined
            r[a + 1] = document
            return
        }
        if let group = program.nodes[child].group {
            r[a] = .undefined
            r[a + 1] = program.nodes[child].isFunction ? document : try invoke(group, base: top(base))
            return
        }
        r[a] = Value(child)
        r[a + 1] = document
    }

    /// The keys below a place: those of the rules and those of the base document.
    func nodeKeys(_ b: Int, _ base: Int) throws(EvaluationError) -> Value {
        let r = registers + base
        guard r[b].isDefined else { return r[b + 1] }
        let node = Int(r[b].bits)
        let document = try withDynamic(node, r[b + 1], base)
        var keys = document.isObject ? document.keys.elements : []
        keys.append(contentsOf: program.nodes[node].children.map(\.key))
        return arena.set(keys)
    }

    func nodeValue(_ b: Int, _ base: Int) throws(EvaluationError) -> Value {
        let r = registers + base
        guard r[b].isDefined else { return r[b + 1] }
        return try document(Int(r[b].bits), r[b + 1], base)
    }

    private func document(_ node: Int, _ found: Value, _ base: Int) throws(EvaluationError) -> Value {
        // What a `with` put here hides the rules below.
        if asksContext, contexts[context].replacement(of: program.nodes[node].path) != nil { return found }
        let found = try withDynamic(node, found, base)
        var entries = found.isObject ? found.entries : []
        for (key, child) in program.nodes[node].children {
            let below = found.isObject ? found[key] : .undefined
            let value: Value
            if let group = program.nodes[child].group {
                if program.nodes[child].isFunction { continue }
                value = try invoke(group, base: top(base))
            } else {
                value = try document(child, below, base)
            }
            if value.isDefined {
                if let index = entries.firstIndex(where: { $0.key == key }) {
                    entries[index].value = value
                } else {
                    entries.append((key, value))
                }
            }
        }
        return arena.object(entries)
    }

    /// Two documents in one; where both have a value that is no object the second one counts.
    private func merged(_ first: Value, _ second: Value) -> Value {
        guard first.isObject, second.isObject else { return second.isDefined ? second : first }
        if first.count == 0 { return second }
        var entries = first.entries
        for (key, value) in second.entries {
            if let index = first.keys.index(of: key) { entries[index].value = merged(first.slot(index), value) } else { entries.append((key, value)) }
        }
        return arena.object(entries)
    }
}

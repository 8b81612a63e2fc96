import RegoSyntax

/// Documents that rules and base data make together: `data`, and packages as a whole.
///
/// A place in the tree is three registers: the node's number, the base document there, and what rules with variables in their references made of it.
/// Behind the last rule the number is undefined and the document is a plain value in the second register.
extension Machine {
    func startNode(_ a: Int, _ node: Int, _ base: Int) throws(EvaluationError) {
        let r = registers + base
        var document = data
        for key in program.nodes[node].path { document = document.lookup(key) }
        r[a] = Value(node)
        r[a + 1] = document
        r[a + 2] = try dynamic(node, .undefined, base)
    }

    private func top(_ base: Int) -> Int { free(Int(frames[frameCount - 1].function), base) }

    /// What rules with variables behind a node add to what those further up made.
    private func dynamic(_ node: Int, _ above: Value, _ base: Int) throws(EvaluationError) -> Value {
        if above.isDefined && program.nodes[node].isInsideOfValue {
            throw EvaluationError(code: .conflict, message: "object keys must be unique", file: "", location: .none)
        }
        guard let group = program.nodes[node].dynamic else { return above }
        return try combined(above, try invoke(group, base: top(base)))
    }

    func nodeGet(_ a: Int, _ b: Int, _ key: Value, _ base: Int) throws(EvaluationError) {
        let r = registers + base
        guard r[b].isDefined else { return plain(a, r[b + 1].lookup(key), base) }
        let node = Int(r[b].bits)
        let (document, made) = (r[b + 1].lookup(key), r[b + 2].lookup(key))
        guard let child = program.nodes[node].children.first(where: { $0.key == key })?.node else {
            return plain(a, merged(document, over: made), base)
        }
        if let group = program.nodes[child].group {
            if program.nodes[child].isFunction { return plain(a, document, base) }
            return plain(a, try combined(try invoke(group, base: top(base)), made), base)
        }
        r[a] = Value(child)
        r[a + 1] = document
        r[a + 2] = try dynamic(child, made, base)
    }

    private func plain(_ a: Int, _ value: Value, _ base: Int) {
        registers[base + a] = .undefined
        registers[base + a + 1] = value
        registers[base + a + 2] = .undefined
    }

    /// The keys below a place: those of the rules and those of the base document.
    func nodeKeys(_ b: Int, _ base: Int) -> Value {
        let r = registers + base
        guard r[b].isDefined else { return r[b + 1].isObject ? r[b + 1].keys : r[b + 1] }
        var keys = r[b + 1].isObject ? r[b + 1].keys.elements : []
        if r[b + 2].isObject { keys.append(contentsOf: r[b + 2].keys.elements) }
        keys.append(contentsOf: program.nodes[Int(r[b].bits)].children.map(\.key))
        return arena.set(keys)
    }

    func nodeValue(_ b: Int, _ base: Int) throws(EvaluationError) -> Value {
        let r = registers + base
        guard r[b].isDefined else { return r[b + 1] }
        return try document(Int(r[b].bits), r[b + 1], r[b + 2], base)
    }

    private func document(_ node: Int, _ found: Value, _ made: Value, _ base: Int) throws(EvaluationError) -> Value {
        // What a `with` put here hides the rules below.
        if asksContext, contexts[context].replacement(of: program.nodes[node].path) != nil { return found }
        var entries: [(key: Value, value: Value)] = []
        for (key, child) in program.nodes[node].children {
            let value: Value
            if let group = program.nodes[child].group {
                if program.nodes[child].isFunction { continue }
                value = try combined(try invoke(group, base: top(base)), made.lookup(key))
            } else {
                value = try document(child, found.lookup(key), try dynamic(child, made.lookup(key), base), base)
            }
            if value.isDefined { entries.append((key, value)) }
        }
        // Rules do not go below what is no object.
        if made.isDefined && !made.isObject { return try combined(arena.object(entries), made) }
        return merged(found, over: try combined(made, arena.object(entries)))
    }

    /// Two documents in one; where both have a value that is no object the base document's counts.
    private func merged(_ document: Value, over made: Value) -> Value {
        guard document.isObject, made.isObject else { return document.isDefined && !made.isObject ? document : made }
        if document.count == 0 { return made }
        var entries = made.entries
        for (key, value) in document.entries {
            if let index = made.keys.index(of: key) {
                entries[index].value = entries[index].value.isObject && value.isObject ? merged(value, over: entries[index].value) : value
            } else {
                entries.append((key, value))
            }
        }
        return arena.object(entries)
    }

    /// What two groups of rules made of the same document: sets join, objects merge, everything else must be equal.
    private func combined(_ first: Value, _ second: Value) throws(EvaluationError) -> Value {
        if first.isUndefined { return second }
        if second.isUndefined { return first }
        if first.isSet && second.isSet { return arena.set(first.elements + second.elements) }
        guard first.isObject, second.isObject else {
            if first == second { return first }
            throw EvaluationError(code: .conflict, message: "object keys must be unique", file: "", location: .none)
        }
        if first.count == 0 { return second }
        var entries = first.entries
        for (key, value) in second.entries {
            if let index = first.keys.index(of: key) {
                entries[index].value = try combined(entries[index].value, value)
            } else {
                entries.append((key, value))
            }
        }
        return arena.object(entries)
    }
}

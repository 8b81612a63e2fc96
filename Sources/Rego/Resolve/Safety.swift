import RegoSyntax

/// Puts the expressions of a body in an order in which every variable has a value when it is needed, as OPA does.
///
/// What is left over is unsafe: no order gives its variables a value.
struct Safety {
    let arity: (IRCallee) -> Int
    /// Variables without a value, each with the first expression that needs it.
    private(set) var unsafe: [(variable: LocalID, expression: IRExpression)] = []

    /// Variables in a `print` that nothing gives a value.
    private(set) var undeclared: [(variable: LocalID, location: Location)] = []

    init(arity: @escaping (IRCallee) -> Int) { self.arity = arity }

    /// Reorders the body in place; gives the variables that have a value after it.
    @discardableResult
    mutating func order(_ body: IRBody, globals: Set<LocalID>, heads: [IRTerm] = []) -> Set<LocalID> {
        let expressions = body.expressions
        checkPrints(expressions, globals)
        var safe: Set<LocalID> = globals
        var needed: [Set<LocalID>] = expressions.map { IRVariables.set($0).subtracting(globals) }
        let bodyVariables = expressions.reduce(into: Set<LocalID>()) { $0.formUnion(IRVariables.set($1)) }
        let closed: [Set<LocalID>] = expressions.map {
            var found: Set<LocalID> = []
            IRVariables.inClosures($0, &found)
            return found.intersection(bodyVariables).subtracting(globals)
        }
        var ordered: [IRExpression] = []
        var left = Array(expressions.indices)
        while !left.isEmpty {
            var rest: [Int] = []
            for index in left {
                let outputs = self.outputs(expressions[index], safe)
                let missing = closed[index].subtracting(safe)
                if !missing.isEmpty {
                    // It closes over variables that another expression gives.
                    if missing != outputs { needed[index].formUnion(missing) }
                    rest.append(index)
                    continue
                }
                needed[index].subtract(outputs)
                needed[index].subtract(safe)
                if needed[index].isEmpty {
                    ordered.append(expressions[index])
                    safe.formUnion(outputs)
                } else {
                    rest.append(index)
                }
            }
            if rest.count == left.count { break }
            left = rest
        }
        if !left.isEmpty {
            reportRoots(left.map { expressions[$0] }, left.map { needed[$0] }, safe)
            ordered.append(contentsOf: left.map { expressions[$0] })
        }
        body.expressions = ordered
        var known = globals
        for expression in ordered {
            orderClosures(expression, known)
            known.formUnion(IRVariables.set(expression))
        }
        for head in heads { orderClosures(IRExpression(.term(head), at: .none), known) }
        return safe
    }

    /// What is printed must have a value by then, in the order of the text.
    private mutating func checkPrints(_ expressions: [IRExpression], _ globals: Set<LocalID>) {
        guard expressions.contains(where: { !$0.printed.isEmpty }) else { return }
        var safe = globals
        for expression in expressions {
            for (variable, location) in expression.printed where !safe.contains(variable) { undeclared.append((variable, location)) }
            safe.formUnion(outputs(expression, safe))
        }
    }

    mutating func orderClosures(_ expression: IRExpression, _ globals: Set<LocalID>) {
        var found: [(IRBody, [IRTerm], [IRTerm])] = []
        IRVariables.closures(expression) { found.append(($0, $1, $2)) }
        for (body, own, heads) in found {
            var inner = globals
            for term in own { IRVariables.all(term) { inner.insert($0) } }
            let safe = order(body, globals: inner, heads: heads)
            for head in heads {
                for variable in IRVariables.set(head).subtracting(safe).sorted() { unsafe.append((variable, expression)) }
            }
        }
    }

    /// Of what is unsafe only the causes: variables that no expression would give even if all others had a value.
    private mutating func reportRoots(_ expressions: [IRExpression], _ needed: [Set<LocalID>], _ safe: Set<LocalID>) {
        let all = needed.reduce(into: Set<LocalID>()) { $0.formUnion($1) }
        var derivable: Set<LocalID> = []
        for (expression, mine) in zip(expressions, needed) {
            for variable in mine where outputs(expression, safe.union(all).subtracting([variable])).contains(variable) {
                derivable.insert(variable)
            }
        }
        var roots = all.subtracting(derivable)
        if roots.isEmpty { roots = all }
        var seen: Set<LocalID> = []
        for (expression, mine) in zip(expressions, needed) {
            for variable in mine.intersection(roots).sorted() where seen.insert(variable).inserted { unsafe.append((variable, expression)) }
        }
    }

    // MARK: what an expression gives

    func outputs(_ expression: IRExpression, _ safe: Set<LocalID>) -> Set<LocalID> {
        if expression.isNegated { return [] }
        for with in expression.with {
            if case .value(let term) = with.value, !IRVariables.set(term).isSubset(of: safe) { return [] }
        }
        switch expression.kind {
        case .term(let term):
            var out: Set<LocalID> = []
            references(term, safe, &out)
            return out
        case .unify(let a, let b):
            var out: Set<LocalID> = []
            references(a, safe, &out)
            references(b, safe, &out)
            if expression.bindsNothing { return out }
            var known = safe.union(out)
            let before = known
            unify(a, b, &known)
            return out.union(known.subtracting(before)).subtracting(safe)
        case .call(_, let arguments, let result):
            var out: Set<LocalID> = []
            for argument in arguments { references(argument, safe, &out) }
            if let result { references(result, safe, &out) }
            for argument in arguments {
                var missing = false
                inputs(argument) { if !out.contains($0) && !safe.contains($0) { missing = true } }
                if missing { return [] }
            }
            if let result { IRVariables.all(result) { if !safe.contains($0) { out.insert($0) } } }
            return out
        case .every(_, _, let domain, _):
            var out: Set<LocalID> = []
            references(domain, safe, &out)
            return out
        case .not, .and, .or: return []
        }
    }

    /// What an argument needs; not the variables that references in it give.
    private func inputs(_ term: IRTerm, _ visit: (LocalID) -> Void) {
        switch term {
        case .constant, .comprehension: break
        case .local(let id): visit(id)
        case .ref(let ref):
            if case .local(let id) = ref.root { visit(id) }
            for part in ref.path { inputs(part, visit) }
        case .array(let parts), .set(let parts): for part in parts { inputs(part, visit) }
        case .object(let items):
            for item in items {
                inputs(item.key, visit)
                inputs(item.value, visit)
            }
        }
    }

    /// The variables in the brackets of references whose beginning has a value.
    private func references(_ term: IRTerm, _ safe: Set<LocalID>, _ out: inout Set<LocalID>) {
        switch term {
        case .constant, .local, .comprehension: break
        case .ref(let ref):
            switch ref.root {
            case .local(let id): if !safe.contains(id) { return }
            case .term(let root): if !IRVariables.set(root).isSubset(of: safe) { return }
            case .input, .data: break
            }
            for part in ref.path {
                references(part, safe, &out)
                var given: [LocalID] = []
                IRVariables.patterns(part) { given.append($0) }
                for id in given where !safe.contains(id) { out.insert(id) }
            }
        case .array(let parts), .set(let parts): for part in parts { references(part, safe, &out) }
        case .object(let items):
            for item in items {
                references(item.key, safe, &out)
                references(item.value, safe, &out)
            }
        }
    }

    private func isKnown(_ term: IRTerm, _ known: Set<LocalID>) -> Bool { IRVariables.set(term).isSubset(of: known) }

    /// Adds the variables that get a value when two terms are made equal.
    private func unify(_ a: IRTerm, _ b: IRTerm, _ known: inout Set<LocalID>) {
        var pairs: [(IRTerm, IRTerm)] = []
        pair(a, b, &pairs)
        var changed = true
        while changed {
            changed = false
            for (left, right) in pairs {
                for (one, other) in [(left, right), (right, left)] where isKnown(other, known) {
                    let before = known.count
                    var given: [LocalID] = []
                    IRVariables.patterns(one) { given.append($0) }
                    known.formUnion(given)
                    if known.count != before { changed = true }
                }
            }
        }
    }

    private func pair(_ a: IRTerm, _ b: IRTerm, _ pairs: inout [(IRTerm, IRTerm)]) {
        switch (a, b) {
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (one, other) in zip(left, right) { pair(one, other, &pairs) }
        case (.object(let left), .object(let right)) where left.count == right.count:
            for (key, value) in left {
                if case .constant(let mine) = key,
                    let match = right.first(where: { if case .constant(let theirs) = $0.key { theirs == mine } else { false } })
                {
                    pair(value, match.value, &pairs)
                } else {
                    pairs.append((a, b))
                }
            }
        case (.array(let parts), .constant(let value)) where value.isArray && value.count == parts.count:
            for (index, part) in parts.enumerated() { pair(part, .constant(value.slot(index)), &pairs) }
        case (.constant, .array): pair(b, a, &pairs)
        default: pairs.append((a, b))
        }
    }
}

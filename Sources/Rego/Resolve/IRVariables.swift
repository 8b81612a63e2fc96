import RegoSyntax

/// Which variables a piece of the intermediate form mentions.
enum IRVariables {
    typealias Visit = (LocalID) -> Void

    /// Variables outside of closures, those that a reference begins with among them.
    static func all(_ term: IRTerm, _ visit: Visit) {
        switch term {
        case .constant, .comprehension: break
        case .local(let id): visit(id)
        case .ref(let ref):
            switch ref.root {
            case .local(let id): visit(id)
            case .term(let term): all(term, visit)
            case .input, .data: break
            }
            for part in ref.path { all(part, visit) }
        case .array(let parts), .set(let parts): for part in parts { all(part, visit) }
        case .object(let items):
            for item in items {
                all(item.key, visit)
                all(item.value, visit)
            }
        }
    }

    static func all(_ expression: IRExpression, _ visit: Visit) {
        for with in expression.with { if case .value(let term) = with.value { all(term, visit) } }
        switch expression.kind {
        case .term(let term): all(term, visit)
        case .unify(let a, let b):
            all(a, visit)
            all(b, visit)
        case .call(_, let arguments, let result):
            for argument in arguments { all(argument, visit) }
            if let result { all(result, visit) }
        case .every(_, _, let domain, _): all(domain, visit)
        case .not, .and, .or: break
        }
    }

    static func set(_ term: IRTerm) -> Set<LocalID> {
        var found: Set<LocalID> = []
        all(term) { found.insert($0) }
        return found
    }

    static func set(_ expression: IRExpression) -> Set<LocalID> {
        var found: Set<LocalID> = []
        all(expression) { found.insert($0) }
        return found
    }

    /// Variables that only a pattern would bind: not those of references and closures, nor of sets and keys of objects.
    static func patterns(_ term: IRTerm, _ visit: Visit) {
        switch term {
        case .local(let id): visit(id)
        case .array(let parts): for part in parts { patterns(part, visit) }
        case .object(let items): for item in items { patterns(item.value, visit) }
        case .constant, .ref, .set, .comprehension: break
        }
    }

    /// The closures of an expression: bodies with what is defined inside of them.
    static func closures(_ expression: IRExpression, _ visit: (_ body: IRBody, _ own: [IRTerm], _ heads: [IRTerm]) -> Void) {
        func inTerm(_ term: IRTerm) {
            switch term {
            case .constant, .local: break
            case .ref(let ref):
                if case .term(let root) = ref.root { inTerm(root) }
                ref.path.forEach(inTerm)
            case .array(let parts), .set(let parts): parts.forEach(inTerm)
            case .object(let items):
                for item in items {
                    inTerm(item.key)
                    inTerm(item.value)
                }
            case .comprehension(let one): visit(one.body, [], (one.key.map { [$0] } ?? []) + [one.value])
            }
        }
        for with in expression.with { if case .value(let term) = with.value { inTerm(term) } }
        switch expression.kind {
        case .term(let term): inTerm(term)
        case .unify(let a, let b):
            inTerm(a)
            inTerm(b)
        case .call(_, let arguments, let result):
            arguments.forEach(inTerm)
            if let result { inTerm(result) }
        case .every(let key, let value, let domain, let body):
            inTerm(domain)
            visit(body, (key.map { [$0] } ?? []) + [value], [])
        case .not(let body): visit(body, [], [])
        case .and(let left, let right), .or(let left, let right):
            visit(left, [], [])
            visit(right, [], [])
        }
    }

    /// All variables of the closures of an expression, at any depth.
    static func inClosures(_ expression: IRExpression, _ found: inout Set<LocalID>) {
        var mine: Set<LocalID> = []
        closures(expression) { body, own, heads in
            for term in own + heads {
                all(term) { mine.insert($0) }
                inClosures(IRExpression(.term(term), at: .none), &mine)
            }
            for inner in body.expressions {
                all(inner) { mine.insert($0) }
                inClosures(inner, &mine)
            }
        }
        found.formUnion(mine)
    }
}

import RegoSyntax

/// The variables of one rule or query: declared ones by scope, the others by name alone.
struct Scopes {
    private struct Scope {
        var declared: [String: LocalID] = [:]
        /// Declared somewhere in this body; until then the name hides what is outside.
        var pending: Set<String> = []
        /// Used here before the declaration.
        var used: Set<String> = []
    }

    private var stack: [Scope] = []
    private var implicit: [String: LocalID] = [:]
    /// What errors call each variable; nil for those that the compiler made.
    private(set) var names: [String?] = []

    enum Found { case local(LocalID), notDeclared }

    mutating func push(pending: Set<String> = []) { stack.append(Scope(pending: pending)) }
    mutating func pop() { stack.removeLast() }

    mutating func generated() -> LocalID {
        names.append(nil)
        return names.count - 1
    }

    /// A new variable of the innermost scope.
    mutating func declare(_ name: String) -> LocalID {
        names.append(name.hasPrefix("$") ? nil : name)
        let id = names.count - 1
        stack[stack.count - 1].declared[name] = id
        return id
    }

    func isDeclaredHere(_ name: String) -> Bool { stack.last?.declared[name] != nil }
    func wasUsedHere(_ name: String) -> Bool { stack.last?.used.contains(name) ?? false }

    /// Whether a name is a variable because it was declared here or further out.
    mutating func find(_ name: String) -> LocalID? {
        for index in stack.indices.reversed() {
            if let id = stack[index].declared[name] { return id }
            if stack[index].pending.contains(name) {
                if index == stack.count - 1 { stack[index].used.insert(name) }
                return implicitly(name)
            }
        }
        return nil
    }

    /// The variable of a name that nothing declares: one for the whole rule.
    mutating func implicitly(_ name: String) -> LocalID {
        if let id = implicit[name] { return id }
        names.append(name.hasPrefix("$") ? "_" : name)
        implicit[name] = names.count - 1
        return names.count - 1
    }

    /// Names of the query's own variables, in the order of their first use.
    var implicitNames: [(String, LocalID)] { implicit.sorted { $0.value < $1.value }.map { ($0.key, $0.value) } }
}

/// The names that a body declares: by `:=` and by `some`.
func declaredNames(_ body: Body) -> Set<String> {
    var names: Set<String> = []
    for expression in body {
        switch expression.kind {
        case .call(let parts) where parts.count == 3 && InfixOperator(operator: parts[0]) == .assign:
            collectPatternNames(parts[1], &names)
        case .some(let declaration):
            for symbol in declaration.symbols {
                if case .call(let parts) = symbol.value {
                    for part in parts.dropFirst().dropLast() { collectPatternNames(part, &names) }
                } else {
                    collectPatternNames(symbol, &names)
                }
            }
        default: break
        }
    }
    return names
}

/// The variables that a pattern would bind; not those in references and calls.
func collectPatternNames(_ term: Term, _ names: inout Set<String>) {
    switch term.value {
    case .variable(let name): if !name.hasPrefix("$") { names.insert(name) }
    case .array(let parts), .set(let parts): for part in parts { collectPatternNames(part, &names) }
    case .object(let items):
        for item in items { collectPatternNames(item.value, &names) }
    default: break
    }
}

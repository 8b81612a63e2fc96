// Variables that OPA's compiler makes: policies that went through it once (bundles built with optimisation) have them.

extension Term {
    /// A variable that a compiler made stands in it.
    var hasGeneratedVariable: Bool {
        switch value {
        case .variable(let name): name.hasPrefix("__local")
        case .ref(let parts), .call(let parts), .array(let parts), .set(let parts): parts.contains(where: \.hasGeneratedVariable)
        case .object(let items): items.contains { $0.key.hasGeneratedVariable || $0.value.hasGeneratedVariable }
        case .arrayComprehension(let inner), .setComprehension(let inner), .objectComprehension(let inner):
            inner.key?.hasGeneratedVariable ?? false || inner.value.hasGeneratedVariable
                || inner.body.contains(where: \.hasGeneratedVariable)
        case .template(let template):
            template.parts.contains { if case .expression(let inner) = $0 { inner.hasGeneratedVariable } else { false } }
        case .null, .boolean, .number, .string: false
        }
    }
}

extension Expression {
    /// A variable that a compiler made stands in it.
    var hasGeneratedVariable: Bool {
        if with.contains(where: { $0.target.hasGeneratedVariable || $0.value.hasGeneratedVariable }) { return true }
        switch kind {
        case .term(let term): return term.hasGeneratedVariable
        case .call(let terms): return terms.contains(where: \.hasGeneratedVariable)
        case .some(let declaration): return declaration.symbols.contains(where: \.hasGeneratedVariable)
        case .every(let every):
            return every.key?.hasGeneratedVariable ?? false || every.value.hasGeneratedVariable || every.domain.hasGeneratedVariable
                || every.body.contains(where: \.hasGeneratedVariable)
        case .not(let inner): return inner.body.contains(where: \.hasGeneratedVariable)
        case .and(let operation), .or(let operation):
            return operation.left.body.contains(where: \.hasGeneratedVariable)
                || operation.right.body.contains(where: \.hasGeneratedVariable)
        }
    }
}

/// Walks a tree in the order of the text, but for the parts an answer of false leaves out.
public protocol TreeVisitor {
    /// - Returns: whether to look within.
    mutating func enter(_ expression: Expression) -> Bool
    /// - Returns: whether to look within.
    mutating func enter(_ term: Term) -> Bool
}

extension TreeVisitor {
    public mutating func enter(_ expression: Expression) -> Bool { true }
    public mutating func enter(_ term: Term) -> Bool { true }

    public mutating func visit(_ module: Module) {
        for rule in module.rules { visit(rule) }
    }

    public mutating func visit(_ rule: Rule) {
        for part in rule.head.ref { visit(part) }
        for argument in rule.head.arguments { visit(argument) }
        if let key = rule.head.key { visit(key) }
        if let value = rule.head.value { visit(value) }
        visit(rule.body)
        for branch in rule.elses {
            visit(branch.value)
            visit(branch.body)
        }
    }

    public mutating func visit(_ body: Body) {
        for expression in body { visit(expression) }
    }

    public mutating func visit(_ expression: Expression) {
        guard enter(expression) else { return }
        switch expression.kind {
        case .term(let term): visit(term)
        case .call(let terms): for term in terms { visit(term) }
        case .some(let declaration): for symbol in declaration.symbols { visit(symbol) }
        case .every(let every):
            if let key = every.key { visit(key) }
            visit(every.value)
            visit(every.domain)
            visit(every.body)
        case .not(let inner): visit(inner.body)
        case .and(let operation), .or(let operation):
            visit(operation.left.body)
            visit(operation.right.body)
        }
        for with in expression.with {
            visit(with.target)
            visit(with.value)
        }
    }

    public mutating func visit(_ term: Term) {
        guard enter(term) else { return }
        switch term.value {
        case .null, .boolean, .number, .string, .variable: break
        case .ref(let parts), .call(let parts), .array(let parts), .set(let parts): for part in parts { visit(part) }
        case .object(let items):
            for item in items {
                visit(item.key)
                visit(item.value)
            }
        case .arrayComprehension(let inner), .setComprehension(let inner), .objectComprehension(let inner):
            if let key = inner.key { visit(key) }
            visit(inner.value)
            visit(inner.body)
        case .template(let template):
            for part in template.parts {
                switch part {
                case .text: break
                case .scalar(let term): visit(term)
                case .expression(let expression): visit(expression)
                }
            }
        }
    }
}

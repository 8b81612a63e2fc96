/// Which keywords of v1 a module needs an import for, when it is written in v0.
struct KeywordUses: TreeVisitor {
    var words: Set<String> = []

    mutating func enter(_ expression: Expression) -> Bool {
        switch expression.kind {
        case .every: words.insert("every")
        case .call(let terms): if terms[0].isMembership { words.insert("in") }
        default: break
        }
        return true
    }

    mutating func enter(_ term: Term) -> Bool {
        if case .call(let terms) = term.value, terms[0].isMembership { words.insert("in") }
        return true
    }
}

extension Term {
    fileprivate var isMembership: Bool {
        let sign = InfixOperator(operator: self)
        return sign == .member || sign == .memberWithKey
    }
}

// Two trees are the same when they mean the same to the compiler: places, parentheses and comments do not count.

extension Term {
    /// Whether the two say the same; places and parentheses do not count.
    public func isSame(as other: Term) -> Bool {
        switch (value, other.value) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.number(let a), .number(let b)), (.string(let a), .string(let b)): a == b
        // Each `_` is a variable of its own, whatever its number.
        case (.variable(let a), .variable(let b)): a == b || (isWildcard && other.isWildcard)
        case (.ref(let a), .ref(let b)), (.call(let a), .call(let b)), (.array(let a), .array(let b)): a.isSame(as: b)
        case (.set(let a), .set(let b)): TermOrder.unique(a).isSame(as: TermOrder.unique(b))
        case (.object(let a), .object(let b)): same(TermOrder.unique(a), TermOrder.unique(b))
        case (.arrayComprehension(let a), .arrayComprehension(let b)), (.setComprehension(let a), .setComprehension(let b)),
            (.objectComprehension(let a), .objectComprehension(let b)):
            same(a.key, b.key) && a.value.isSame(as: b.value) && a.body.isSame(as: b.body)
        case (.template(let a), .template(let b)):
            a.isSame(as: b)
        default: false
        }
    }
}

extension [Term] {
    /// As many terms, each the same.
    public func isSame(as other: [Term]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.isSame(as: $1) }
    }
}

extension TemplateString {
    /// `{42}` and `42` say the same.
    func isSame(as other: TemplateString) -> Bool {
        let (mine, theirs) = (merged, other.merged)
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).allSatisfy { a, b in
            switch (a, b) {
            case (.text(let x), .text(let y)): x == y
            case (.expression(let x), .expression(let y)): x.isSame(as: y)
            default: false
            }
        }
    }

    private enum Merged {
        case text(String)
        case expression(Expression)
    }

    private var merged: [Merged] {
        var result: [Merged] = []
        func add(_ text: String) {
            if case .text(let before)? = result.last { result[result.count - 1] = .text(before + text) } else { result.append(.text(text)) }
        }
        for part in parts {
            switch part {
            case .text(let text, _): add(text)
            case .scalar(let term): if case .string(let text) = term.value { add(text) } else { add(TermText.text(of: term)) }
            case .expression(let expression): result.append(.expression(expression))
            }
        }
        return result
    }
}

extension Body {
    /// As many expressions, each the same.
    public func isSame(as other: Body) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.isSame(as: $1) }
    }
}

extension Expression {
    /// Whether the two say the same; places do not count.
    public func isSame(as other: Expression) -> Bool {
        guard isNegated == other.isNegated, with.count == other.with.count else { return false }
        for (a, b) in zip(with, other.with) where !(a.target.isSame(as: b.target) && a.value.isSame(as: b.value)) { return false }
        switch (kind, other.kind) {
        case (.term(let a), .term(let b)): return a.isSame(as: b)
        case (.call(let a), .call(let b)): return a.isSame(as: b)
        case (.some(let a), .some(let b)): return a.symbols.isSame(as: b.symbols)
        case (.every(let a), .every(let b)):
            return same(a.key, b.key) && a.value.isSame(as: b.value) && a.domain.isSame(as: b.domain) && a.body.isSame(as: b.body)
        case (.not(let a), .not(let b)): return a.body.isSame(as: b.body)
        case (.and(let a), .and(let b)), (.or(let a), .or(let b)):
            return a.left.body.isSame(as: b.left.body) && a.right.body.isSame(as: b.right.body)
        default: return false
        }
    }
}

extension Rule {
    /// Whether the two say the same; places and the words `if` and `contains` do not count.
    public func isSame(as other: Rule) -> Bool {
        isDefault == other.isDefault && head.isSame(as: other.head) && body.isSame(as: other.body) && elses.count == other.elses.count
            && zip(elses, other.elses).allSatisfy { $0.value.isSame(as: $1.value) && $0.body.isSame(as: $1.body) }
    }
}

extension Head {
    func isSame(as other: Head) -> Bool {
        // With a value, the key is a part of the reference as well.
        kind == other.kind && ref.isSame(as: other.ref) && arguments.isSame(as: other.arguments)
            && (value != nil || same(key, other.key)) && same(value, other.value)
    }
}

extension Module {
    /// Whether the two say the same; places, comments, imports of keywords, the order of imports and how the rules were written do not count.
    public func isSame(as other: Module) -> Bool {
        // The order of imports says nothing.
        let mine = imports.filter { !$0.isOfKeywords }.sorted { TermOrder.compare(refs: $0.path, $1.path) < 0 }
        let theirs = other.imports.filter { !$0.isOfKeywords }.sorted { TermOrder.compare(refs: $0.path, $1.path) < 0 }
        return package.path.isSame(as: other.package.path) && mine.count == theirs.count
            && zip(mine, theirs).allSatisfy { $0.path.isSame(as: $1.path) && $0.alias == $1.alias } && rules.count == other.rules.count
            && zip(rules, other.rules).allSatisfy { $0.isSame(as: $1) }
    }
}

extension Import {
    /// `import rego.v1` or `import future.keywords…`: it changes how the text is read and defines nothing.
    public var isOfKeywords: Bool {
        guard case .variable(let root) = path.first?.value else { return false }
        return root == "future" || root == "rego"
    }
}

private func same(_ a: Term?, _ b: Term?) -> Bool {
    switch (a, b) {
    case (nil, nil): true
    case (let a?, let b?): a.isSame(as: b)
    default: false
    }
}

private func same(_ a: [ObjectItem], _ b: [ObjectItem]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.key.isSame(as: $1.key) && $0.value.isSame(as: $1.value) }
}

/// Rego's order of terms, as OPA sorts imports, sets and the keys of objects before anything is evaluated.
enum TermOrder {
    static func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    /// Below 0, 0 or above 0. Numbers compare by their value as far as a double holds it, then by their text.
    static func compare(_ a: Term, _ b: Term) -> Int {
        let (left, right) = (rank(a.value), rank(b.value))
        guard left == right else { return left < right ? -1 : 1 }
        switch (a.value, b.value) {
        case (.boolean(let x), .boolean(let y)): return x == y ? 0 : (x ? 1 : -1)
        case (.number(let x), .number(let y)): return compareNumbers(x, y)
        case (.string(let x), .string(let y)), (.variable(let x), .variable(let y)): return compare(x, y)
        case (.ref(let x), .ref(let y)), (.call(let x), .call(let y)), (.array(let x), .array(let y)): return compare(refs: x, y)
        case (.set(let x), .set(let y)): return compare(refs: unique(x), unique(y))
        case (.object(let x), .object(let y)): return compare(unique(x), unique(y))
        default: return compare(TermText.text(of: a), TermText.text(of: b))
        }
    }

    static func compare(refs a: [Term], _ b: [Term]) -> Int {
        for (x, y) in zip(a, b) {
            let order = compare(x, y)
            if order != 0 { return order }
        }
        return a.count == b.count ? 0 : (a.count < b.count ? -1 : 1)
    }

    /// A set's elements, sorted, each once.
    static func unique(_ terms: [Term]) -> [Term] {
        var result: [Term] = []
        result.reserveCapacity(terms.count)
        for term in terms.sorted(by: { compare($0, $1) < 0 }) {
            if let last = result.last, compare(last, term) == 0 { continue }
            result.append(term)
        }
        return result
    }

    /// An object's items, sorted by key, each key once with its last value.
    static func unique(_ items: [ObjectItem]) -> [ObjectItem] {
        var result: [ObjectItem] = []
        result.reserveCapacity(items.count)
        // Swift's sort is stable, so that the last value of a key comes last.
        for item in items.sorted(by: { compare($0.key, $1.key) < 0 }) {
            if let last = result.last, compare(last.key, item.key) == 0 {
                result[result.count - 1].value = item.value
            } else {
                result.append(item)
            }
        }
        return result
    }

    private static func compare(_ a: [ObjectItem], _ b: [ObjectItem]) -> Int {
        for (x, y) in zip(a, b) {
            let key = compare(x.key, y.key)
            if key != 0 { return key }
            let value = compare(x.value, y.value)
            if value != 0 { return value }
        }
        return a.count == b.count ? 0 : (a.count < b.count ? -1 : 1)
    }

    private static func compare(_ a: String, _ b: String) -> Int { a == b ? 0 : (isBefore(a, b) ? -1 : 1) }

    private static func compareNumbers(_ a: String, _ b: String) -> Int {
        if a == b { return 0 }
        if let x = Int64(a), let y = Int64(b) { return x == y ? 0 : (x < y ? -1 : 1) }
        let (x, y) = (Double(a) ?? 0, Double(b) ?? 0)
        if x != y { return x < y ? -1 : 1 }
        // Equal doubles: equal numbers when both are short, else told apart by their text.
        return a.utf8.count <= 15 && b.utf8.count <= 15 ? 0 : compare(a, b)
    }

    private static func rank(_ value: TermValue) -> Int {
        switch value {
        case .null: 0
        case .boolean: 1
        case .number: 2
        case .string: 3
        case .template: 4
        case .variable: 5
        case .ref: 6
        case .array: 7
        case .object: 8
        case .set: 9
        case .arrayComprehension: 10
        case .objectComprehension: 11
        case .setComprehension: 12
        case .call: 13
        }
    }
}

/// From the values of one reference to sets of rules.
final class RuleTable {
    /// What a rule lets through.
    enum Demand {
        case anyOf([Value])
        case startsWith([Value])
        /// All of these comparisons hold.
        case within([(comparison: Comparison, bound: Value)])
    }

    enum Comparison { case less, lessOrEqual, greater, greaterOrEqual }

    /// More bounds are thinned out; the rules whose bounds are gone ask for themselves.
    static let boundsMax = 512
    /// Prefixes are looked up length by length.
    static let prefixLengthsMax = 16

    private let kind: RuleIndex.View.Entry.Kind
    private let sets: RuleSets
    private let slots: UnsafeMutablePointer<RuleIndex.View.Entry.Slot>
    private let mask: Int
    private let list: UnsafeMutablePointer<Value>
    private let listCount: Int
    private let ranges: UnsafeMutablePointer<UInt64>
    private let otherwise: UInt64
    /// The rules of which the table knows for sure that what they ask holds when they are candidates.
    private(set) var decides: [Bool]

    deinit {
        slots.deallocate()
        list.deallocate()
        ranges.deallocate()
    }

    func entry(_ source: Int) -> RuleIndex.View.Entry {
        RuleIndex.View.Entry(
            kind: kind, source: source, otherwise: otherwise, slots: UnsafePointer(slots), mask: mask, list: UnsafePointer(list),
            count: listCount, sets: UnsafePointer(ranges))
    }

    private init(
        kind: RuleIndex.View.Entry.Kind, sets: RuleSets, otherwise: UInt64, slots known: [(value: Value, set: UInt64)], list: [Value],
        ranges: [UInt64], decides: [Bool]
    ) {
        self.kind = kind
        self.sets = sets
        self.otherwise = otherwise
        self.decides = decides
        var size = 4
        while size < known.count * 2 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: RuleIndex.View.Entry.Slot(value: .undefined, set: 0), count: size)
        self.list = .allocate(capacity: max(list.count, 1))
        self.list.initialize(from: list, count: list.count)
        listCount = list.count
        self.ranges = .allocate(capacity: max(ranges.count, 1))
        self.ranges.initialize(from: ranges, count: ranges.count)
        for (value, set) in known {
            var at = Int(value.hash) & mask
            while slots[at].value.isDefined { at = (at + 1) & mask }
            slots[at] = RuleIndex.View.Entry.Slot(value: value, set: set)
        }
    }

    /// The rules, one bit each, that do not ask.
    private static func silent(_ demands: [Demand?]) -> [UInt64] {
        var bits = [UInt64](repeating: 0, count: RuleSets.wordCount(demands.count))
        for (rule, demand) in demands.enumerated() where demand == nil { mark(&bits, rule) }
        return bits
    }

    private static func mark(_ bits: inout [UInt64], _ rule: Int) { bits[rule / 64] |= 1 << UInt64(rule % 64) }
    private static func clear(_ bits: inout [UInt64], _ rule: Int) { bits[rule / 64] &= ~(1 << UInt64(rule % 64)) }

    /// For each rule what it demands, nil when it does not ask; all demands are of one kind. Nil when the table would be too large or of no use.
    static func make(_ demands: [Demand?]) -> RuleTable? {
        for case .some(let demand) in demands {
            switch demand {
            case .anyOf: return values(demands)
            case .startsWith: return prefixes(demands)
            case .within: return ranges(demands)
            }
        }
        return nil
    }

    private static func values(_ demands: [Demand?]) -> RuleTable? {
        var order: [Value] = []
        var rules: [Value: [Int]] = [:]
        for (rule, demand) in demands.enumerated() {
            guard case .anyOf(let values) = demand else { continue }
            for value in values {
                if rules[value] == nil { order.append(value) }
                rules[value, default: []].append(rule)
            }
        }
        let silent = silent(demands)
        let sets = RuleSets(ruleCount: demands.count, setCount: order.count + 1)
        guard let otherwise = sets.add(silent) else { return nil }
        var known: [(value: Value, set: UInt64)] = []
        for value in order {
            var bits = silent
            for rule in rules[value] ?? [] { mark(&bits, rule) }
            guard let set = sets.add(bits) else { return nil }
            known.append((value, set))
        }
        return RuleTable(
            kind: .values, sets: sets, otherwise: otherwise, slots: known, list: [], ranges: [], decides: demands.map { $0 != nil })
    }

    private static func prefixes(_ demands: [Demand?]) -> RuleTable? {
        var rules: [Value: [Int]] = [:]
        for (rule, demand) in demands.enumerated() {
            guard case .startsWith(let prefixes) = demand else { continue }
            for prefix in prefixes { rules[prefix, default: []].append(rule) }
        }
        let lengths = Set(rules.keys.map { Int($0.length) }).sorted(by: >)
        guard lengths.count <= prefixLengthsMax else { return nil }
        let silent = silent(demands)
        let sets = RuleSets(ruleCount: demands.count, setCount: rules.count + 2)
        // What is no string is asked by every rule: the built-in has an error to tell.
        let everybody = demands.indices.reduce(into: silent) { mark(&$0, $1) }
        guard let otherwise = sets.add(silent), let all = sets.add(everybody) else { return nil }
        var known: [(value: Value, set: UInt64)] = []
        // In order, those that a prefix begins with are the ones before it that it still continues.
        var open: [(prefix: Value, bits: [UInt64])] = []
        for prefix in rules.keys.sorted() {
            while let last = open.last, !prefix.utf8.starts(with: last.prefix.utf8) { open.removeLast() }
            var bits = open.last?.bits ?? silent
            for rule in rules[prefix] ?? [] { mark(&bits, rule) }
            guard let set = sets.add(bits) else { return nil }
            known.append((prefix, set))
            open.append((prefix, bits))
        }
        return RuleTable(
            kind: .prefixes, sets: sets, otherwise: otherwise, slots: known, list: lengths.map { Value($0) }, ranges: [all],
            decides: demands.map { _ in false })
    }

    private static func ranges(_ demands: [Demand?]) -> RuleTable? {
        var bounds: [Value] = []
        for case .within(let comparisons) in demands { bounds.append(contentsOf: comparisons.map(\.bound)) }
        bounds = Set(bounds).sorted()
        if bounds.count > boundsMax {
            let all = bounds
            bounds = (0..<boundsMax).map { all[$0 * all.count / boundsMax] }
        }
        // Ranges are numbered: 0 below the first bound, 1 at it, 2 between it and the second one, …
        let last = bounds.count * 2
        var decides = [Bool](repeating: false, count: demands.count)
        var begins = [[Int]](repeating: [], count: last + 2)
        var ends = begins
        for (rule, demand) in demands.enumerated() {
            guard case .within(let comparisons) = demand else { continue }
            var (first, end, isExact) = (0, last, true)
            for (comparison, bound) in comparisons {
                let below = bounds.partitioningIndex { $0 >= bound }
                if below < bounds.count && bounds[below] == bound {
                    switch comparison {
                    case .less: end = min(end, below * 2)
                    case .lessOrEqual: end = min(end, below * 2 + 1)
                    case .greater: first = max(first, below * 2 + 2)
                    case .greaterOrEqual: first = max(first, below * 2 + 1)
                    }
                } else {
                    isExact = false
                    switch comparison {
                    case .less, .lessOrEqual: end = min(end, below * 2)
                    case .greater, .greaterOrEqual: first = max(first, below * 2)
                    }
                }
            }
            decides[rule] = isExact
            if first <= end {
                begins[first].append(rule)
                ends[end + 1].append(rule)
            }
        }
        let silent = silent(demands)
        let sets = RuleSets(ruleCount: demands.count, setCount: last + 2)
        guard let otherwise = sets.add(silent) else { return nil }
        var bits = silent
        var made: [UInt64] = []
        for range in 0...last {
            for rule in begins[range] { mark(&bits, rule) }
            for rule in ends[range] { clear(&bits, rule) }
            guard let set = sets.add(bits) else { return nil }
            made.append(set)
        }
        return RuleTable(kind: .ranges, sets: sets, otherwise: otherwise, slots: [], list: bounds, ranges: made, decides: decides)
    }
}

extension [Value] {
    /// The first index from which on the condition holds; what does not hold comes before.
    fileprivate func partitioningIndex(_ holds: (Value) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Which rules of a group can hold, told by a few values of the input or of a function's arguments.
///
/// Each reference that rules compare with constants has a table from its value to a bit set of rules: those that let this value through, and those
/// that do not ask. The intersection of the sets for the values of one input are the candidates; nobody else is looked at. Each set has a summary
/// with a bit for every 64 rules, so that the intersection touches only words that can hold a candidate.
// SAFETY: filled while compiling, then only read.
final class RuleIndex: @unchecked Sendable {
    /// Smaller groups are as quick without.
    static let rulesMin = 4
    /// Groups of at least this many rules are put into an order that the sets profit from; fewer are a few words anyway.
    static let clusteredMin = 256
    /// References that are looked at; more hardly ever leave fewer candidates.
    static let referencesMax = 6
    /// Words of the sets of one reference. A table that would need more is not made: the rules ask for themselves.
    static let tableWordsMax = 4 << 20
    /// Tables up to this many words are written out; larger ones leave out the words without a rule.
    static let denseWordsMax = 128 << 10

    let ruleCount: Int
    private(set) var tables: [RuleTable] = []
    private let entries: UnsafeMutablePointer<View.Entry>

    init(ruleCount: Int) {
        self.ruleCount = ruleCount
        entries = .allocate(capacity: RuleIndex.referencesMax)
    }

    deinit { entries.deallocate() }

    var isFull: Bool { tables.count == RuleIndex.referencesMax }

    /// - Parameter source: which of the values in front of the index the table is asked for.
    func add(_ table: RuleTable, source: Int) {
        precondition(!isFull, "a table too many")
        (entries + tables.count).initialize(to: table.entry(source))
        tables.append(table)
    }

    /// What the machine reads: addresses alone, so that nothing is counted. Valid as long as the index.
    func view() -> View {
        View(
            ruleCount: ruleCount, wordCount: RuleSets.wordCount(ruleCount), summaryCount: RuleSets.summaryCount(ruleCount),
            tableCount: tables.count, entries: UnsafePointer(entries))
    }
}

extension RuleIndex {
    struct View {
        struct Entry {
            enum Kind: UInt8 { case values, prefixes, ranges }

            struct Slot {
                var value: Value
                var set: UInt64
            }

            let kind: Kind
            /// Which of the registers in front of the index has the value.
            let source: Int
            /// The set for what nobody asks for, and for what is undefined.
            let otherwise: UInt64
            /// Values or prefixes by their hash.
            let slots: UnsafePointer<Slot>
            let mask: Int
            /// The lengths of prefixes, the longest first, or the bounds of ranges in Rego's order.
            let list: UnsafePointer<Value>
            let count: Int
            /// The sets of the ranges: below the first bound, at it, between it and the second one, …; or of what is no string, for prefixes.
            let sets: UnsafePointer<UInt64>

            @inline(__always) func set(for value: Value) -> UInt64 {
                if value.isUndefined { return otherwise }
                guard kind == .values else { return kind == .prefixes ? prefixSet(value) : rangeSet(value) }
                var at = Int(value.hash) & mask
                while slots[at].value.isDefined {
                    if slots[at].value == value { return slots[at].set }
                    at = (at &+ 1) & mask
                }
                return otherwise
            }

            @inline(never) private func prefixSet(_ value: Value) -> UInt64 {
                guard value.isString else { return sets[0] }
                let text = value.textBytes
                for index in 0..<count {
                    let length = Int(list[index].bits)
                    if length > text.count { continue }
                    let prefix = UnsafeRawBufferPointer(rebasing: text[..<length])
                    let hash = Value.hash(prefix)
                    var at = Int(hash) & mask
                    while slots[at].value.isDefined {
                        let known = slots[at].value
                        if known.hash == hash, Int(known.length) == length, Value.compareBytes(known.textBytes, prefix) == 0 {
                            return slots[at].set
                        }
                        at = (at &+ 1) & mask
                    }
                }
                return otherwise
            }

            @inline(never) private func rangeSet(_ value: Value) -> UInt64 {
                var low = 0
                var high = count
                while low < high {
                    let middle = (low &+ high) >> 1
                    if Value.compare(list[middle], value) < 0 { low = middle &+ 1 } else { high = middle }
                }
                return sets[low < count && list[low] == value ? low &* 2 &+ 1 : low &* 2]
            }
        }

        let ruleCount: Int
        let wordCount: Int
        let summaryCount: Int
        let tableCount: Int
        let entries: UnsafePointer<Entry>

        /// The first candidate at or after a rule; -1: there is none. `sets` are the sets of the input's values, one for each table.
        @inline(__always) func next(from rule: Int, _ sets: UnsafePointer<Value>) -> Int {
            if rule >= ruleCount { return -1 }
            var word = rule >> 6
            var low = ~UInt64(0) << UInt64(rule & 63)
            while word < wordCount {
                // The words that the summary leaves, from this one on.
                let part = word >> 6
                var summary = ~UInt64(0) << UInt64(word & 63)
                for index in 0..<tableCount { summary &= RuleSets.summary(sets[index].bits, part) }
                if summary == 0 {
                    word = (part &+ 1) << 6
                    low = ~0
                    continue
                }
                let found = part << 6 | summary.trailingZeroBitCount
                if found != word { low = ~0 }
                word = found
                var bits = low
                for index in 0..<tableCount { bits &= RuleSets.word(sets[index].bits, word, summaryCount) }
                if bits != 0 { return word << 6 | bits.trailingZeroBitCount }
                word &+= 1
                low = ~0
            }
            return -1
        }
    }
}

/// Which rules of a group can hold, told by a few values of the input.
///
/// Each reference that rules compare with constants has a table from values to bit sets of rules: those that want this value, and those that do not
/// ask for it. The intersection of the sets for the values of one input are the candidates; nobody else is looked at. Each set has a summary with
/// a bit for every 64 rules, so that the intersection touches only words that can hold a candidate.
// SAFETY: filled while compiling, then only read.
final class RuleIndex: @unchecked Sendable {
    /// Smaller groups are as quick without.
    static let rulesMin = 4
    /// References that are looked at; more hardly ever leave fewer candidates.
    static let referencesMax = 6

    let ruleCount: Int
    let wordCount: Int
    let summaryCount: Int
    private(set) var tables: [Table] = []

    /// From the values of one reference to the sets.
    final class Table {
        /// Summary words, then words; the first set is that of every other value.
        let sets: UnsafeMutablePointer<UInt64>
        let slots: UnsafeMutablePointer<Slot>
        let mask: Int
        let stride: Int

        struct Slot {
            var value: Value
            var set: Int
        }

        init(stride: Int, setCount: Int, slotCount: Int) {
            self.stride = stride
            sets = .allocate(capacity: stride * setCount)
            sets.initialize(repeating: 0, count: stride * setCount)
            mask = slotCount - 1
            slots = .allocate(capacity: slotCount)
            slots.initialize(repeating: Slot(value: .undefined, set: 0), count: slotCount)
        }

        deinit {
            sets.deallocate()
            slots.deallocate()
        }

        func insert(_ value: Value, _ set: Int) {
            var at = Int(value.hash) & mask
            while slots[at].value.isDefined { at = (at + 1) & mask }
            slots[at] = Slot(value: value, set: set)
        }
    }

    init(ruleCount: Int) {
        self.ruleCount = ruleCount
        wordCount = (ruleCount + 63) / 64
        summaryCount = (wordCount + 63) / 64
    }

    /// Adds a reference: for each rule the values it accepts, nil when it does not ask.
    func add(_ accepted: [[Value]?]) {
        var order: [Value] = []
        var setOf: [Value: Int] = [:]
        for value in accepted.compactMap({ $0 }).joined() where setOf[value] == nil {
            order.append(value)
            setOf[value] = order.count
        }
        var slotCount = 4
        while slotCount < order.count * 2 { slotCount *= 2 }
        let stride = summaryCount + wordCount
        let table = Table(stride: stride, setCount: order.count + 1, slotCount: slotCount)
        for value in order { table.insert(value, setOf[value] ?? 0) }
        func mark(_ set: Int, _ rule: Int) {
            table.sets[set * stride + rule / 4096] |= 1 << UInt64(rule / 64 % 64)
            table.sets[set * stride + summaryCount + rule / 64] |= 1 << UInt64(rule % 64)
        }
        for (rule, values) in accepted.enumerated() {
            if let values {
                for value in values { mark(setOf[value] ?? 0, rule) }
            } else {
                for set in 0...order.count { mark(set, rule) }
            }
        }
        tables.append(table)
    }

    /// What the machine reads: addresses alone, so that nothing is counted. Valid as long as the index.
    func view() -> View {
        let entries = UnsafeMutablePointer<View.Entry>.allocate(capacity: max(tables.count, 1))
        for (offset, table) in tables.enumerated() {
            (entries + offset).initialize(
                to: View.Entry(
                    sets: UnsafePointer(table.sets), slots: UnsafePointer(table.slots), mask: table.mask, stride: table.stride))
        }
        return View(
            ruleCount: ruleCount, wordCount: wordCount, summaryCount: summaryCount, tableCount: tables.count,
            entries: UnsafePointer(entries))
    }
}

extension RuleIndex {
    struct View {
        struct Entry {
            let sets: UnsafePointer<UInt64>
            let slots: UnsafePointer<Table.Slot>
            let mask: Int
            let stride: Int

            /// The set for a value; the first one is that of every value nobody asks for.
            @inline(__always) func set(for value: Value) -> UnsafePointer<UInt64> {
                if value.isUndefined { return sets }
                var at = Int(value.hash) & mask
                while slots[at].value.isDefined {
                    if slots[at].value == value { return sets + slots[at].set &* stride }
                    at = (at &+ 1) & mask
                }
                return sets
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
                for index in 0..<tableCount { summary &= View.words(sets[index])[part] }
                if summary == 0 {
                    word = (part &+ 1) << 6
                    low = ~0
                    continue
                }
                let found = part << 6 | summary.trailingZeroBitCount
                if found != word { low = ~0 }
                word = found
                var bits = low
                for index in 0..<tableCount { bits &= View.words(sets[index])[summaryCount &+ word] }
                if bits != 0 { return word << 6 | bits.trailingZeroBitCount }
                word &+= 1
                low = ~0
            }
            return -1
        }

        @inline(__always) private static func words(_ value: Value) -> UnsafePointer<UInt64> {
            UnsafePointer(bitPattern: UInt(truncatingIfNeeded: value.bits)).unsafelyUnwrapped
        }
    }
}

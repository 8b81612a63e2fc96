/// The bit sets of one table: each the address of a summary and the words behind it.
///
/// Written out, a set is its summary words and then a word for every 64 rules. Packed (bit 0 of the address is set), each summary word has beside it
/// where its words begin, and only the words that are not zero follow.
final class RuleSets {
    private let ruleCount: Int
    private let isPacked: Bool
    private var blocks: [UnsafeMutablePointer<UInt64>] = []
    private var wordsLeft: Int

    static func wordCount(_ rules: Int) -> Int { (rules + 63) / 64 }
    static func summaryCount(_ rules: Int) -> Int { (wordCount(rules) + 63) / 64 }

    init(ruleCount: Int, setCount: Int) {
        self.ruleCount = ruleCount
        isPacked = setCount * (RuleSets.wordCount(ruleCount) + RuleSets.summaryCount(ruleCount)) > RuleIndex.denseWordsMax
        wordsLeft = RuleIndex.tableWordsMax
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Adds a set from its words; nil when the table has become too large.
    func add(_ bits: [UInt64]) -> UInt64? {
        let summaryCount = RuleSets.summaryCount(ruleCount)
        let used = bits.reduce(into: 0) { $0 += $1 == 0 ? 0 : 1 }
        let size = isPacked ? summaryCount * 2 + used : summaryCount + bits.count
        wordsLeft -= size
        guard wordsLeft >= 0 else { return nil }
        let block = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
        block.initialize(repeating: 0, count: size)
        blocks.append(block)
        var next = summaryCount * 2
        for (word, value) in bits.enumerated() {
            let part = word / 64
            if isPacked && word % 64 == 0 { block[part * 2 + 1] = UInt64(next) }
            if !isPacked { block[summaryCount + word] = value }
            if value == 0 { continue }
            block[isPacked ? part * 2 : part] |= 1 << UInt64(word % 64)
            if isPacked {
                block[next] = value
                next += 1
            }
        }
        return UInt64(UInt(bitPattern: block)) | (isPacked ? 1 : 0)
    }

    @inline(__always) private static func words(_ set: UInt64) -> UnsafePointer<UInt64> {
        UnsafePointer(bitPattern: UInt(truncatingIfNeeded: set & ~1)).unsafelyUnwrapped
    }

    @inline(__always) static func summary(_ set: UInt64, _ part: Int) -> UInt64 {
        words(set)[part &<< Int(truncatingIfNeeded: set & 1)]
    }

    /// A word that is not zero by the summary.
    @inline(__always) static func word(_ set: UInt64, _ word: Int, _ summaryCount: Int) -> UInt64 {
        set & 1 == 0 ? words(set)[summaryCount &+ word] : packedWord(set, word)
    }

    @inline(never) private static func packedWord(_ set: UInt64, _ word: Int) -> UInt64 {
        let words = words(set)
        let part = word >> 6
        let before = words[part &* 2] & ((1 &<< UInt64(word & 63)) &- 1)
        return words[Int(words[part &* 2 &+ 1]) &+ before.nonzeroBitCount]
    }
}

/// Replaces many patterns in one pass, as Go's `strings.NewReplacer` does: at each position the first pattern in argument order
/// that matches wins, and what was written is not read again.
struct PatternReplacer {
    private let pairs: [(old: [UInt8], new: [UInt8])]
    /// Which pairs can begin with a byte; keeps a long text with many patterns from being compared with all of them.
    private var byFirstByte: [UInt8: [Int]] = [:]
    private let empty: Int?

    init(_ pairs: [(old: [UInt8], new: [UInt8])]) {
        self.pairs = pairs
        empty = pairs.firstIndex { $0.old.isEmpty }
        for (index, pair) in pairs.enumerated() {
            if let first = pair.old.first { byFirstByte[first, default: []].append(index) }
        }
    }

    /// - Throws: when the result would pass `bytesMax`.
    func replace(in text: [UInt8], bytesMax: Int) throws(BuiltinFailure) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        // Go does not match an empty pattern twice without a byte in between, nor right after a match.
        var previousMatchWasEmpty = false
        while index <= text.count {
            if result.count > bytesMax { throw .tooLarge("strings.replace_n", bytesMax) }
            var match: Int?
            if index < text.count, let candidates = byFirstByte[text[index]] {
                match = candidates.first { text[index...].starts(with: pairs[$0].old) }
            }
            if let empty, !previousMatchWasEmpty, match.map({ empty < $0 }) ?? true { match = empty }
            if let match {
                previousMatchWasEmpty = pairs[match].old.isEmpty
                result += pairs[match].new
                index += pairs[match].old.count
                continue
            }
            previousMatchWasEmpty = false
            if index < text.count { result.append(text[index]) }
            index += 1
        }
        return result
    }
}

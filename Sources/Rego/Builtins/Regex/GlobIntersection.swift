/// `regex.globs_match`: whether any text matches both of two simple patterns (characters, `.`, sets, each with `*` or `+`).
///
/// Each pattern is a row of tokens; the pairs of places in both rows that one text can reach together are searched.
enum GlobIntersection {
    private struct Token {
        /// Closed ranges of runes; nil is any rune.
        var ranges: [ClosedRange<UInt32>]?
        var repeats = false
        var isOptional = false

        func meets(_ other: Token) -> Bool {
            guard let ranges, let others = other.ranges else { return true }
            return ranges.contains { range in others.contains { $0.overlaps(range) } }
        }
    }

    static func intersects(_ left: [UInt8], _ right: [UInt8]) throws(BuiltinFailure) -> Bool {
        let (left, right) = (try tokens(left), try tokens(right))
        guard (left.count + 1) * (right.count + 1) <= BuiltinLimits.matchStepsMax else {
            throw .tooLarge("places in both patterns", BuiltinLimits.matchStepsMax)
        }
        let width = right.count + 1
        var seen = [Bool](repeating: false, count: (left.count + 1) * width)
        var pending = [(0, 0)]
        while let (i, j) = pending.popLast() {
            if seen[i * width + j] { continue }
            seen[i * width + j] = true
            if i == left.count && j == right.count { return true }
            if i < left.count, left[i].isOptional { pending.append((i + 1, j)) }
            if j < right.count, right[j].isOptional { pending.append((i, j + 1)) }
            guard i < left.count, j < right.count, left[i].meets(right[j]) else { continue }
            pending.append((i + 1, j + 1))
            // After one rune, a repeated token may take more.
            if left[i].repeats { pending.append((i, j + 1)) }
            if right[j].repeats { pending.append((i + 1, j)) }
        }
        return false
    }

    private static func tokens(_ pattern: [UInt8]) throws(BuiltinFailure) -> [Token] {
        let runes = Runes.all(pattern)
        func bad(_ position: Int, _ message: String) -> BuiltinFailure {
            BuiltinFailure(
                "input:\(String(decoding: pattern, as: UTF8.self)), pos:\(position + 1), \(message): the input provided is invalid")
        }
        var tokens: [Token] = []
        var index = 0
        var mayRepeat = false
        while index < runes.count {
            let rune = runes[index]
            switch rune {
            case 0x2A, 0x2B:  // * +
                guard mayRepeat else { throw bad(index, "flag '\(UnicodeScalar(rune)!)' must be preceded by a non-flag") }
                // One or more is one and then any number; the token itself may be used again.
                tokens[tokens.count - 1].repeats = true
                tokens[tokens.count - 1].isOptional = rune == 0x2A
                mayRepeat = false
                index += 1
                continue
            case 0x5D: throw bad(index, "set-close ']' with no preceding '['")
            case 0x2E: tokens.append(Token(ranges: nil))
            case 0x5B:
                let (ranges, end) = try set(runes, index + 1, bad)
                tokens.append(Token(ranges: ranges))
                index = end
            case 0x5C:
                index += 1
                guard index < runes.count else { throw bad(index - 1, "escape '\\' must be followed by a character") }
                tokens.append(Token(ranges: [runes[index]...runes[index]]))
            default: tokens.append(Token(ranges: [rune...rune]))
            }
            mayRepeat = true
            index += 1
        }
        return tokens
    }

    /// The ranges of a set, and where its bracket closes.
    private static func set(
        _ runes: [UInt32], _ start: Int, _ bad: (Int, String) -> BuiltinFailure
    ) throws(BuiltinFailure) -> ([ClosedRange<UInt32>], Int) {
        var ranges: [ClosedRange<UInt32>] = []
        var index = start
        func literal() -> UInt32? {
            guard index < runes.count else { return nil }
            if runes[index] == 0x5C {
                index += 1
                guard index < runes.count else { return nil }
            }
            index += 1
            return runes[index - 1]
        }
        while index < runes.count {
            if runes[index] == 0x5D { return (ranges, index) }
            if runes[index] == 0x2D { throw bad(index, "range '-' must be preceded by a character") }
            guard let low = literal() else { break }
            guard index < runes.count, runes[index] == 0x2D else {
                ranges.append(low...low)
                continue
            }
            index += 1
            guard index < runes.count, runes[index] != 0x5D, let high = literal() else {
                throw bad(index - 1, "range '-' must be followed by a character")
            }
            guard low <= high else { throw bad(index - 1, "range is out of order") }
            ranges.append(low...high)
        }
        throw bad(start - 1, "set-open '[' with no matching ']'")
    }
}

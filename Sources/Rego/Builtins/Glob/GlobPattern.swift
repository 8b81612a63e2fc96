/// A pattern of `glob.match`: `*` and `?` stop at delimiters, `**` does not; `[abc]`, `[!a-c]`, `{this,that}`, `\` escapes.
///
/// Compiled to a small machine whose states are advanced together, so that no pattern makes matching take longer than text × pattern.
struct GlobPattern {
    private enum Step {
        case rune(UInt32)
        /// One rune that is no delimiter.
        case single
        case list(Set<UInt32>, negated: Bool)
        case range(ClosedRange<UInt32>, negated: Bool)
        /// Go on at the next step, and at each of these.
        case split([Int])
        case jump(Int)
        /// Stay here for any rune (that is no delimiter), or go on.
        case star(stopsAtDelimiters: Bool)
        case match
    }

    private var steps: [Step] = []
    private let delimiters: Set<UInt32>

    init(_ pattern: [UInt8], delimiters: [UInt32]) throws(BuiltinFailure) {
        self.delimiters = Set(delimiters)
        var reader = Reader(runes: Runes.all(pattern))
        try compile(&reader, depth: 0)
        steps.append(.match)
    }

    private struct Reader {
        let runes: [UInt32]
        var index = 0
        var isAtEnd: Bool { index == runes.count }
        var peek: UInt32? { index < runes.count ? runes[index] : nil }
        mutating func next() -> UInt32? {
            guard index < runes.count else { return nil }
            index += 1
            return runes[index - 1]
        }
    }

    /// Compiles up to the end, or, inside of braces, up to "," or "}", which it leaves unread.
    private mutating func compile(_ reader: inout Reader, depth: Int) throws(BuiltinFailure) {
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a glob pattern", BuiltinLimits.depthMax) }
        while let rune = reader.peek {
            if steps.count > BuiltinLimits.patternNodesMax { throw .tooLarge("size of a glob pattern", BuiltinLimits.patternNodesMax) }
            switch rune {
            case 0x7B:  // {
                reader.index += 1
                try compileAlternatives(&reader, depth: depth)
            case 0x7D where depth > 0, 0x2C where depth > 0:  // } ,
                return
            case 0x5B:  // [
                reader.index += 1
                steps.append(try readClass(&reader))
            case 0x3F:  // ?
                reader.index += 1
                steps.append(.single)
            case 0x2A:  // *
                reader.index += 1
                let isSuper = reader.peek == 0x2A
                if isSuper { reader.index += 1 }
                steps.append(.star(stopsAtDelimiters: !isSuper))
            case 0x5C:  // \
                reader.index += 1
                if let escaped = reader.next() { steps.append(.rune(escaped)) }
            default:
                reader.index += 1
                steps.append(.rune(rune))
            }
        }
    }

    private mutating func compileAlternatives(_ reader: inout Reader, depth: Int) throws(BuiltinFailure) {
        let split = steps.count
        steps.append(.split([]))
        var starts: [Int] = []
        var jumps: [Int] = []
        while true {
            starts.append(steps.count)
            try compile(&reader, depth: depth + 1)
            jumps.append(steps.count)
            steps.append(.jump(0))
            // A brace that is never closed ends with the pattern, as it does in OPA.
            guard reader.next() == 0x2C else { break }
        }
        steps[split] = .split(starts)
        for jump in jumps { steps[jump] = .jump(steps.count) }
    }

    private func readClass(_ reader: inout Reader) throws(BuiltinFailure) -> Step {
        let negated = reader.peek == 0x21
        if negated { reader.index += 1 }
        guard let first = reader.peek else { throw BuiltinFailure("unexpected end of input") }
        if reader.index + 1 < reader.runes.count, reader.runes[reader.index + 1] == 0x2D {
            reader.index += 2
            guard let last = reader.next() else { throw BuiltinFailure("unexpected end of input") }
            guard first <= last else {
                throw BuiltinFailure(
                    "hi character '\(Self.text(last))' should be greater than lo '\(Self.text(first))'")
            }
            guard reader.next() == 0x5D else { throw BuiltinFailure("expected close range character") }
            return .range(first...last, negated: negated)
        }
        var members: Set<UInt32> = []
        while let rune = reader.next() {
            if rune == 0x5D {
                if members.isEmpty { throw BuiltinFailure("could not parse range") }
                return .list(members, negated: negated)
            }
            if rune == 0x5C {
                if let escaped = reader.next() { members.insert(escaped) }
            } else {
                members.insert(rune)
            }
        }
        throw BuiltinFailure("unexpected end of input")
    }

    private static func text(_ rune: UInt32) -> String { String(decoding: Runes.bytes([rune]), as: UTF8.self) }

    /// Whether the whole text matches.
    func matches(_ text: [UInt8]) throws(BuiltinFailure) -> Bool {
        var current = States(count: steps.count)
        var next = States(count: steps.count)
        add(0, to: &current)
        var index = 0
        var budget = BuiltinLimits.matchStepsMax
        while index < text.count {
            let (rune, width) = Runes.decode(text, at: index)
            let isDelimiter = delimiters.contains(rune)
            next.removeAll()
            budget -= current.members.count
            if budget < 0 { throw .tooLarge("steps of a glob match", BuiltinLimits.matchStepsMax) }
            for state in current.members {
                switch steps[state] {
                case .rune(let expected): if rune == expected { add(state + 1, to: &next) }
                case .single: if !isDelimiter { add(state + 1, to: &next) }
                case .list(let members, let negated): if members.contains(rune) != negated { add(state + 1, to: &next) }
                case .range(let range, let negated): if range.contains(rune) != negated { add(state + 1, to: &next) }
                case .star(let stops): if !(stops && isDelimiter) { add(state, to: &next) }
                case .split, .jump, .match: break
                }
            }
            swap(&current, &next)
            if current.members.isEmpty { return false }
            index += width
        }
        return current.contains(steps.count - 1)
    }

    /// Adds a state and all that it reaches without a rune.
    private func add(_ state: Int, to states: inout States) {
        var pending = [state]
        while let state = pending.popLast() {
            guard states.insert(state) else { continue }
            switch steps[state] {
            case .split(let targets): pending += targets
            case .jump(let target): pending.append(target)
            case .star: pending.append(state + 1)
            default: break
            }
        }
    }

    private struct States {
        private(set) var members: [Int] = []
        private var present: [Bool]

        init(count: Int) { present = [Bool](repeating: false, count: count) }

        func contains(_ state: Int) -> Bool { present[state] }

        mutating func insert(_ state: Int) -> Bool {
            if present[state] { return false }
            present[state] = true
            members.append(state)
            return true
        }

        mutating func removeAll() {
            for state in members { present[state] = false }
            members.removeAll(keepingCapacity: true)
        }
    }

    /// The pattern that matches exactly this text.
    static func quoteMeta(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text {
            if #"*?\[]{}"#.utf8.contains(byte) { result.append(UInt8(ascii: "\\")) }
            result.append(byte)
        }
        return result
    }
}

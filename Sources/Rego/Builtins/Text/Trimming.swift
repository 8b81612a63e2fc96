/// What is taken off the ends of a string: Go's `Trim`, `TrimLeft`, `TrimRight`, `TrimSpace`.
enum Trimming {
    struct Ends: OptionSet {
        let rawValue: Int
        static let left = Ends(rawValue: 1)
        static let right = Ends(rawValue: 2)
    }

    static func trim(_ bytes: [UInt8], ends: Ends, where isCut: (UInt32) -> Bool) -> [UInt8] {
        var start = 0
        var end = bytes.count
        if ends.contains(.left) {
            while start < end {
                let (rune, width) = Runes.decode(bytes, at: start)
                guard isCut(rune) else { break }
                start += width
            }
        }
        if ends.contains(.right) {
            while end > start {
                let (rune, width) = Runes.lastRune(bytes, before: end)
                guard isCut(rune), end - width >= start else { break }
                end -= width
            }
        }
        return start == 0 && end == bytes.count ? bytes : Array(bytes[start..<end])
    }

    static func trim(_ bytes: [UInt8], ends: Ends, cutset: [UInt8]) -> [UInt8] {
        let runes = Set(Runes.all(cutset))
        return trim(bytes, ends: ends) { runes.contains($0) }
    }

    static func trimSpace(_ bytes: [UInt8]) -> [UInt8] {
        trim(bytes, ends: [.left, .right], where: Runes.isSpace)
    }
}

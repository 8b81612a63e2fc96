/// A semantic version as `semver.*` reads it (semver.org, with a leading "v" allowed and leading zeros accepted).
struct SemVer: Equatable {
    let core: [Int64]
    let preRelease: String
    let metadata: String

    init?(_ text: String) {
        let text = text.utf8.first == UInt8(ascii: "v") ? text.dropFirst() : text[...]
        let (withoutMetadata, metadata) = Self.cut(text, at: "+")
        let (core, preRelease) = Self.cut(withoutMetadata, at: "-")
        guard Self.isIdentifier(metadata), Self.isIdentifier(preRelease) else { return nil }
        let parts = core.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var numbers: [Int64] = []
        for part in parts {
            guard let number = Int64(Substring(part)) else { return nil }
            numbers.append(number)
        }
        self.core = numbers
        self.preRelease = String(preRelease)
        self.metadata = String(metadata)
    }

    private static func cut(_ text: Substring, at separator: Character) -> (Substring, Substring) {
        guard let index = text.utf8.firstIndex(of: separator.asciiValue!) else { return (text, "") }
        return (text[..<index], text[text.utf8.index(after: index)...])
    }

    /// Dot-separated words of ASCII letters, digits and "-"; empty means that there is none.
    private static func isIdentifier(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    /// -1, 0 or 1 by precedence (semver.org, item 11); metadata does not count.
    func compare(to other: SemVer) -> Int {
        for (left, right) in zip(core, other.core) where left != right { return left < right ? -1 : 1 }
        if preRelease == other.preRelease { return 0 }
        if preRelease.isEmpty { return 1 }
        if other.preRelease.isEmpty { return -1 }
        let left = preRelease.utf8.split(separator: UInt8(ascii: "."))
        let right = other.preRelease.utf8.split(separator: UInt8(ascii: "."))
        for (a, b) in zip(left, right) {
            let aIsNumber = a.allSatisfy(ASCII.isDigit)
            let bIsNumber = b.allSatisfy(ASCII.isDigit)
            if aIsNumber != bIsNumber { return aIsNumber ? -1 : 1 }
            if aIsNumber {
                // More digits than an integer holds count as the greatest, as in OPA.
                let (a, b) = (Int(Substring(a)) ?? .max, Int(Substring(b)) ?? .max)
                if a != b { return a < b ? -1 : 1 }
            } else if !a.elementsEqual(b) {
                return a.lexicographicallyPrecedes(b) ? -1 : 1
            }
        }
        return left.count == right.count ? 0 : left.count < right.count ? -1 : 1
    }
}

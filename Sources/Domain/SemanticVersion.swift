/// A version by Semantic Versioning 2.0.0, in its order.
///
/// Numbers beyond UInt64 are refused; the specification sets no bound, but nobody counts that far.
package struct SemanticVersion: Hashable, Sendable, CustomStringConvertible {
    package let major: UInt64
    package let minor: UInt64
    package let patch: UInt64
    /// The identifiers after `-`; empty for a release.
    package let prerelease: [String]
    /// The identifiers after `+`; they say nothing about order.
    package let build: [String]

    package init?(_ text: String) {
        var rest = text.utf8[...]
        var build: [String] = []
        var prerelease: [String] = []
        if let plus = rest.firstIndex(of: UInt8(ascii: "+")) {
            guard let identifiers = Self.identifiers(rest[rest.index(after: plus)...], numbersAreBare: false) else { return nil }
            build = identifiers
            rest = rest[..<plus]
        }
        if let dash = rest.firstIndex(of: UInt8(ascii: "-")) {
            guard let identifiers = Self.identifiers(rest[rest.index(after: dash)...], numbersAreBare: true) else { return nil }
            prerelease = identifiers
            rest = rest[..<dash]
        }
        let core = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Self.number)
        guard core.count == 3, let major = core[0], let minor = core[1], let patch = core[2] else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
        self.build = build
    }

    package var description: String {
        "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
            + (build.isEmpty ? "" : "+" + build.joined(separator: "."))
    }

    /// Whether this comes before `other` (§11). Two that differ only in their build are neither before nor after each other.
    package func precedes(_ other: SemanticVersion) -> Bool {
        let (a, b) = ((major, minor, patch), (other.major, other.minor, other.patch))
        if a != b { return a < b }
        if prerelease.isEmpty || other.prerelease.isEmpty { return !prerelease.isEmpty && other.prerelease.isEmpty }
        for (x, y) in zip(prerelease, other.prerelease) where x != y {
            switch (Self.number(x.utf8[...]), Self.number(y.utf8[...])) {
            case (let m?, let n?): return m < n
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return x.utf8.lexicographicallyPrecedes(y.utf8)
            }
        }
        return prerelease.count < other.prerelease.count
    }

    private static func identifiers(_ text: Substring.UTF8View, numbersAreBare: Bool) -> [String]? {
        var result: [String] = []
        for part in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == UInt8(ascii: "-") }) else { return nil }
            if numbersAreBare, part.allSatisfy({ $0 &- 48 < 10 }), number(part) == nil { return nil }
            result.append(String(decoding: part, as: UTF8.self))
        }
        return result
    }

    /// Digits without a leading zero.
    private static func number(_ text: Substring.UTF8View) -> UInt64? {
        guard let first = text.first, text.allSatisfy({ $0 &- 48 < 10 }), first != UInt8(ascii: "0") || text.count == 1 else { return nil }
        return UInt64(String(decoding: text, as: UTF8.self))
    }
}

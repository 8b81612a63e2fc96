/// A language of the pages.
package enum Language: String, CaseIterable, Sendable {
    case portuguese = "pt"
    case english = "en"

    /// For `lang=`.
    package var tag: String { self == .portuguese ? "pt-BR" : "en" }

    package var phrases: any Phrases { self == .portuguese ? PortuguesePhrases() : EnglishPhrases() }

    /// The one of ours that `Accept-Language` (RFC 9110 §12.5.4) likes best; English if it likes none.
    package init(acceptLanguage header: String?) {
        var best = Language.english
        var bestQuality = 0.0
        for item in (header ?? "").split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.trimming(while: \.isWhitespace) }
            guard let range = parts.first?.lowercased(),
                let language = Language.allCases.first(where: { range == $0.rawValue || range.hasPrefix($0.rawValue + "-") })
            else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            if quality > bestQuality { (best, bestQuality) = (language, quality) }
        }
        self = best
    }
}

extension Substring {
    fileprivate func trimming(while isDropped: (Character) -> Bool) -> Substring {
        var rest = drop(while: isDropped)
        while let last = rest.last, isDropped(last) { rest.removeLast() }
        return rest
    }
}

/// `Accept`, as far as a choice between a few types needs it (RFC 9110 §12.5.1).
enum AcceptHeader {
    /// Which of `types` (lower case) the caller likes best: the highest `q`, the first in the header among equals. Wildcards leave the choice to
    /// us, and so does a header that names none of them: nil.
    static func best(_ accept: String, of types: [String]) -> Int? {
        var best: (index: Int, quality: Double)?
        for range in accept.lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map(trimmed)
            guard let first = parts.first, let index = types.firstIndex(of: first) else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            if quality > best?.quality ?? 0 { best = (index, quality) }
        }
        return best?.index
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}

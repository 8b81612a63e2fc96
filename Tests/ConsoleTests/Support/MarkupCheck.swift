/// Reads a page as strictly as XML would be read: every element is closed where it was opened, every attribute stands in quotes or alone, no
/// character is left bare that must be escaped. Browsers forgive all of that, and each of them otherwise.
struct MarkupCheck {
    private(set) var faults: [String] = []
    private(set) var elements: [(name: String, attributes: [String: String])] = []
    /// All text outside of tags, with its escapes undone.
    private(set) var text = ""

    private static let void: Set<String> = ["meta", "link", "input", "br"]
    private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "#39": "'"]

    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var open: [String] = []

    init(_ page: String) {
        scalars = Array(page.unicodeScalars)
        if page.hasPrefix("<!DOCTYPE html>") { at = 15 }
        while at < scalars.count { step() }
        if !open.isEmpty { faults.append("never closed: \(open)") }
        let ids = elements.compactMap { $0.attributes["id"] }
        if Set(ids).count != ids.count { faults.append("an id stands twice: \(ids.sorted())") }
    }

    private mutating func step() {
        switch scalars[at] {
        case "<": tag()
        case ">": fault("a bare >")
        case "&": text += entity()
        default:
            if scalars[at].value < 0x20, scalars[at] != "\n", scalars[at] != "\t" { return fault("a control character") }
            text.unicodeScalars.append(scalars[at])
            at += 1
        }
    }

    private mutating func fault(_ what: String) {
        let around = scalars[max(0, at - 40)..<min(scalars.count, at + 40)]
        faults.append("\(what) at \(at): …\(String(String.UnicodeScalarView(around)))…")
        at += 1
    }

    private mutating func word(_ isPart: (Unicode.Scalar) -> Bool) -> String {
        var word = ""
        while at < scalars.count, isPart(scalars[at]) {
            word.unicodeScalars.append(scalars[at])
            at += 1
        }
        return word
    }

    private mutating func entity() -> String {
        at += 1
        let name = word { $0 != ";" && $0 != "<" && $0 != " " && $0 != "\"" }
        guard at < scalars.count, scalars[at] == ";", let meant = Self.entities[name] else {
            fault("a bare or unknown &\(name)")
            return ""
        }
        at += 1
        return meant
    }

    private mutating func tag() {
        at += 1
        guard at < scalars.count else { return fault("an end within a tag") }
        let isClosing = scalars[at] == "/"
        if isClosing { at += 1 }
        let name = word { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
        guard !name.isEmpty else { return fault("a tag without a name") }
        var attributes: [String: String] = [:]
        while at < scalars.count, scalars[at] != ">" {
            _ = word { $0 == " " || $0 == "\n" }
            guard at < scalars.count, scalars[at] != ">" else { break }
            let key = word { ("a"..."z").contains($0) || $0 == "-" }
            guard !key.isEmpty, attributes[key] == nil else {
                return fault("an attribute of <\(name)> that cannot be read, or stands twice: \(key)")
            }
            attributes[key] = ""
            guard at < scalars.count, scalars[at] == "=" else { continue }
            at += 1
            guard at < scalars.count, scalars[at] == "\"" else { return fault("an attribute without quotes: \(key)") }
            at += 1
            var value = ""
            while at < scalars.count, scalars[at] != "\"" {
                switch scalars[at] {
                case "<", ">": return fault("a bare \(scalars[at]) in \(key)")
                case "&": value += entity()
                default:
                    value.unicodeScalars.append(scalars[at])
                    at += 1
                }
            }
            attributes[key] = value
            at += 1
        }
        at += 1
        if isClosing {
            if open.popLast() != name { fault("</\(name)> closes another element") }
        } else {
            elements.append((name, attributes))
            if !Self.void.contains(name) { open.append(name) }
        }
    }
}

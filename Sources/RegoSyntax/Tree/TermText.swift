/// Terms as OPA writes them in errors: on one line.
public enum TermText {
    public static func text(ofRef parts: [Term]) -> String {
        guard let head = parts.first else { return "" }
        var text = self.text(of: head)
        for part in parts.dropFirst() {
            if case .string(let name) = part.value, name.isName {
                text += ".\(name)"
            } else {
                text += "[\(self.text(of: part))]"
            }
        }
        return text
    }

    public static func text(of term: Term) -> String {
        switch term.value {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let value): JSONText.quoted(value)
        case .variable(let name): name.utf8.first == UInt8(ascii: "$") ? "_" : name
        case .ref(let parts): text(ofRef: parts)
        case .call(let terms): "\(text(of: terms[0]))(\(list(terms.dropFirst())))"
        case .array(let terms): "[\(list(terms[...]))]"
        case .set(let terms): terms.isEmpty ? "set()" : "{\(list(terms[...]))}"
        case .object(let items): "{\(items.map { "\(text(of: $0.key)): \(text(of: $0.value))" }.joined(separator: ", "))}"
        case .arrayComprehension(let inner): "[\(text(of: inner.value)) | …]"
        case .setComprehension(let inner): "{\(text(of: inner.value)) | …}"
        case .objectComprehension(let inner): "{\(inner.key.map { text(of: $0) } ?? ""): \(text(of: inner.value)) | …}"
        case .template: "$\"…\""
        }
    }

    private static func list(_ terms: ArraySlice<Term>) -> String { terms.map { text(of: $0) }.joined(separator: ", ") }
}

extension String {
    /// It can be written after a point: letters, digits and `_`, not beginning with a digit.
    var isName: Bool {
        var isFirst = true
        for byte in utf8 {
            let kind = Parser.classes[Int(byte)]
            guard kind == .letter || (kind == .digit && !isFirst) else { return false }
            isFirst = false
        }
        return !isFirst
    }
}

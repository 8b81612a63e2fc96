/// What the type checker says beside a message: types that do not fit together.
public enum TypeErrorDetail: Equatable, Sendable {
    /// The arguments of a call, and what the function takes; names are empty for functions of policies.
    case arguments(have: [ValueType], want: [Parameter])
    /// Both sides of `=`.
    case unification(left: ValueType, right: ValueType)
    /// A reference goes on behind something that has no parts.
    case unsupported(reference: [String], position: Int, have: ValueType)
    /// A reference asks for a key that cannot be there.
    case invalid(reference: [String], position: Int, have: ValueType?, key: String, want: ValueType, oneOf: [String])

    public struct Parameter: Equatable, Sendable {
        public var name: String
        public var type: ValueType

        var text: String { name.isEmpty ? type.text : "\(name): \(type.text)" }
    }

    /// As `opa` prints it below the message, without the tab.
    public var lines: [String] {
        switch self {
        case .arguments(let have, let want):
            return ["have: " + ValueType.list(have), "want: (" + want.map(\.text).joined(separator: ", ") + ")"]
        case .unification(let left, let right): return ["left  : " + left.text, "right : " + right.text]
        case .unsupported(let reference, let position, let have):
            let marks = String(repeating: "^", count: reference[...position].joined().utf8.count)
            return [reference.joined(), marks, "have: " + have.text]
        case .invalid(let reference, let position, let have, let key, let want, let oneOf):
            let pad = String(repeating: " ", count: reference[..<position].joined().utf8.count + 1)
            return [
                reference.joined(), pad + "^", pad + (have.map { "have (type): " + $0.text } ?? "have: " + key),
                pad + (oneOf.isEmpty ? "want (type): " + want.text : "want (one of): [" + oneOf.joined(separator: " ") + "]"),
            ]
        }
    }

    /// Whether it says no more than that something is unknown, most likely because of another error.
    var isAboutUnknown: Bool {
        switch self {
        case .arguments(let have, _): have.contains(where: \.isUnknown)
        case .unification(let left, let right): left.isUnknown || right.isUnknown
        case .unsupported, .invalid: false
        }
    }
}

/// What is known about a value before the evaluation: the declared types of built-ins, and what the type checker infers.
public indirect enum ValueType: Sendable {
    /// Nothing is known: the checker could not infer it. Not `any`, which is known to be everything.
    case unknown
    /// Everything.
    case any
    case null, boolean, number, string
    /// The types of the first elements, and of all others; nil: there are no others.
    case array([ValueType], ValueType?)
    case set(ValueType)
    /// The types of known keys, and of all others; nil: there are no others.
    case object([Field], Dynamic?)
    /// One of several, in the order of `compare`.
    case oneOf([ValueType])
    case function(Function)

    /// A key that is known.
    public struct Field: Sendable {
        public var key: TypeKey
        public var type: ValueType

        public init(_ key: String, _ type: ValueType) { self.init(.string(key), type) }

        init(_ key: TypeKey, _ type: ValueType) {
            self.key = key
            self.type = type
        }
    }

    public struct Dynamic: Sendable {
        public var key: ValueType
        public var value: ValueType

        public init(_ key: ValueType, _ value: ValueType) {
            self.key = key
            self.value = value
        }
    }

    public struct Function: Sendable {
        public var parameters: [ValueType]
        /// Nil: it gives nothing (`print`).
        public var result: ValueType?
    }

    public static let anyArray = ValueType.array([], .any)
    public static let anySet = ValueType.set(.any)
    public static let anyObject = ValueType.object([], Dynamic(.any, .any))
    public static func array(of element: ValueType) -> ValueType { .array([], element) }
    public static func object(of key: ValueType, _ value: ValueType) -> ValueType { .object([], Dynamic(key, value)) }

    /// Alternatives in order, each once.
    static func any(of types: [ValueType]) -> ValueType { types.isEmpty ? .any : .oneOf(types.sorted { compare($0, $1) < 0 }) }

    var isUnknownItself: Bool { if case .unknown = self { true } else { false } }
    var isAny: Bool { if case .any = self { true } else { false } }

    /// As OPA writes it in its errors.
    public var text: String {
        switch self {
        case .unknown: return "???"
        case .any: return "any"
        case .null: return "null"
        case .boolean: return "boolean"
        case .number: return "number"
        case .string: return "string"
        case .array(let first, let rest):
            var text = "array"
            if !first.isEmpty { text += "<" + first.map(\.text).joined(separator: ", ") + ">" }
            if let rest { text += "[" + rest.text + "]" }
            return text
        case .set(let element): return "set[" + element.text + "]"
        case .object(let fields, let rest):
            var text = "object"
            if !fields.isEmpty {
                text += "<" + fields.map { "\($0.key.text): \($0.type.text)" }.joined(separator: ", ") + ">"
            }
            if let rest { text += "[" + rest.key.text + ": " + rest.value.text + "]" }
            return text
        case .oneOf(let types): return "any<" + types.map(\.text).joined(separator: ", ") + ">"
        case .function(let function):
            return ValueType.list(function.parameters) + " => " + (function.result?.text ?? "???")
        }
    }

    static func list(_ types: [ValueType]) -> String { "(" + types.map(\.text).joined(separator: ", ") + ")" }
}

/// A key of an object as a type knows it.
public enum TypeKey: Sendable {
    case null
    case boolean(Bool)
    /// The number's text.
    case number(String)
    case string(String)
    /// Any other value: its text, and its type.
    case other(String, ValueType)

    /// As Go prints it within a type.
    public var text: String {
        switch self {
        case .null: "<nil>"
        case .boolean(let value): value ? "true" : "false"
        case .number(let text), .string(let text), .other(let text, _): text
        }
    }

    var type: ValueType {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .number: .number
        case .string: .string
        case .other(_, let type): type
        }
    }

    private var order: Int {
        switch self {
        case .null: 0
        case .boolean: 1
        case .number: 2
        case .string: 3
        case .other: 4
        }
    }

    static func compare(_ a: TypeKey, _ b: TypeKey) -> Int {
        switch (a, b) {
        case (.null, .null): return 0
        case (.boolean(let a), .boolean(let b)): return a == b ? 0 : (b ? -1 : 1)
        case (.number(let a), .number(let b)):
            if a == b { return 0 }
            let (x, y) = (Double(a) ?? 0, Double(b) ?? 0)
            return x == y ? 0 : (x < y ? -1 : 1)
        case (.string(let a), .string(let b)): return ValueType.order(a, b)
        case (.other(let a, _), .other(let b, _)): return ValueType.order(a, b)
        default: return a.order < b.order ? -1 : 1
        }
    }
}

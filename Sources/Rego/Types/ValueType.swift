/// What is known about a value before the evaluation: the declared types of built-ins, and what the type checker infers.
public indirect enum ValueType: Equatable, Sendable {
    /// Everything.
    case any
    case null, boolean, number, string
    /// The types of the first elements, and of all others; nil: there are no others.
    case array([ValueType], ValueType?)
    case set(ValueType)
    /// The types of known keys, and of all others; nil: there are no others.
    case object([Field], Dynamic?)
    /// One of several.
    case oneOf([ValueType])

    public struct Field: Equatable, Sendable {
        public var key: String
        public var type: ValueType

        public init(_ key: String, _ type: ValueType) {
            self.key = key
            self.type = type
        }
    }

    public struct Dynamic: Equatable, Sendable {
        public var key: ValueType
        public var value: ValueType

        public init(_ key: ValueType, _ value: ValueType) {
            self.key = key
            self.value = value
        }
    }

    public static let anyArray = ValueType.array([], .any)
    public static let anySet = ValueType.set(.any)
    public static let anyObject = ValueType.object([], Dynamic(.any, .any))
    public static func array(of element: ValueType) -> ValueType { .array([], element) }
    public static func object(of key: ValueType, _ value: ValueType) -> ValueType { .object([], Dynamic(key, value)) }

    /// As OPA writes it in its errors.
    public var text: String {
        switch self {
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
                text += "<" + fields.map { "\($0.key): \($0.type.text)" }.joined(separator: ", ") + ">"
            }
            if let rest { text += "[" + rest.key.text + ": " + rest.value.text + "]" }
            return text
        case .oneOf(let types): return "any<" + types.map(\.text).joined(separator: ", ") + ">"
        }
    }
}

/// A term: a value, a variable, a reference, a call or a comprehension.
///
/// A value type: a reference or a call of n parts is one allocation, and walking it touches no reference count.
/// `isSame(as:)` compares two terms without their places.
public struct Term: Sendable {
    public var value: TermValue
    public var location: Location
    /// Written in parentheses of its own. Only the formatter looks at it.
    public var isParenthesized = false

    public init(_ value: TermValue, at location: Location = .none) {
        self.value = value
        self.location = location
    }
}

/// What a term is. Parts are in the order of the text.
public enum TermValue: Sendable {
    case null
    case boolean(Bool)
    /// The number's text as written (`1e3`, `-0.50`), valid JSON except that it may begin with a point (`.5`).
    case number(String)
    /// The string's value, without quotes and with escapes resolved.
    case string(String)
    /// A name. Each `_` of a module is a variable of its own: `$0`, `$1`, …
    case variable(String)
    /// A head, usually a variable, and at least nothing more: `data` and `input` alone are references too. `.b` is the string "b".
    case ref([Term])
    /// An operator, always a `.ref`, then its operands. `a + b` is `plus(a, b)`, `x in y` is `internal.member_2(x, y)`,
    /// `k, v in y` is `internal.member_3(k, v, y)`: `InfixOperator` has the names.
    case call([Term])
    case array([Term])
    case set([Term])
    case object([ObjectItem])
    case arrayComprehension(Comprehension)
    case setComprehension(Comprehension)
    case objectComprehension(Comprehension)
    /// `$"…{expression}…"`.
    case template(TemplateString)
}

/// One `key: value` of an object.
public struct ObjectItem: Sendable {
    public var key: Term
    public var value: Term

    public init(key: Term, value: Term) {
        self.key = key
        self.value = value
    }
}

/// `[value | body]`, `{value | body}` or `{key: value | body}`.
public final class Comprehension: Sendable {
    /// Only objects have one.
    public let key: Term?
    public let value: Term
    public let body: Body

    public init(key: Term? = nil, value: Term, body: Body) {
        self.key = key
        self.value = value
        self.body = body
    }
}

/// A string with expressions in it.
public final class TemplateString: Sendable {
    public enum Part: Sendable {
        /// Text between expressions, with escapes resolved; never empty.
        case text(String, Location)
        /// `{1}`: a scalar literal, which is never undefined.
        case scalar(Term)
        /// Any other expression; undefined becomes `<undefined>` when it is evaluated.
        case expression(Expression)
    }

    public let parts: [Part]
    /// Written with backquotes: it may span lines and knows no escapes.
    public let isRaw: Bool

    public init(parts: [Part], isRaw: Bool) {
        self.parts = parts
        self.isRaw = isRaw
    }
}

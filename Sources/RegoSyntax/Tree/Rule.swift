/// A rule as it is written, with the branches of its `else`.
///
/// A rule of several bodies (`p { a } { b }`) is as many rules; all but the first are `isChained`.
public final class Rule: Sendable {
    public let isDefault: Bool
    public let head: Head
    public let body: Body
    /// The body is not written: it is `true`.
    public let hasGeneratedBody: Bool
    /// In the order of the text.
    public let elses: [ElseBranch]
    /// Shares the head of the rule before it.
    public let isChained: Bool
    public let location: Location

    public init(
        isDefault: Bool = false, head: Head, body: Body, hasGeneratedBody: Bool = false, elses: [ElseBranch] = [], isChained: Bool = false,
        at location: Location
    ) {
        self.isDefault = isDefault
        self.head = head
        self.body = body
        self.hasGeneratedBody = hasGeneratedBody
        self.elses = elses
        self.isChained = isChained
        self.location = location
    }
}

/// `else := value if { body }`: tried when the branches before it are undefined.
public struct ElseBranch: Sendable {
    /// `true` when none is written.
    public var value: Term
    public var hasGeneratedValue: Bool
    /// `:=` rather than `=`.
    public var isAssigned: Bool
    public var hasIf: Bool
    public var body: Body
    public var hasGeneratedBody: Bool
    /// The arguments of the head once more: each `_` is a variable of its own again.
    public var arguments: [Term]
    public var location: Location
    /// From `else` to the value's end.
    public var headLocation: Location
}

/// The head of a rule.
public struct Head: Sendable {
    /// What the rule defines, without the element of a set: `p`, `a.b.c`, `p[x].q`. The first part is a variable.
    public var ref: [Term]
    /// The parameters of a function; empty for other rules.
    public var arguments: [Term] = []
    /// A partial set's element (`p contains x`, v0's `p[x]`), or the key of `p[x] = y` as OPA keeps it.
    public var key: Term?
    /// Nil for partial sets. `true` when none is written.
    public var value: Term?
    public var hasGeneratedValue = false
    /// `:=` rather than `=`.
    public var isAssigned = false
    /// OPA's `Head.Name`: the variable, for heads that have a single name (`p`, `p[x]`); nil for longer references.
    public var name: String?
    public var hasContains = false
    public var hasIf = false
    public var location: Location

    public init(ref: [Term], at location: Location) {
        self.ref = ref
        self.location = location
    }

    /// What the rule makes.
    public var kind: RuleKind {
        if !arguments.isEmpty { return .function }
        if hasContains || (key != nil && value == nil) { return .multiValue }
        return .singleValue
    }
}

/// What a rule makes: one value, a set, or a function.
public enum RuleKind: Sendable { case singleValue, multiValue, function }

/// The expressions of a rule, a query or a comprehension: all must hold.
public typealias Body = [Expression]

/// One expression of a body.
public struct Expression: Sendable {
    public var kind: ExpressionKind
    /// `not` before it, without `import future.keywords.not`.
    public var isNegated = false
    public var with: [With] = []
    public var location: Location

    public init(_ kind: ExpressionKind, isNegated: Bool = false, with: [With] = [], at location: Location = .none) {
        self.kind = kind
        self.isNegated = isNegated
        self.with = with
        self.location = location
    }
}

public enum ExpressionKind: Sendable {
    /// A term alone: it must be defined and not false.
    case term(Term)
    /// A call as an expression, operator first: also `x := 1` (`assign`), `x = 1` (`eq`), `a < b`.
    case call([Term])
    case some(SomeDeclaration)
    case every(Every)
    /// `not` with `import future.keywords.not`: fails when the body, which has its own scope, holds.
    case not(NotBody)
    /// `left and right` with `import future.keywords.and`.
    case and(LogicalOperation)
    /// `left or right` with `import future.keywords.or`.
    case or(LogicalOperation)
}

/// `some x, y` or `some x in xs`.
public struct SomeDeclaration: Sendable {
    /// Variables, or exactly one call of `internal.member_2` or `internal.member_3`.
    public var symbols: [Term]
    public var location: Location

    public init(symbols: [Term], at location: Location) {
        self.symbols = symbols
        self.location = location
    }
}

/// `every key, value in domain { body }`.
public final class Every: Sendable {
    public let key: Term?
    public let value: Term
    public let domain: Term
    public let body: Body
    public let location: Location

    public init(key: Term?, value: Term, domain: Term, body: Body, at location: Location) {
        self.key = key
        self.value = value
        self.domain = domain
        self.body = body
        self.location = location
    }
}

/// `not { body }`, or `not expression` as a body of one.
public final class NotBody: Sendable {
    public let body: Body
    /// Written with braces.
    public let isExplicit: Bool
    public let location: Location

    public init(body: Body, isExplicit: Bool, at location: Location) {
        self.body = body
        self.isExplicit = isExplicit
        self.location = location
    }
}

/// The two sides of `and` or `or`; the right one is only looked at when the left one does not decide.
public final class LogicalOperation: Sendable {
    public let left: LogicalOperand
    public let right: LogicalOperand
    public let location: Location

    public init(left: LogicalOperand, right: LogicalOperand, at location: Location) {
        self.left = left
        self.right = right
        self.location = location
    }
}

/// One side of `and` or `or`: a body with its own scope.
public struct LogicalOperand: Sendable {
    public enum Shape: Sendable { case plain, parentheses, braces }

    public var body: Body
    public var shape: Shape
    /// With its braces or parentheses.
    public var location: Location

    public init(body: Body, shape: Shape, at location: Location) {
        self.body = body
        self.shape = shape
        self.location = location
    }
}

/// `with target as value`.
public struct With: Sendable {
    /// A reference or a variable.
    public var target: Term
    public var value: Term
    public var location: Location

    public init(target: Term, value: Term, at location: Location) {
        self.target = target
        self.value = value
        self.location = location
    }
}

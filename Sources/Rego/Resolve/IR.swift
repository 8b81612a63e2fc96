import RegoSyntax

/// The intermediate form: names are resolved, calls stand alone, every variable is a number. Safety and code generation work on it.
typealias LocalID = Int

indirect enum IRTerm {
    case constant(Value)
    case local(LocalID)
    case ref(IRRef)
    case array([IRTerm])
    case set([IRTerm])
    case object([(key: IRTerm, value: IRTerm)])
    case comprehension(IRComprehension)
}

/// Where a reference begins.
enum IRRoot {
    case input, data
    case local(LocalID)
    /// A literal or a comprehension: `[1, 2][i]`.
    case term(IRTerm)
}

struct IRRef {
    var root: IRRoot
    var path: [IRTerm]
    var location: Location
}

final class IRComprehension {
    enum Kind { case array, set, object }
    let kind: Kind
    let key: IRTerm?
    let value: IRTerm
    var body: IRBody
    init(kind: Kind, key: IRTerm?, value: IRTerm, body: IRBody) {
        self.kind = kind
        self.key = key
        self.value = value
        self.body = body
    }
}

/// Expressions in the order of the text, and after `Safety` in the order of evaluation.
final class IRBody {
    var expressions: [IRExpression]
    init(_ expressions: [IRExpression]) { self.expressions = expressions }
}

final class IRExpression {
    enum Kind {
        case term(IRTerm)
        case unify(IRTerm, IRTerm)
        /// The result is unified with `result`; nil: it must not be false.
        case call(IRCallee, [IRTerm], result: IRTerm?)
        case every(key: IRTerm?, value: IRTerm, domain: IRTerm, body: IRBody)
        case not(IRBody)
        case and(IRBody, IRBody)
        case or(IRBody, IRBody)
    }
    var kind: Kind
    var isNegated: Bool
    var with: [IRWith]
    let location: Location
    /// Written `:=` or `==`, or with `=`: `==` binds nothing.
    var bindsNothing = false
    /// The variables that a `print` shows: expressions before it must give them a value.
    var printed: [(variable: LocalID, location: Location)] = []
    /// It stands in a template string, there: its variables must have a value without it.
    var templatePart: Location?

    init(_ kind: Kind, isNegated: Bool = false, with: [IRWith] = [], at location: Location) {
        self.kind = kind
        self.isNegated = isNegated
        self.with = with
        self.location = location
    }
}

enum IRCallee: Hashable {
    case builtin(Int)
    /// A function's number in `RuleTree.groups`.
    case group(Int)
}

struct IRWith {
    enum Target {
        case input([Value])
        case data([Value])
        case function(IRCallee)
    }
    enum Replacement {
        case value(IRTerm)
        case function(IRCallee)
    }
    var target: Target
    var value: Replacement
    var location = Location.none
}

/// One rule of a group, ready for code.
final class IRRule {
    var arguments: [IRTerm] = []
    /// The branches, more than one when there is an `else`.
    var branches: [IRBranch] = []
    /// What errors call its variables; nil for those that nobody wrote.
    var names: [String?] = []
    let syntax: Rule
    /// The package it stands in.
    let package: [String]
    let location: Location
    init(_ syntax: Rule, package: [String]) {
        self.syntax = syntax
        self.package = package
        location = syntax.location
    }
}

struct IRBranch {
    var body: IRBody
    /// The value, or a set's element.
    var value: IRTerm
    /// The parts of the reference behind the group's own path.
    var path: [IRTerm]
    /// Whether the value is an element of a set.
    var isElement: Bool
    var arguments: [IRTerm]
    var location: Location
}

/// What v1 refuses in a module beyond its rules' shapes: it needs the whole module, but no compiler.
public struct ModuleCheck {
    private let module: Module

    public init(_ module: Module) { self.module = module }

    /// In OPA's order: imports, names of roots, deprecated built-in functions, rules.
    ///
    /// - Parameter forFormatting: the formatter adds `if` and `contains` itself.
    public func problems(forFormatting: Bool = false) -> [SyntaxProblem] {
        var problems = importProblems + rootNameProblems + deprecatedProblems
        let check = RegoV1Check(requireIf: !forFormatting, requireContains: !forFormatting, requireBodyOrValue: !forFormatting)
        for rule in module.rules { check.check(rule, into: &problems) }
        return problems
    }

    /// Imports that define a name twice.
    public var importProblems: [SyntaxProblem] {
        var problems: [SyntaxProblem] = []
        var seen: [String: Import] = [:]
        for one in module.imports {
            if let earlier = seen[one.name] {
                let text = TermText.text(ofRef: earlier.path) + (earlier.alias.map { " as \($0)" } ?? "")
                problems.append(
                    SyntaxProblem(code: SyntaxProblem.compileError, message: "import must not shadow import \(text)", at: one.location))
            } else {
                seen[one.name] = one
            }
        }
        return problems
    }

    /// Calls of built-in functions that v1 has no more.
    public var deprecatedProblems: [SyntaxProblem] {
        var calls = DeprecatedCalls()
        calls.visit(module)
        return calls.problems
    }

    /// Rules, parameters and variables that are called `input` or `data`.
    public var rootNameProblems: [SyntaxProblem] {
        var problems: [SyntaxProblem] = []
        for rule in module.rules {
            if case .variable(let name) = rule.head.ref[0].value, Self.roots.contains(name) {
                let message = "rules must not shadow \(name) (use a different rule name)"
                problems.append(SyntaxProblem(code: SyntaxProblem.compileError, message: message, at: rule.location))
            }
            for argument in rule.head.arguments {
                guard case .ref(let parts) = argument.value, parts.count == 1, case .variable(let name) = parts[0].value else { continue }
                let message = "args must not shadow \(name) (use a different variable name)"
                problems.append(SyntaxProblem(code: SyntaxProblem.compileError, message: message, at: argument.location))
            }
        }
        var assignments = ShadowingAssignments()
        assignments.visit(module)
        return problems + assignments.problems
    }

    static let roots: Set<String> = ["data", "input"]
}

private struct ShadowingAssignments: TreeVisitor {
    var problems: [SyntaxProblem] = []

    mutating func enter(_ expression: Expression) -> Bool {
        guard case .call(let terms) = expression.kind, terms.count > 1, InfixOperator(operator: terms[0]) == .assign,
            case .ref(let parts) = terms[1].value, parts.count == 1, case .variable(let name) = parts[0].value
        else { return true }
        let message = "variables must not shadow \(name) (use a different variable name)"
        problems.append(SyntaxProblem(code: SyntaxProblem.compileError, message: message, at: expression.location))
        return true
    }
}

/// v1 has no built-in function that v0 had deprecated.
private struct DeprecatedCalls: TreeVisitor {
    var problems: [SyntaxProblem] = []

    mutating func enter(_ expression: Expression) -> Bool {
        if case .call(let terms) = expression.kind { check(terms, at: expression.location) }
        return true
    }

    mutating func enter(_ term: Term) -> Bool {
        if case .call(let terms) = term.value { check(terms, at: terms[0].location) }
        return true
    }

    private mutating func check(_ terms: [Term], at location: Location) {
        let name = TermText.text(of: terms[0])
        guard Self.names.contains(name) else { return }
        let message = "deprecated built-in function calls in expression: \(name)"
        problems.append(SyntaxProblem(code: SyntaxProblem.typeError, message: message, at: location))
    }

    static let names: Set<String> = [
        "all", "any", "cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string", "net.cidr_overlap", "re_match",
        "set_diff",
    ]
}

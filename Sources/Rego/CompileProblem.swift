import RegoSyntax

/// What is wrong with modules or a query, with OPA's code and words.
public struct CompileProblem: Equatable, Sendable {
    public var code: String
    public var message: String
    /// The name of the text; empty for a query.
    public var file: String
    public var location: Location

    static let compile = "rego_compile_error"
    static let type = "rego_type_error"
    static let unsafe = "rego_unsafe_var_error"
    static let recursion = "rego_recursion_error"
}

/// At least one problem, in the order of files and rows.
public struct CompileError: Error, Equatable, Sendable {
    public var problems: [CompileProblem]
}

/// One thing that is wrong with a text, in OPA's words.
public struct SyntaxProblem: Equatable, Sendable {
    /// `rego_parse_error`, or `rego_compile_error` and `rego_type_error` for what OPA finds after parsing.
    public var code: String
    public var message: String
    public var location: Location
    /// The line it is on, tabs included; nil when the place is unknown.
    public var line: String?

    public static let parseError = "rego_parse_error"

    public init(code: String = parseError, message: String, at location: Location, line: String? = nil) {
        self.code = code
        self.message = message
        self.location = location
        self.line = line
    }
}

/// Everything that is wrong with a text; the parser gives up at the first, checks after it collect.
public struct SyntaxError: Error, Equatable, Sendable {
    /// `SourceText.name`.
    public var file: String
    /// At least one.
    public var problems: [SyntaxProblem]

    public init(file: String, problems: [SyntaxProblem]) {
        self.file = file
        self.problems = problems
    }
}

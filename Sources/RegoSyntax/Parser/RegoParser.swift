/// Reads Rego texts.
///
/// Every function takes linear time, at most `SyntaxLimits.depthMax` levels of stack, and either returns what the text means or throws all
/// that is wrong with it. Any thread may call them.
public enum RegoParser {
    /// Reads a file of policy.
    public static func module(_ source: SourceText, options: ParserOptions = ParserOptions()) throws(SyntaxError) -> Module {
        try parse(source, options: options) { parser throws(SyntaxError) in
            let statements = parser.parseStatements(rules: true)
            try parser.throwProblems(of: source)
            return try ModuleAssembly(source: source, version: options.version).module(of: statements, comments: parser.comments)
        }
    }

    /// Reads expressions: `data.x = y; y > 1`.
    public static func query(_ source: SourceText, options: ParserOptions = ParserOptions()) throws(SyntaxError) -> Body {
        try parse(source, options: options) { parser throws(SyntaxError) in
            let statements = parser.parseStatements(rules: false)
            try parser.throwProblems(of: source)
            var body: Body = []
            for statement in statements {
                switch statement {
                case .body(let expressions): body += expressions
                case .package, .import, .rule:
                    let problem = SyntaxProblem(message: "expected body but got \(statement.kindName)", at: statement.location)
                    throw SyntaxError(file: source.name, problems: [problem])
                }
            }
            return body
        }
    }

    /// Reads one term: `{"a", 1}`.
    public static func term(_ source: SourceText, options: ParserOptions = ParserOptions()) throws(SyntaxError) -> Term {
        let body = try query(source, options: options)
        guard body.count == 1 else {
            let problem = SyntaxProblem(
                message: "expected exactly one term but got \(body.count) expressions", at: body.first?.location ?? .none)
            throw SyntaxError(file: source.name, problems: [problem])
        }
        switch body[0].kind {
        case .term(let term) where !body[0].isNegated && body[0].with.isEmpty: return term
        // OPA makes an expression of a call; as a term it is one all the same.
        case .call(let terms) where !body[0].isNegated && body[0].with.isEmpty && InfixOperator(operator: terms[0]) != .assign:
            return Term(.call(terms), at: body[0].location)
        default:
            throw SyntaxError(file: source.name, problems: [SyntaxProblem(message: "expected term", at: body[0].location)])
        }
    }

    private static func parse<Result>(
        _ source: SourceText, options: ParserOptions, _ body: (inout Parser) throws(SyntaxError) -> Result
    ) throws(SyntaxError) -> Result {
        guard source.bytes.count <= SyntaxLimits.sourceBytesMax else {
            let problem = SyntaxProblem(message: "text too large: at most \(SyntaxLimits.sourceBytesMax) bytes", at: .none)
            throw SyntaxError(file: source.name, problems: [problem])
        }
        // The typed throw does not pass through `withUnsafeBufferPointer`.
        let result: Swift.Result<Result, SyntaxError> = source.bytes.withUnsafeBufferPointer { bytes in
            var parser = Parser(bytes, options: options)
            do throws(SyntaxError) { return .success(try body(&parser)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension Parser {
    fileprivate func throwProblems(of source: SourceText) throws(SyntaxError) {
        guard problems.isEmpty else { throw SyntaxError(file: source.name, problems: problems) }
    }
}

extension Statement {
    fileprivate var kindName: String {
        switch self {
        case .package: "a package"
        case .import: "an import"
        case .rule: "a rule"
        case .body: "a body"
        }
    }
}

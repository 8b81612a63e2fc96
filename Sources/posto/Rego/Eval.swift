import Arguments
import Rego
import RegoHost
import RegoSyntax

/// `posto eval`: evaluates a query, as `opa eval` does.
struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluate a Rego query.",
        discussion: """
            The exit status is 0, also when the answer is undefined; 1 with --fail and an undefined answer, or with --fail-defined and a defined \
            one; 2 for any error.

            Example: posto eval -d policy.rego -i input.json data.shop.allow
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, pretty, raw, values, bindings }

    @Argument(help: "The query: one or more expressions.")
    var query: String

    @Option(name: [.customShort("d"), .long], parsing: .singleValue, help: "A file or folder with policies and data; may be repeated.")
    var data: [String] = []

    @Option(name: [.customShort("b"), .long], parsing: .singleValue, help: "A folder that is a bundle; may be repeated.")
    var bundle: [String] = []

    @Option(name: [.customShort("i"), .long], help: "A JSON or YAML file: the input.")
    var input: String?

    @Flag(name: [.customShort("I"), .customLong("stdin-input")], help: "Read the input from standard input.")
    var stdinInput = false

    @Option(help: "The input as a Rego term: it may hold sets.")
    var inputTerm: String?

    @Option(name: [.customShort("f"), .long], help: "json, pretty, raw, values or bindings.")
    var format = Format.json

    @Option(help: "The package whose rules the query may call by name.")
    var package: String?

    @Option(name: .customLong("import"), parsing: .singleValue, help: "An import for the query; may be repeated.")
    var imports: [String] = []

    @Flag(help: "Read policies as Rego v0.")
    var v0Compatible = false

    @Flag(help: "Read policies as Rego v1, which is the default.")
    var v1Compatible = false

    @Flag(help: "End with status 1 when the answer is undefined.")
    var fail = false

    @Flag(help: "End with status 1 when the answer is defined.")
    var failDefined = false

    @Flag(help: "A built-in function that fails ends the evaluation with its error.")
    var strictBuiltinErrors = false

    @Flag(name: [.customShort("S"), .long], help: "Policies must use what they import, assign and take as arguments.")
    var strict = false

    func run() throws {
        do {
            try evaluate()
        } catch let error as SyntaxError {
            throw tell(RegoErrors(error))
        } catch let error as CompileError {
            throw tell(RegoErrors(error))
        } catch let error as EvaluationError {
            throw tell(RegoErrors(error))
        } catch let error as RegoErrors {
            throw tell(error)
        } catch let error as CommandFailure {
            throw tell(RegoErrors(error.message))
        }
    }

    private func evaluate() throws {
        let version: RegoVersion = v0Compatible ? .v0 : .v1
        var files = PolicyFiles(version: version)
        for path in data { try files.add(path) }
        for path in bundle { try files.addBundle(path) }
        var options = CompileOptions()
        options.isStrict = strict
        options.baseDocuments = files.data
        let policy = try Policy(modules: files.modules, host: .libraries(), options: options)
        let body = try RegoParser.query(
            SourceText(name: "", text: query), options: ParserOptions(version: version, allFutureKeywords: v0Compatible))
        let query = try policy.query(
            body, package: package.map { $0.split(separator: ".").map(String.init).filter { $0 != "data" } } ?? [],
            imports: try queryImports(),
            capturesValues: true)
        let evaluator = Evaluator(query, host: .libraries(), isStrict: strictBuiltinErrors)
        let answers = try evaluator.evaluate(input: try readInput(files.arena), data: files.data)
        let output = EvalOutput(body: body, text: self.query, query: query, answers: answers, arena: files.arena)
        withExtendedLifetime((evaluator, files)) { Terminal.print(output.text(format)) }
        let isDefined = answers.count > 0
        if (fail && !isDefined) || (failDefined && isDefined) { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func queryImports() throws -> [Import] {
        guard !imports.isEmpty else { return [] }
        let text = "package query\n" + imports.map { "import \($0)\n" }.joined()
        return try RegoParser.module(SourceText(name: "", text: text)).imports
    }

    private func readInput(_ arena: Arena) throws -> Value {
        if let inputTerm { return try term(inputTerm, arena) }
        if stdinInput {
            do {
                return try JSONReader.read(try InputFile.read("-", bytesMax: PolicyFiles.fileBytesMax), into: arena)
            } catch let error as JSONError {
                throw RegoErrors("\(error.message) (byte \(error.offset))", file: "standard input")
            }
        }
        return try input.map { try PolicyFiles.document($0, into: arena) } ?? .undefined
    }

    private func term(_ text: String, _ arena: Arena) throws -> Value {
        let query = try Policy(modules: []).query(RegoParser.query(SourceText(name: "", text: "x = " + text)))
        let evaluator = Evaluator(query, host: .libraries(), isStrict: true)
        guard let answer = try evaluator.bindings().first else { throw RegoErrors("the input term is undefined") }
        return withExtendedLifetime(evaluator) { arena.copy(answer["x"]) }
    }

    /// Errors go where the answer would go when a program reads it, else to standard error.
    private func tell(_ errors: RegoErrors) -> ExitCode {
        if format == .pretty || format == .raw {
            Terminal.fail(errors.text, hint: nil)
        } else {
            let arena = Arena()
            withExtendedLifetime(arena) { Terminal.print(Rego.JSONWriter.text(errors.document(arena), indent: 2)) }
        }
        return ExitCode(ExitStatus.usage.rawValue)
    }
}

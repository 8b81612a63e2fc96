import RegoSyntax

/// What is wrong with modules or a query, with OPA's code and words.
public struct CompileProblem: Equatable, Sendable {
    public var code: String
    public var message: String
    /// The name of the text; empty for a query.
    public var file: String
    public var location: Location
    /// What the type checker says beside the message.
    public var detail: TypeErrorDetail?
    /// Where in the compilation it was found: later stages are not reached when one finds something.
    var stage = CompileStage.undefinedFunctions

    static let compile = "rego_compile_error"
    static let type = "rego_type_error"
    static let unsafe = "rego_unsafe_var_error"
    static let recursion = "rego_recursion_error"

    /// `file:row: code: message`, and the detail's lines below it.
    public var text: String {
        var text = ""
        if location != .none { text = file.isEmpty ? "\(location.row):\(location.column): " : "\(file):\(location.row): " }
        text += "\(code): \(message)"
        for line in detail?.lines ?? [] { text += "\n\t" + line }
        return text
    }
}

/// The stages of OPA's compiler that find something wrong, in its order.
enum CompileStage: Int, Comparable {
    case references, rootNames, imports, localVariables, templates, voidCalls, prints, annotations, withTargets, conflicts
    case undefinedFunctions, safetyOfHeads, safetyOfBodies, recursion, types, deprecated, code

    static func < (left: CompileStage, right: CompileStage) -> Bool { left.rawValue < right.rawValue }
}

/// At least one problem, in the order of files and rows.
public struct CompileError: Error, Equatable, Sendable {
    public var problems: [CompileProblem]

    /// The problems of the first stage that found any, by file and place, each once.
    init(_ all: [CompileProblem]) {
        let first = all.map(\.stage).min()
        var seen: [CompileProblem] = []
        for problem in all where problem.stage == first && !seen.contains(problem) { seen.append(problem) }
        problems = seen.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            if a.file != b.file { return a.file < b.file }
            if a.location.row != b.location.row { return a.location.row < b.location.row }
            if a.location.column != b.location.column { return a.location.column < b.location.column }
            return left.offset < right.offset
        }.map(\.element)
    }
}

/// One thing that is wrong with a text, in OPA's words.
public struct SyntaxProblem: Equatable, Sendable {
    /// The line of a problem and where on it.
    public struct Detail: Equatable, Sendable {
        /// Without its end.
        public var line: String
        /// Bytes from the start of the line.
        public var index: Int
    }

    /// `rego_parse_error`, or `rego_compile_error` and `rego_type_error` for what OPA finds after parsing.
    public var code: String
    public var message: String
    public var location: Location
    /// Nil for what is found after parsing.
    public var detail: Detail?

    public static let parseError = "rego_parse_error"
    public static let compileError = "rego_compile_error"
    public static let typeError = "rego_type_error"

    public init(code: String = parseError, message: String, at location: Location, detail: Detail? = nil) {
        self.code = code
        self.message = message
        self.location = location
        self.detail = detail
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

extension SyntaxError: CustomStringConvertible {
    /// As `opa` prints it: the number of errors, then each with its line and a mark under the place.
    public var description: String {
        let texts = problems.map { $0.text(file: file) }
        return
            "\(texts.count) error\(texts.count == 1 ? "" : "s") occurred:\(texts.count == 1 ? " " : "\n")\(texts.joined(separator: "\n"))"
    }
}

extension SyntaxProblem {
    /// `file:row: code: message`, then the line and a mark under the place.
    public func text(file: String) -> String {
        var text = ""
        if location != .none {
            text = file.isEmpty ? "\(location.row):\(location.column): " : "\(file):\(location.row): "
        }
        text += "\(code): \(message)"
        if let detail {
            let line = detail.line.drop { $0 == "\t" }
            let tabs = detail.line.count - line.count
            text += "\n\t\(line)\n\t\(String(repeating: " ", count: max(0, detail.index - tabs)))^"
        }
        return text
    }
}

/// How a text is read.
public struct ParserOptions: Sendable, Equatable {
    public var version: RegoVersion
    /// As if the text imported `future.keywords`.
    public var allFutureKeywords: Bool
    /// As if the text imported these.
    public var futureKeywords: Set<FutureKeyword>

    public init(version: RegoVersion = .v1, allFutureKeywords: Bool = false, futureKeywords: Set<FutureKeyword> = []) {
        self.version = version
        self.allFutureKeywords = allFutureKeywords
        self.futureKeywords = futureKeywords
    }
}

/// What `import future.keywords.x` may name.
public enum FutureKeyword: String, CaseIterable, Sendable {
    case `in`, every, contains, `if`
    /// Experimental in every version.
    case and, or, not

    /// v1 has it without an import.
    var isOfV1: Bool {
        switch self {
        case .in, .every, .contains, .if: true
        case .and, .or, .not: false
        }
    }
}

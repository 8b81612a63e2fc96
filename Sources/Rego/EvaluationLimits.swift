/// What one evaluation may use. Each limit ends it with an error that says which.
public struct EvaluationLimits: Sendable, Equatable {
    /// Instructions, calls of built-ins counted by what they cost. 200 million are a few seconds: no decision of a branch needs a tenth.
    public var stepsMax = 200_000_000
    /// Rules within rules. OPA has no limit of its own and lets the stack grow to a gigabyte.
    public var depthMax = 10_000
    /// Bytes of values made during the evaluation.
    public var memoryBytesMax = 128 << 20
    /// Answers of a query that are collected.
    public var resultsMax = 1_000_000

    public init() {}
}

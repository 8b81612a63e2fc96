import RegoSyntax

/// Why an evaluation ended without an answer.
public struct EvaluationError: Error, Equatable, Sendable {
    public enum Code: String, Sendable {
        case builtin = "eval_builtin_error"
        case type = "eval_type_error"
        case conflict = "eval_conflict_error"
        case cancelled = "eval_cancel_error"
        case internalError = "eval_internal_error"
        case withMerge = "eval_with_merge_error"
        /// A limit of `EvaluationLimits`; the message says which.
        case limit = "eval_limit_error"
    }

    public var code: Code
    public var message: String
    public var file: String
    public var location: Location

    /// As OPA writes it: `file:row: code: message`.
    public var text: String {
        if location.row == 0 { return "\(code.rawValue): \(message)" }
        return file.isEmpty ? "\(location.row): \(code.rawValue): \(message)" : "\(file):\(location.row): \(code.rawValue): \(message)"
    }
}

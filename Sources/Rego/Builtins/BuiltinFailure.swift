/// Why a built-in gave no value: the text after "<name>: ", and which of OPA's two codes it carries.
struct BuiltinFailure: Error, Equatable {
    enum Kind: Equatable {
        /// `eval_builtin_error`
        case refused
        /// `eval_type_error`: an operand is of another type than the built-in takes.
        case type
        /// `eval_conflict_error`: several values where there must be one. Never just undefined.
        case conflict
    }

    let kind: Kind
    let message: String

    init(_ message: String, kind: Kind = .refused) {
        self.message = message
        self.kind = kind
    }

    /// An operand or a result passed one of our limits.
    static func tooLarge(_ what: String, _ max: Int) -> BuiltinFailure {
        BuiltinFailure("\(what): the limit of \(max) is exceeded")
    }
}

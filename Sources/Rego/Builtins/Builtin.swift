/// One built-in function.
public struct Builtin: Sendable {
    /// As Rego calls it: `count`, `io.jwt.decode_verify`.
    public let name: String
    public let parameters: [ValueType]
    public let result: ValueType
    /// `walk`: gives an array whose elements are tried one after another, instead of one result.
    public let isRelation: Bool
    /// Gives the same result for the same arguments at any time, so that it may be done while compiling. Clock, chance and host are not.
    public let isPure: Bool
    let call: Function

    /// Gives a value, `.undefined`, or throws. The arguments are all defined; their number is that of `parameters`, their types may be any.
    typealias Function = @Sendable (_ arguments: UnsafeBufferPointer<Value>, _ context: BuiltinContext) throws(BuiltinFailure) -> Value

    init(
        _ name: String, _ parameters: [ValueType], _ result: ValueType, isRelation: Bool = false, isPure: Bool = true,
        _ call: @escaping Function
    ) {
        self.name = name
        self.parameters = parameters.map(\.normalized)
        self.result = result.normalized
        self.isRelation = isRelation
        self.isPure = isPure
        self.call = call
    }
}

/// What a built-in may use: memory for its result, the host, and what it keeps for the length of a query.
public final class BuiltinContext {
    /// Results are built here, and live as long as the evaluation.
    public let arena: Arena
    public let host: Host
    /// The clock of the query, read when it began.
    public internal(set) var nowNanoseconds: Int64 {
        get {
            if let now { return now }
            let read = host.now?() ?? 0
            now = read
            return read
        }
        set { now = newValue }
    }
    private var now: Int64?
    /// What built-ins keep within a query: compiled patterns, one value per seed. Keys begin with the built-in's name. Emptied before each query.
    var cache: [CacheKey: Any] = [:]
    /// What is kept between queries: compiled patterns of constants.
    var longCache: [CacheKey: Any] = [:]
    /// Set by `print` and `trace`.
    var notes: [String] = []
    let limits: EvaluationLimits
    /// Asked now and then by built-ins that take long; true: throw `.cancelled`.
    var isCancelled: @Sendable () -> Bool = { false }

    struct CacheKey: Hashable {
        let builtin: String
        let text: [UInt8]
    }

    /// Forgets what belongs to a query.
    func beginQuery() {
        now = nil
        if !cache.isEmpty { cache.removeAll() }
    }

    init(arena: Arena, host: Host, limits: EvaluationLimits = EvaluationLimits()) {
        self.arena = arena
        self.host = host
        self.limits = limits
    }
}

extension BuiltinFailure {
    /// The argument is of another kind: "operand 1 must be string but got number".
    static func operand(_ position: Int, mustBe kinds: ValueKind..., got value: Value) -> BuiltinFailure {
        let wanted = kinds.count == 1 ? kinds[0].name : "one of {" + kinds.map(\.name).joined(separator: ", ") + "}"
        return BuiltinFailure("operand \(position) must be \(wanted) but got \(value.kind.name)", kind: .type)
    }

    static let cancelled = BuiltinFailure("the evaluation was cancelled", kind: .refused)
}

/// The arguments of a call, with the errors that OPA gives when one is of another kind.
extension UnsafeBufferPointer<Value> {
    func string(_ index: Int) throws(BuiltinFailure) -> UnsafeRawBufferPointer {
        guard self[index].isString else { throw .operand(index + 1, mustBe: .string, got: self[index]) }
        return self[index].utf8
    }

    func number(_ index: Int) throws(BuiltinFailure) -> Value {
        guard self[index].isNumber else { throw .operand(index + 1, mustBe: .number, got: self[index]) }
        return self[index]
    }

    func array(_ index: Int) throws(BuiltinFailure) -> Value {
        guard self[index].isArray else { throw .operand(index + 1, mustBe: .array, got: self[index]) }
        return self[index]
    }

    func object(_ index: Int) throws(BuiltinFailure) -> Value {
        guard self[index].isObject else { throw .operand(index + 1, mustBe: .object, got: self[index]) }
        return self[index]
    }

    func set(_ index: Int) throws(BuiltinFailure) -> Value {
        guard self[index].isSet else { throw .operand(index + 1, mustBe: .set, got: self[index]) }
        return self[index]
    }
}

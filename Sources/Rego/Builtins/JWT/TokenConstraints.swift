/// What `io.jwt.decode_verify` demands of a token.
struct TokenConstraints {
    private var keys: [JSONWebKey]?
    private var secret: [UInt8]?
    private(set) var algorithm = ""
    private var issuer = ""
    private var audience = ""
    /// Nanoseconds; a number as written, for it may have a fraction.
    private var time: Value

    init(_ value: Value, _ context: BuiltinContext) throws(BuiltinFailure) {
        guard value.isObject else { throw .operand(2, mustBe: .object, got: value) }
        time = Value(context.nowNanoseconds)
        for (key, constraint) in value.entries {
            guard let name = key.asString else { throw BuiltinFailure("unknown token validation constraint") }
            func text() throws(BuiltinFailure) -> String {
                guard let text = constraint.asString else { throw BuiltinFailure("\(name): token constraint must be a string") }
                return text
            }
            switch name {
            case "cert": keys = try JSONWebKey.verificationKeys(Array(try text().utf8), context)
            case "secret":
                _ = try text()
                secret = Array(constraint.utf8)
            case "alg": algorithm = try text()
            case "iss": issuer = try text()
            case "aud": audience = try text()
            case "time":
                guard constraint.isNumber else { throw BuiltinFailure("token time constraint: must be a number") }
                time = constraint
            default: throw BuiltinFailure("unknown token validation constraint: \(name)")
            }
        }
        if keys != nil && secret != nil { throw BuiltinFailure("duplicate key constraints") }
        if keys == nil && (secret ?? []).isEmpty { throw BuiltinFailure("no key constraint") }
    }

    func isSigned(_ token: WebToken, _ context: BuiltinContext) throws(BuiltinFailure) -> Bool {
        guard let algorithm = TokenAlgorithm(token.algorithm) else {
            throw BuiltinFailure("unknown JWS algorithm: \(token.algorithm)")
        }
        if let keys { return try token.isSigned(by: keys, algorithm, context) }
        guard case .secret = algorithm else { throw BuiltinFailure("incorrect symmetric key type") }
        return algorithm.verify(.secret(secret ?? []), token.signedPart, try token.signature(), try context.cryptography())
    }

    /// Issuer, audience and times (RFC 7519, 4.1).
    func accept(_ payload: Value, _ arena: Arena) throws(BuiltinFailure) -> Bool {
        if !issuer.isEmpty, payload["iss"].asString != issuer { return false }
        let claimed = payload["aud"]
        if claimed.isDefined {
            let names = claimed.isArray ? claimed.elements : [claimed]
            guard names.contains(where: { $0.asString == audience }) else { return false }
        } else if !audience.isEmpty {
            return false
        }
        for name in ["exp", "nbf"] as [StaticString] {
            let limit = payload[name]
            if limit.isUndefined { continue }
            guard limit.isNumber else { throw BuiltinFailure("\(name) value must be a number") }
            let now = try Arithmetic.divide(time, Value(1_000_000_000), arena)
            let isBefore = Value.compare(now, limit) < 0
            if name.utf8Start.pointee == UInt8(ascii: "e") ? !isBefore : isBefore { return false }
        }
        return true
    }
}

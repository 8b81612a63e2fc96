private let decoded = ValueType.array([.anyObject, .anyObject, .string], nil)

/// `io.jwt.*`.
let tokenBuiltins: [Builtin] =
    [
        Builtin("io.jwt.decode", [.string], decoded) { arguments, context throws(BuiltinFailure) in
            var token = try WebToken(try arguments.bytes(0), context)
            while token.isNested { token = try WebToken(try token.nestedText(), context) }
            let payload = try WebToken.object(try token.payloadBytes(), context)
            return context.arena.array([token.header, payload, context.arena.string(Hex.encode(try token.signature()))])
        },
        Builtin(
            "io.jwt.decode_verify", [.string, .object(of: .string, .any)], .array([.boolean, .anyObject, .anyObject], nil), isPure: false
        ) { arguments, context throws(BuiltinFailure) in
            let refused = context.arena.array([.false, .emptyObject, .emptyObject])
            let text = try arguments.bytes(0)
            let constraints = try TokenConstraints(arguments[1], context)
            var token = try WebToken(text, context)
            while true {
                if !token.isAcceptable { return refused }
                if !constraints.algorithm.isEmpty && constraints.algorithm != token.algorithm { return refused }
                if try !constraints.isSigned(token, context) { return refused }
                guard token.isNested else { break }
                token = try WebToken(try token.nestedText(), context)
            }
            let payload = try WebToken.object(try token.payloadBytes(), context)
            guard try constraints.accept(payload, context.arena) else { return refused }
            return context.arena.array([.true, token.header, payload])
        },
        Builtin("io.jwt.encode_sign", [.anyObject, .anyObject, .anyObject], .string, isPure: false) {
            arguments, context throws(BuiltinFailure) in
            let header = try JSONText.bytes(try arguments.object(0))
            let payload = try JSONText.bytes(try arguments.object(1))
            return try sign(header, payload, try JSONText.bytes(try arguments.object(2)), context)
        },
        Builtin("io.jwt.encode_sign_raw", [.string, .string, .string], .string, isPure: false) {
            arguments, context throws(BuiltinFailure) in
            try sign(try arguments.bytes(0), try arguments.bytes(1), try arguments.bytes(2), context)
        },
        verifier("eddsa", "EdDSA"),
    ]
    + ["rs", "ps", "es"].flatMap { family in
        ["256", "384", "512"].map { verifier(family + $0, family.uppercased() + $0) }
    }
    + ["256", "384", "512"].map { bits in
        Builtin("io.jwt.verify_hs\(bits)", [.string, .string], .boolean) { arguments, context throws(BuiltinFailure) in
            let token = try WebToken(try arguments.bytes(0), context)
            let secret = JSONWebKey.Material.secret(try arguments.bytes(1))
            return Value(
                TokenAlgorithm("HS\(bits)")!.verify(secret, token.signedPart, try token.signature(), try context.cryptography()))
        }
    }

private func verifier(_ name: String, _ algorithm: String) -> Builtin {
    Builtin("io.jwt.verify_\(name)", [.string, .string], .boolean) { arguments, context throws(BuiltinFailure) in
        let token = try WebToken(try arguments.bytes(0), context)
        let keys = try JSONWebKey.verificationKeys(try arguments.bytes(1), context)
        return Value(try token.isSigned(by: keys, TokenAlgorithm(algorithm)!, context))
    }
}

private func sign(_ header: [UInt8], _ payload: [UInt8], _ key: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    if header.isEmpty { throw BuiltinFailure("missing or invalid 'alg' header: cannot parse JSON: cannot parse empty string") }
    let fields: Value
    do throws(BuiltinFailure) {
        fields = try JSONText.read(header, context.arena)
    } catch {
        throw BuiltinFailure("missing or invalid 'alg' header: cannot parse JSON: \(error.message)")
    }
    guard let name = fields["alg"].asString else { throw BuiltinFailure("missing or invalid 'alg' header: it must be a string") }
    guard let algorithm = TokenAlgorithm(name) else { throw BuiltinFailure("unknown JWS algorithm: \(name)") }
    let type = fields["typ"].asString ?? ""
    if type.isEmpty || type == "JWT", (try? JSONText.read(payload, context.arena)) == nil {
        throw BuiltinFailure("type is JWT but payload is not JSON")
    }
    let document: Value
    do throws(BuiltinFailure) {
        document = try JSONText.read(key, context.arena)
    } catch {
        throw BuiltinFailure("failed to parse JWK: \(error.message)")
    }
    let signer = try JSONWebKey(document, forSigning: true, context)
    let message = Base64.rawURL.encode(header) + [UInt8(ascii: ".")] + Base64.rawURL.encode(payload)
    let signature = try algorithm.sign(signer.material, message, try context.cryptography())
    return try context.string(message + [UInt8(ascii: ".")] + Base64.rawURL.encode(signature), "io.jwt.encode_sign")
}

/// `crypto.md5`, `crypto.hmac.*`, …: results in lower-case hexadecimal.
let digestBuiltins: [Builtin] =
    [("md5", DigestAlgorithm.md5), ("sha1", .sha1), ("sha256", .sha256)].map { name, algorithm in
        Builtin("crypto.\(name)", [.string], .string) { arguments, context throws(BuiltinFailure) in
            context.arena.string(Hex.encode(try context.cryptography().digest(algorithm, try arguments.bytes(0))))
        }
    }
    + [("md5", DigestAlgorithm.md5), ("sha1", .sha1), ("sha256", .sha256), ("sha512", .sha512)].map { name, algorithm in
        Builtin("crypto.hmac.\(name)", [.string, .string], .string) { arguments, context throws(BuiltinFailure) in
            let (text, key) = (try arguments.bytes(0), try arguments.bytes(1))
            return context.arena.string(Hex.encode(try context.cryptography().authenticate(algorithm, key: key, text)))
        }
    } + [
        Builtin("crypto.hmac.equal", [.string, .string], .boolean) { arguments, context throws(BuiltinFailure) in
            Value(try context.cryptography().areEqual(try arguments.bytes(0), try arguments.bytes(1)))
        }
    ]

extension BuiltinContext {
    func cryptography() throws(BuiltinFailure) -> any HostCryptography {
        guard let cryptography = host.cryptography else { throw .host("cryptography") }
        return cryptography
    }
}

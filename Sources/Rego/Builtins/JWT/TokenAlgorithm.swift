/// How a token is signed (RFC 7518, RFC 8037): "RS256", "HS512", "EdDSA".
enum TokenAlgorithm {
    case secret(DigestAlgorithm)
    case asymmetric(SignatureScheme)

    init?(_ name: String) {
        let digests: [String: DigestAlgorithm] = ["256": .sha256, "384": .sha384, "512": .sha512]
        if name == "EdDSA" {
            self = .asymmetric(.ed25519)
            return
        }
        guard name.utf8.count == 5, let digest = digests[String(name.suffix(3))] else { return nil }
        switch name.prefix(2) {
        case "HS": self = .secret(digest)
        case "RS": self = .asymmetric(.rsaPKCS1(digest))
        case "PS": self = .asymmetric(.rsaPSS(digest))
        case "ES": self = .asymmetric(.ecdsa(digest))
        default: return nil
        }
    }

    /// Whether the signature is the key's; a key of another kind makes none.
    func verify(_ key: JSONWebKey.Material, _ message: [UInt8], _ signature: [UInt8], _ cryptography: any HostCryptography) -> Bool {
        switch (self, key) {
        case (.secret(let digest), .secret(let secret)):
            cryptography.areEqual(cryptography.authenticate(digest, key: secret, message), signature)
        case (.asymmetric(let scheme), .asymmetric(let key)): key.verify(scheme, message: message, signature: signature)
        default: false
        }
    }

    func sign(_ key: JSONWebKey.Material, _ message: [UInt8], _ cryptography: any HostCryptography) throws(BuiltinFailure) -> [UInt8] {
        switch (self, key) {
        case (.secret(let digest), .secret(let secret)):
            return cryptography.authenticate(digest, key: secret, message)
        case (.asymmetric(let scheme), .asymmetric(let key)):
            do throws(HostFailure) {
                return try key.sign(scheme, message: message)
            } catch {
                throw BuiltinFailure("failed to sign: \(error.message)")
            }
        default: throw BuiltinFailure("failed to sign: the key is of another kind than the algorithm needs")
        }
    }
}

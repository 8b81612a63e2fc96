import CCrypto
import Rego

/// Cryptography by libcrypto (OpenSSL 3, Apache-2.0).
struct LibCrypto: HostCryptography {
    func digest(_ algorithm: DigestAlgorithm, _ bytes: [UInt8]) -> [UInt8] {
        var length = UInt32(EVP_MAX_MD_SIZE)
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        precondition(EVP_Digest(bytes, bytes.count, &result, &length, algorithm.evp, nil) == 1, "libcrypto has no such digest")
        return Array(result.prefix(Int(length)))
    }

    func authenticate(_ algorithm: DigestAlgorithm, key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var length = UInt32(EVP_MAX_MD_SIZE)
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        // An empty array has no address, and HMAC() takes none for "the key of the call before".
        let material = key.isEmpty ? [0] : key
        precondition(
            HMAC(algorithm.evp, material, Int32(key.count), bytes, bytes.count, &result, &length) != nil, "libcrypto has no such digest")
        return Array(result.prefix(Int(length)))
    }

    func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && (left.isEmpty || CRYPTO_memcmp(left, right, left.count) == 0)
    }

    func key(_ form: KeyForm) throws(HostFailure) -> any HostKey { try LibCryptoKey(form) }

    func key(ofCertificate der: [UInt8]) throws(HostFailure) -> any HostKey {
        let certificate = try X509Certificate(der)
        guard let key = X509_get_pubkey(certificate.handle) else { throw LibCrypto.failure("certificate has no readable public key") }
        return LibCryptoKey(owning: key, isPrivate: false)
    }

    /// What the library says about its last error, which it then forgets.
    static func failure(_ what: String) -> HostFailure {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return HostFailure(what) }
        return HostFailure("\(what): \(String(cString: reason))")
    }
}

extension DigestAlgorithm {
    var evp: OpaquePointer? {
        switch self {
        case .md5: EVP_md5()
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }
}

import CCrypto
import Glibc
import Rego

/// A key that libcrypto holds.
final class LibCryptoKey: HostKey {
    // SAFETY: owned by this object, freed once in `deinit`, and only read after it was made; libcrypto counts references atomically.
    nonisolated(unsafe) private let handle: OpaquePointer
    let isPrivate: Bool

    init(owning handle: OpaquePointer, isPrivate: Bool) {
        self.handle = handle
        self.isPrivate = isPrivate
    }

    deinit { EVP_PKEY_free(handle) }

    convenience init(_ form: KeyForm) throws(HostFailure) {
        switch form {
        case .publicDER(let der): self.init(owning: try Self.publicKey(der), isPrivate: false)
        case .privateDER(let der): self.init(owning: try Self.privateKey(der), isPrivate: true)
        case .ed25519Public(let bytes):
            guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
                throw LibCrypto.failure("invalid Ed25519 public key")
            }
            self.init(owning: key, isPrivate: false)
        case .ed25519Private(let bytes):
            guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
                throw LibCrypto.failure("invalid Ed25519 private key")
            }
            self.init(owning: key, isPrivate: true)
        case .rsaPublic(let modulus, let exponent):
            let numbers = [(OSSL_PKEY_PARAM_RSA_N, modulus), (OSSL_PKEY_PARAM_RSA_E, exponent)]
            self.init(owning: try Self.build("RSA", numbers: numbers, selection: posto_EVP_PKEY_PUBLIC_KEY), isPrivate: false)
        case .rsaPrivate(let parts):
            var numbers: [(String, [UInt8])] = []
            // All of the Chinese remainder's numbers or none of them.
            let crt = ["p", "q", "dp", "dq", "qi"].allSatisfy { !(parts[$0] ?? []).isEmpty }
            for (name, parameter) in Self.rsaNames where ["n", "e", "d"].contains(name) || crt {
                guard let value = parts[name], !value.isEmpty else { throw HostFailure("invalid RSA key: \(name) is missing") }
                numbers.append((parameter, value))
            }
            self.init(owning: try Self.build("RSA", numbers: numbers, selection: posto_EVP_PKEY_KEYPAIR), isPrivate: true)
        case .ec(let curve, let x, let y, let d):
            guard let (group, size) = Self.curves[curve] else { throw HostFailure("unsupported curve \(curve)") }
            guard x.count <= size, y.count <= size else { throw HostFailure("invalid EC public key: coordinates are too long") }
            let point = [4] + Self.padded(x, size) + Self.padded(y, size)
            let key = try Self.build(
                "EC", group: group, point: point, numbers: d.map { [(OSSL_PKEY_PARAM_PRIV_KEY, $0)] } ?? [],
                selection: d == nil ? posto_EVP_PKEY_PUBLIC_KEY : posto_EVP_PKEY_KEYPAIR)
            self.init(owning: key, isPrivate: d != nil)
        }
    }

    private static let rsaNames = [
        ("n", OSSL_PKEY_PARAM_RSA_N), ("e", OSSL_PKEY_PARAM_RSA_E), ("d", OSSL_PKEY_PARAM_RSA_D), ("p", "rsa-factor1"),
        ("q", "rsa-factor2"), ("dp", "rsa-exponent1"), ("dq", "rsa-exponent2"),
        ("qi", "rsa-coefficient1"),
    ]

    /// The library's name of a curve, and the bytes of a coordinate.
    private static let curves: [String: (name: String, size: Int)] = [
        "P-224": ("secp224r1", 28), "P-256": ("prime256v1", 32), "P-384": ("secp384r1", 48), "P-521": ("secp521r1", 66),
    ]

    private static func padded(_ number: [UInt8], _ size: Int) -> [UInt8] {
        number.count < size ? [UInt8](repeating: 0, count: size - number.count) + number : number
    }

    private static func publicKey(_ der: [UInt8]) throws(HostFailure) -> OpaquePointer {
        let key: OpaquePointer? = der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            if let key = d2i_PUBKEY(nil, &at, bytes.count) { return key }
            at = bytes.baseAddress
            return d2i_PublicKey(EVP_PKEY_RSA, nil, &at, bytes.count)
        }
        guard let key else { throw LibCrypto.failure("failed to parse public key") }
        ERR_clear_error()
        return key
    }

    private static func privateKey(_ der: [UInt8]) throws(HostFailure) -> OpaquePointer {
        let key = der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            return d2i_AutoPrivateKey(nil, &at, bytes.count)
        }
        guard let key else { throw LibCrypto.failure("failed to parse private key") }
        ERR_clear_error()
        return key
    }

    private static func build(
        _ type: String, group: String? = nil, point: [UInt8]? = nil, numbers: [(String, [UInt8])], selection: Int32
    ) throws(HostFailure) -> OpaquePointer {
        guard let builder = OSSL_PARAM_BLD_new() else { throw HostFailure("out of memory") }
        defer { OSSL_PARAM_BLD_free(builder) }
        var kept: [OpaquePointer] = []
        defer { for number in kept { BN_clear_free(number) } }
        // The builder keeps pointers to names, texts and numbers until it is done, so they must stay where they are.
        var texts: [UnsafeMutablePointer<CChar>] = []
        defer { for text in texts { free(text) } }
        func stable(_ text: String) -> UnsafeMutablePointer<CChar>? {
            guard let copy = strdup(text) else { return nil }
            texts.append(copy)
            return copy
        }
        let octets = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: point?.count ?? 0)
        defer { octets.deallocate() }
        if let group { OSSL_PARAM_BLD_push_utf8_string(builder, stable(OSSL_PKEY_PARAM_GROUP_NAME), stable(group), 0) }
        if let point {
            _ = octets.initialize(from: point)
            OSSL_PARAM_BLD_push_octet_string(builder, stable(OSSL_PKEY_PARAM_PUB_KEY), octets.baseAddress, octets.count)
        }
        for (name, bytes) in numbers {
            guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { throw HostFailure("out of memory") }
            kept.append(number)
            OSSL_PARAM_BLD_push_BN(builder, stable(name), number)
        }
        guard let parameters = OSSL_PARAM_BLD_to_param(builder), let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else {
            throw LibCrypto.failure("invalid \(type) key")
        }
        defer {
            OSSL_PARAM_free(parameters)
            EVP_PKEY_CTX_free(context)
        }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1, EVP_PKEY_fromdata(context, &key, selection, parameters) == 1, let key else {
            throw LibCrypto.failure("invalid \(type) key")
        }
        return key
    }

    var kind: KeyKind {
        switch EVP_PKEY_get_base_id(handle) {
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: return .rsa
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            guard EVP_PKEY_get_group_name(handle, &name, name.count, nil) == 1 else { return .other }
            let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return Self.curves.first { $0.value.name == text }.map { .ec(curve: $0.key) } ?? .other
        default: return .other
        }
    }

    private var coordinateBytes: Int {
        if case .ec(let curve) = kind { return Self.curves[curve]?.size ?? 0 }
        return 0
    }

    // MARK: Signatures

    func verify(_ scheme: SignatureScheme, message: [UInt8], signature: [UInt8]) -> Bool {
        guard fits(scheme) else { return false }
        var signature = signature
        if case .ecdsa = scheme {
            guard let der = Self.ecdsaDER(signature, coordinateBytes) else { return false }
            signature = der
        }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var keyContext: OpaquePointer?
        guard EVP_DigestVerifyInit(context, &keyContext, scheme.digest?.evp, nil, handle) == 1,
            Self.prepare(scheme, keyContext, saltLength: -2)
        else {
            return false
        }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    func sign(_ scheme: SignatureScheme, message: [UInt8]) throws(HostFailure) -> [UInt8] {
        guard isPrivate, fits(scheme) else { throw HostFailure("key is of another kind than the algorithm needs") }
        guard let context = EVP_MD_CTX_new() else { throw HostFailure("out of memory") }
        defer { EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        var count = 0
        guard EVP_DigestSignInit(context, &keyContext, scheme.digest?.evp, nil, handle) == 1,
            Self.prepare(scheme, keyContext, saltLength: -1),
            EVP_DigestSign(context, nil, &count, message, message.count) == 1
        else { throw LibCrypto.failure("cannot sign") }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else { throw LibCrypto.failure("cannot sign") }
        signature.removeLast(signature.count - count)
        if case .ecdsa = scheme {
            guard let raw = Self.ecdsaRaw(signature, coordinateBytes) else { throw LibCrypto.failure("cannot sign") }
            return raw
        }
        return signature
    }

    private func fits(_ scheme: SignatureScheme) -> Bool {
        switch (scheme, kind) {
        case (.rsaPKCS1, .rsa), (.rsaPSS, .rsa), (.ecdsa, .ec), (.ed25519, .ed25519): true
        default: false
        }
    }

    /// RFC 7518 signs with a salt as long as the digest (-1); verifying takes any length (-2), as OPA does.
    private static func prepare(_ scheme: SignatureScheme, _ context: OpaquePointer?, saltLength: Int32) -> Bool {
        switch scheme {
        case .rsaPKCS1: EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
        case .rsaPSS:
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, saltLength) == 1
        case .ecdsa, .ed25519: true
        }
    }

    /// The library takes an ECDSA signature in DER; a JWT has the bare numbers.
    private static func ecdsaDER(_ raw: [UInt8], _ size: Int) -> [UInt8]? {
        guard size > 0, raw.count == 2 * size, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        guard let r = BN_bin2bn(Array(raw[..<size]), Int32(size), nil), let s = BN_bin2bn(Array(raw[size...]), Int32(size), nil),
            ECDSA_SIG_set0(signature, r, s) == 1
        else { return nil }
        return LibCrypto.der { i2d_ECDSA_SIG(signature, $0) }
    }

    private static func ecdsaRaw(_ der: [UInt8], _ size: Int) -> [UInt8]? {
        let signature = der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            return d2i_ECDSA_SIG(nil, &at, bytes.count)
        }
        guard let signature else { return nil }
        defer { ECDSA_SIG_free(signature) }
        var raw = [UInt8](repeating: 0, count: 2 * size)
        let ok = raw.withUnsafeMutableBufferPointer { bytes in
            BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes.baseAddress, Int32(size)) >= 0
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes.baseAddress! + size, Int32(size)) >= 0
        }
        return ok ? raw : nil
    }

    // MARK: Numbers

    var numbers: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        func add(_ name: String, _ parameter: String, size: Int = 0) {
            var number: OpaquePointer?
            guard EVP_PKEY_get_bn_param(handle, parameter, &number) == 1, let number else { return }
            defer { BN_clear_free(number) }
            var bytes = [UInt8](repeating: 0, count: max(size, Int(BN_num_bits(number) + 7) / 8))
            BN_bn2binpad(number, &bytes, Int32(bytes.count))
            result[name] = bytes
        }
        switch kind {
        case .rsa:
            for (name, parameter) in Self.rsaNames { add(name, parameter) }
        case .ec:
            add("x", OSSL_PKEY_PARAM_EC_PUB_X, size: coordinateBytes)
            add("y", OSSL_PKEY_PARAM_EC_PUB_Y, size: coordinateBytes)
            if isPrivate { add("d", OSSL_PKEY_PARAM_PRIV_KEY, size: coordinateBytes) }
        case .ed25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var count = 32
            if EVP_PKEY_get_raw_public_key(handle, &bytes, &count) == 1 { result["x"] = bytes }
            if isPrivate, EVP_PKEY_get_raw_private_key(handle, &bytes, &count) == 1 { result["d"] = bytes }
        case .other: break
        }
        ERR_clear_error()
        return result
    }
}

extension SignatureScheme {
    var digest: DigestAlgorithm? {
        switch self {
        case .rsaPKCS1(let digest), .rsaPSS(let digest), .ecdsa(let digest): digest
        case .ed25519: nil
        }
    }
}

extension LibCrypto {
    /// What an i2d function writes.
    static func der(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let count = write(nil)
        guard count > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            var at = buffer.baseAddress
            return write(&at)
        }
        return written == count ? bytes : nil
    }
}

import CCrypto
import Rego

extension LibCrypto {
    func certificates(_ der: [UInt8]) throws(HostFailure) -> [HostCertificate] {
        var result: [HostCertificate] = []
        var rest = der[...]
        while !rest.isEmpty {
            let certificate = try X509Certificate(rest)
            result.append(certificate.fields)
            rest = rest.dropFirst(certificate.byteCount)
        }
        return result
    }

    func certificateRequest(_ der: [UInt8]) throws(HostFailure) -> HostCertificateRequest {
        let made = der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            return d2i_X509_REQ(nil, &at, bytes.count)
        }
        guard let made else { throw LibCrypto.failure("x509: malformed certificate request") }
        defer { X509_REQ_free(made) }
        var result = HostCertificateRequest()
        result.raw = LibCrypto.der { i2d_X509_REQ(made, $0) } ?? []
        result.rawTBS = LibCrypto.der { i2d_re_X509_REQ_tbs(made, $0) } ?? []
        result.rawPublicKeyInfo = LibCrypto.der { i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(made), $0) } ?? []
        result.rawSubject = LibCrypto.der { i2d_X509_NAME(X509_REQ_get_subject_name(made), $0) } ?? []
        var signature: UnsafePointer<ASN1_BIT_STRING>?
        X509_REQ_get0_signature(made, &signature, nil)
        result.signature = X509Text.bytes(signature)
        result.signatureAlgorithm = OBJ_nid2sn(X509_REQ_get_signature_nid(made)).map { String(cString: $0) } ?? ""
        result.version = X509_REQ_get_version(made)
        result.subject = X509Text.name(X509_REQ_get_subject_name(made))
        if let extensions = X509_REQ_get_extensions(made) {
            for index in 0..<OPENSSL_sk_num(extensions) {
                let value = OpaquePointer(OPENSSL_sk_value(extensions, index)!)
                if let read = X509Text.anExtension(value) { result.extensions.append(read) }
                if OBJ_obj2nid(X509_EXTENSION_get_object(value)) == NID_subject_alt_name, let names = X509V3_EXT_d2i(value) {
                    result.alternativeNames = X509Text.alternativeNames(OpaquePointer(names))
                    GENERAL_NAMES_free(OpaquePointer(names))
                }
                X509_EXTENSION_free(value)
            }
            OPENSSL_sk_free(extensions)
        }
        ERR_clear_error()
        return result
    }

    func verifyChain(_ certificates: [[UInt8]], options: ChainOptions) throws(HostFailure) -> [[UInt8]] {
        guard certificates.count >= 2 else { throw HostFailure("must supply at least two certificates to be able to verify") }
        var parsed: [X509Certificate] = []
        for der in certificates { parsed.append(try X509Certificate(der)) }
        guard let store = X509_STORE_new(), let between = OPENSSL_sk_new_null(), let context = X509_STORE_CTX_new() else {
            throw HostFailure("out of memory")
        }
        defer {
            X509_STORE_CTX_free(context)
            OPENSSL_sk_free(between)
            X509_STORE_free(store)
            ERR_clear_error()
        }
        X509_STORE_add_cert(store, parsed[0].handle)
        for certificate in parsed[1..<(parsed.count - 1)] {
            OPENSSL_sk_push(between, UnsafeRawPointer(certificate.handle))
        }
        guard X509_STORE_CTX_init(context, store, parsed[parsed.count - 1].handle, between) == 1 else {
            throw LibCrypto.failure("x509: cannot verify")
        }
        let parameters = X509_STORE_CTX_get0_param(context)
        // The first certificate is trusted whoever signed it, as in Go; SHA-1 and short keys are not.
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        X509_VERIFY_PARAM_set_auth_level(parameters, 1)
        X509_VERIFY_PARAM_set_time(parameters, Int(options.time))
        guard X509_verify_cert(context) == 1 else {
            let code = X509_STORE_CTX_get_error(context)
            throw HostFailure("x509: \(String(cString: X509_verify_cert_error_string(Int(code))))")
        }
        let leaf = parsed[parsed.count - 1].handle
        if !options.dnsName.isEmpty {
            let count = options.dnsName.utf8.count
            let matches =
                X509_check_host(leaf, options.dnsName, count, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT), nil) == 1
                || X509_check_ip_asc(leaf, options.dnsName, 0) == 1
            guard matches else { throw HostFailure("x509: certificate is not valid for \(options.dnsName)") }
        }
        let chain = X509_STORE_CTX_get0_chain(context)
        var result: [[UInt8]] = []
        for index in 0..<OPENSSL_sk_num(chain) {
            let certificate = OpaquePointer(OPENSSL_sk_value(chain, index)!)
            result.append(LibCrypto.der { i2d_X509(certificate, $0) } ?? [])
        }
        try Self.check(usages: options.keyUsages, chain: result)
        return result
    }

    /// One of the usages must be allowed all along the chain; a certificate that names none allows all.
    private static func check(usages: [String], chain: [[UInt8]]) throws(HostFailure) {
        if usages.isEmpty { return }
        var left = Set(usages)
        for der in chain {
            let allowed = try X509Certificate(der).fields.extendedKeyUsages
            if allowed.isEmpty || allowed.contains("2.5.29.37.0") { continue }
            left.formIntersection(allowed)
        }
        if left.isEmpty { throw HostFailure("x509: certificate specifies an incompatible key usage") }
    }
}

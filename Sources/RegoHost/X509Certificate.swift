import CCrypto
import Rego

/// A certificate that libcrypto holds.
final class X509Certificate {
    let handle: OpaquePointer
    /// Bytes of the DER that it was read from.
    let byteCount: Int

    init(_ der: ArraySlice<UInt8>) throws(HostFailure) {
        let (made, used): (OpaquePointer?, Int) = der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            let made = d2i_X509(nil, &at, bytes.count)
            return (made, made == nil ? 0 : at! - bytes.baseAddress!)
        }
        guard let made else { throw LibCrypto.failure("x509: malformed certificate") }
        handle = made
        byteCount = used
    }

    convenience init(_ der: [UInt8]) throws(HostFailure) { try self.init(der[...]) }

    deinit { X509_free(handle) }

    var fields: HostCertificate {
        var result = HostCertificate()
        result.raw = LibCrypto.der { i2d_X509(handle, $0) } ?? []
        result.rawTBS = LibCrypto.der { i2d_re_X509_tbs(handle, $0) } ?? []
        result.rawPublicKeyInfo = LibCrypto.der { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle), $0) } ?? []
        result.rawSubject = LibCrypto.der { i2d_X509_NAME(X509_get_subject_name(handle), $0) } ?? []
        result.rawIssuer = LibCrypto.der { i2d_X509_NAME(X509_get_issuer_name(handle), $0) } ?? []
        var signature: UnsafePointer<ASN1_BIT_STRING>?
        X509_get0_signature(&signature, nil, handle)
        result.signature = X509Text.bytes(signature)
        result.signatureAlgorithm = OBJ_nid2sn(X509_get_signature_nid(handle)).map { String(cString: $0) } ?? ""
        result.version = X509_get_version(handle) + 1
        if let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle), nil) {
            defer { BN_free(number) }
            if let text = BN_bn2dec(number) {
                result.serialNumber = String(cString: text)
                CRYPTO_free(text, "", 0)
            }
        }
        result.issuer = X509Text.name(X509_get_issuer_name(handle))
        result.subject = X509Text.name(X509_get_subject_name(handle))
        result.notBefore = X509Text.seconds(X509_get0_notBefore(handle))
        result.notAfter = X509Text.seconds(X509_get0_notAfter(handle))
        if let usage: UnsafeMutablePointer<ASN1_BIT_STRING> = extensionValue(NID_key_usage) {
            for bit in 0..<9 where ASN1_BIT_STRING_get_bit(usage, Int32(bit)) == 1 { result.keyUsage |= 1 << bit }
            ASN1_BIT_STRING_free(usage)
        }
        if let usages: OpaquePointer = extensionValue(NID_ext_key_usage) {
            for index in 0..<OPENSSL_sk_num(usages) {
                result.extendedKeyUsages.append(X509Text.identifier(OpaquePointer(OPENSSL_sk_value(usages, index))))
            }
            EXTENDED_KEY_USAGE_free(usages)
        }
        if let constraints: UnsafeMutablePointer<BASIC_CONSTRAINTS> = extensionValue(NID_basic_constraints) {
            result.hasBasicConstraints = true
            result.isAuthority = constraints.pointee.ca != 0
            if let length = constraints.pointee.pathlen { result.pathLengthMax = ASN1_INTEGER_get(length) }
            BASIC_CONSTRAINTS_free(constraints)
        }
        result.subjectKeyID = X509_get0_subject_key_id(handle).map { X509Text.bytes($0) }
        result.authorityKeyID = X509_get0_authority_key_id(handle).map { X509Text.bytes($0) }
        result.extensions = (0..<X509_get_ext_count(handle)).compactMap { X509Text.anExtension(X509_get_ext(handle, $0)) }
        if let names: OpaquePointer = extensionValue(NID_subject_alt_name) {
            result.alternativeNames = X509Text.alternativeNames(names)
            GENERAL_NAMES_free(names)
        }
        readAccess(into: &result)
        readDistributionPoints(into: &result)
        if let policies: OpaquePointer = extensionValue(NID_certificate_policies) {
            for index in 0..<OPENSSL_sk_num(policies) {
                let policy = OPENSSL_sk_value(policies, index)!.assumingMemoryBound(to: POLICYINFO.self)
                result.policies.append(X509Text.identifier(policy.pointee.policyid))
            }
            CERTIFICATEPOLICIES_free(policies)
        }
        ERR_clear_error()
        return result
    }

    private func extensionValue<Value>(_ nid: Int32) -> UnsafeMutablePointer<Value>? {
        X509_get_ext_d2i(handle, nid, nil, nil)?.assumingMemoryBound(to: Value.self)
    }

    private func extensionValue(_ nid: Int32) -> OpaquePointer? {
        X509_get_ext_d2i(handle, nid, nil, nil).map { OpaquePointer($0) }
    }

    private func readAccess(into result: inout HostCertificate) {
        guard let access: OpaquePointer = extensionValue(NID_info_access) else { return }
        for index in 0..<OPENSSL_sk_num(access) {
            let description = OPENSSL_sk_value(access, index)!.assumingMemoryBound(to: ACCESS_DESCRIPTION.self)
            guard let uri = X509Text.uri(description.pointee.location) else { continue }
            switch OBJ_obj2nid(description.pointee.method) {
            case NID_ad_OCSP: result.ocspServers.append(uri)
            case NID_ad_ca_issuers: result.issuingURLs.append(uri)
            default: break
            }
        }
        AUTHORITY_INFO_ACCESS_free(access)
    }

    private func readDistributionPoints(into result: inout HostCertificate) {
        guard let points: OpaquePointer = extensionValue(NID_crl_distribution_points) else { return }
        for index in 0..<OPENSSL_sk_num(points) {
            let point = OPENSSL_sk_value(points, index)!.assumingMemoryBound(to: DIST_POINT.self)
            guard let name = point.pointee.distpoint, name.pointee.type == 0, let full = name.pointee.name.fullname else { continue }
            for at in 0..<OPENSSL_sk_num(full) {
                let general = OPENSSL_sk_value(full, at)!.assumingMemoryBound(to: GENERAL_NAME.self)
                if let uri = X509Text.uri(general) { result.distributionPoints.append(uri) }
            }
        }
        CRL_DIST_POINTS_free(points)
    }
}

import CTLS

/// A certificate with its chain and its key, checked and ready to serve: TLS 1.2 and 1.3, ciphers with forward secrecy and authentication only.
///
/// Sessions that began with it live on when another identity replaces it; tickets of one are worth nothing to the other.
// SAFETY: libssl counts the references of the context under a lock of its own, and nothing changes it after `init`.
package final class TLSServerIdentity: @unchecked Sendable {
    package let certificate: TLSCertificate
    let context: OpaquePointer

    /// - Parameters:
    ///   - chain: PEM, the node's own certificate first, then each one's issuer; the root may be left out.
    ///   - key: PEM, without a password.
    package init(chain: [UInt8], key: [UInt8]) throws(TLSError) {
        ERR_clear_error()
        let certificates = try PEMFile.certificates(chain)
        defer { for certificate in certificates { X509_free(certificate) } }
        let privateKey = try PEMFile.key(key)
        defer { EVP_PKEY_free(privateKey) }
        try ChainCheck.check(certificates, privateKey)
        certificate = TLSCertificate(certificates[0])
        context = try Self.makeContext(certificates, privateKey)
    }

    deinit { SSL_CTX_free(context) }

    /// What may stand in `Host` because the certificate says so, in lower case.
    package var hostNames: [String] { certificate.names.map { $0.lowercased() } }

    private static func makeContext(_ certificates: [OpaquePointer], _ key: OpaquePointer) throws(TLSError) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_server_method()) else { preconditionFailure("libssl has no memory") }
        posto_tls_set_versions(context)
        posto_tls_set_mode(context)
        posto_tls_keep_no_sessions(context)
        SSL_CTX_set_options(context, posto_tls_server_options)
        SSL_CTX_set_security_level(context, 2)
        // One ticket a handshake: nobody opens two connections with what one gave.
        SSL_CTX_set_num_tickets(context, 1)
        SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
        precondition(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
        precondition(posto_tls_set_groups(context, "X25519:P-256:P-384") == 1)
        var taken = SSL_CTX_use_certificate(context, certificates[0]) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1
        for issuer in certificates.dropFirst() where taken { taken = posto_tls_add_chain(context, issuer) == 1 }
        guard taken else {
            let reason = TLSLibrary.takeError()
            SSL_CTX_free(context)
            throw TLSError(
                .refused, "libssl refuses it: \(reason)",
                hint: "clients would refuse it too; make a key of P-256 or RSA with 2048 bits or more, signed with SHA-256")
        }
        return context
    }
}

/// ALPN (RFC 7301): the only protocol spoken here, else an alert, so that a client of another protocol cannot be led here.
private let chooseProtocol:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?, UInt32,
        UnsafeMutableRawPointer?
    ) -> Int32 = { _, chosen, chosenCount, offered, count, _ in
        guard let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        var at = 0
        while at < Int(count) {
            let length = Int(offered[at])
            guard at + 1 + length <= Int(count) else { break }
            let name = UnsafeBufferPointer(start: offered + at + 1, count: length)
            if name.elementsEqual("http/1.1".utf8) || name.elementsEqual("http/1.0".utf8) {
                chosen?.pointee = offered + at + 1
                chosenCount?.pointee = UInt8(length)
                return SSL_TLSEXT_ERR_OK
            }
            at += 1 + length
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }

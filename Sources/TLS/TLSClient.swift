import CTLS

/// Who a client trusts, for measurements and tests: the command line and the uplink use libcurl.
// SAFETY: as of `TLSServerIdentity`.
package final class TLSClient: @unchecked Sendable {
    private let context: OpaquePointer

    /// - Parameter authorities: PEM, one certificate; servers must show one that it signed, for the name that is asked for.
    package init(authorities: [UInt8], version13: Bool = true) throws(TLSError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { preconditionFailure("libssl has no memory") }
        self.context = context
        posto_tls_set_versions(context)
        posto_tls_set_mode(context)
        SSL_CTX_set_options(context, posto_tls_client_options)
        if !version13 { posto_tls_set_version12(context) }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        for certificate in try PEMFile.certificates(authorities) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
            X509_free(certificate)
        }
    }

    deinit { SSL_CTX_free(context) }

    /// The client's side of a connection to the server of that name.
    package func session(to name: String, descriptor: Int32) -> TLSSession {
        TLSSession(client: context, descriptor: descriptor, name: name)
    }
}

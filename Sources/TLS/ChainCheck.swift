import CTLS

/// Whether a key, its certificate and the issuers in the file belong together.
enum ChainCheck {
    static func check(_ certificates: [OpaquePointer], _ key: OpaquePointer) throws(TLSError) {
        defer { ERR_clear_error() }
        let own = certificates[0]
        guard X509_check_private_key(own, key) == 1 else {
            ERR_clear_error()
            if let place = certificates.firstIndex(where: { X509_check_private_key($0, key) == 1 }) {
                throw TLSError(
                    .chainOrder, "the key belongs to certificate \(place + 1) of the file, and the node's own must be the first",
                    hint: "put it first, then the one that signed it, and so on")
            }
            throw TLSError(
                .mismatch, "the key does not belong to the certificate",
                hint: "they were made separately, or only one of them was renewed; both must be of the same pair")
        }
        for (place, certificate) in certificates.enumerated().dropLast() {
            let issuer = certificates[place + 1]
            guard X509_check_issued(issuer, certificate) == X509_V_OK else {
                throw TLSError(
                    .chainOrder,
                    "certificate \(place + 2) of the file (\(TLSCertificate(issuer).subject)) did not sign certificate \(place + 1) (signed by \(TLSCertificate(certificate).issuer))",
                    hint: "the node's own first, then the one that signed it, and so on; nothing else belongs into the file")
            }
        }
        guard X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) == 1 else {
            throw TLSError(
                .wrongPurpose, "the certificate is not for servers",
                hint: "it needs the extended key usage serverAuth, or none at all")
        }
    }
}

import CTLS

/// Reads PEM (RFC 7468), and says what a file holds if it is not what was looked for.
enum PEMFile {
    /// More issuers than any chain has; a bundle of all authorities ends here.
    private static let certificatesMax = 10

    /// At least one; the caller frees them.
    static func certificates(_ bytes: [UInt8]) throws(TLSError) -> [OpaquePointer] {
        var found: [OpaquePointer] = []
        withBIO(bytes) { bio in
            while found.count <= certificatesMax, let certificate = posto_read_certificate(bio) { found.append(certificate) }
        }
        // The end of the file is an error of its own, and not the only one there may be.
        let last = ERR_peek_last_error()
        let isEnd = posto_error_reason(last) == UInt(PEM_R_NO_START_LINE)
        ERR_clear_error()
        guard found.count <= certificatesMax, isEnd || found.count > certificatesMax, !found.isEmpty else {
            let count = found.count
            for certificate in found { X509_free(certificate) }
            if count > certificatesMax {
                throw TLSError(
                    .badCertificate, "holds more than \(certificatesMax) certificates",
                    hint: "only the node's own and its intermediate issuers belong here, not a bundle of authorities")
            }
            if count == 0, isEnd {
                throw TLSError(
                    .badCertificate, contains("PRIVATE KEY", bytes) ? "holds a key and no certificate" : "holds no certificate",
                    hint: "expected PEM that begins with -----BEGIN CERTIFICATE-----")
            }
            throw TLSError(
                .badCertificate, "certificate \(count + 1) in it cannot be read",
                hint: "it may be cut off; look with openssl x509 -text -noout")
        }
        return found
    }

    /// The caller frees it.
    static func key(_ bytes: [UInt8]) throws(TLSError) -> OpaquePointer {
        let key = withBIO(bytes) { posto_read_key($0) }
        ERR_clear_error()
        if let key { return key }
        if contains("ENCRYPTED", bytes) {
            throw TLSError(
                .encryptedKey, "the key needs a password",
                hint:
                    "store it without one, readable by the daemon alone: openssl pkey -in FILE -out tls.key; a systemd credential keeps it sealed"
            )
        }
        if contains("BEGIN CERTIFICATE", bytes) {
            throw TLSError(.badKey, "holds a certificate and no key", hint: "tls_certificate and tls_key may be exchanged")
        }
        throw TLSError(.badKey, "holds no key that can be read", hint: "expected PEM that begins with -----BEGIN PRIVATE KEY-----")
    }

    private static func withBIO<R>(_ bytes: [UInt8], _ body: (OpaquePointer?) -> R) -> R {
        // One byte more than there is, so that also an empty file is a file; libcrypto copies nothing.
        (bytes + [0x0a]).withUnsafeBytes { buffer in
            let bio = posto_bio(buffer.baseAddress, Int32(clamping: buffer.count))
            defer { BIO_free(bio) }
            return body(bio)
        }
    }

    private static func contains(_ text: StaticString, _ bytes: [UInt8]) -> Bool {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}

/// Why a certificate and its key cannot be used.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The file of the certificate holds none, or one that cannot be read.
        case badCertificate
        /// The file of the key holds none, or one that cannot be read.
        case badKey
        /// The key needs a password, which a daemon has nobody to ask for.
        case encryptedKey
        /// The key belongs to another certificate.
        case mismatch
        /// The certificates are not in order: the node's own, then each one's issuer.
        case chainOrder
        /// It is made for something else than servers.
        case wrongPurpose
        /// The library refuses it, mostly because a key or signature is too weak.
        case refused
    }

    package let code: Code
    /// A sentence without its end.
    package let message: String
    /// What to do about it.
    package let hint: String

    init(_ code: Code, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { message }
}

import CCrypto

/// The library below the cryptography.
package enum CryptoLibrary {
    /// Of the libcrypto that runs: `3.0.15`.
    package static var version: String {
        "\(OPENSSL_version_major()).\(OPENSSL_version_minor()).\(OPENSSL_version_patch())"
    }
}

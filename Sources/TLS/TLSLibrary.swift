import CTLS

/// The library below TLS: Debian's libssl, the one that libcurl uses too.
package enum TLSLibrary {
    /// Of the libssl that runs: `OpenSSL 3.0.15 3 Sep 2024`.
    package static var version: String { String(cString: OpenSSL_version(OPENSSL_VERSION)) }

    /// The oldest error of this thread in words, and none is left behind.
    static func takeError() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return "unknown error" }
        return String(cString: reason)
    }
}

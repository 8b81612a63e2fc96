import CCurl
import Glibc

/// Why a server that should prove who it is did not: nothing was sent to it.
package enum TrustFault: Equatable, Sendable {
    /// No authority that is trusted here signed its certificate.
    case unknownAuthority
    /// Its certificate is for other names than the one that was asked for.
    case wrongName
    /// Its certificate has ended, or holds from a later day on; or this host's clock is wrong.
    case ended, early
    /// libssl's own words about another fault of the certificate.
    case refused(String)
    /// What answers there does not speak TLS, or breaks off in the middle of the handshake; in libcurl's words.
    case noTLS(String)
    /// The file of the trusted authorities cannot be used.
    case badAuthorities(String)

    /// - Parameter place: the server's address.
    func reason(_ place: String) -> String {
        switch self {
        case .unknownAuthority: "\(place) shows a certificate that no trusted authority has signed"
        case .wrongName: "\(place) shows a certificate for another name"
        case .ended: "\(place) shows a certificate that has ended"
        case .early: "\(place) shows a certificate that does not hold yet"
        case .refused(let words): "\(place) shows a certificate that cannot be trusted: \(words)"
        case .noTLS(let words): "\(place) does not speak TLS, or broke off the handshake: \(words)"
        case .badAuthorities(let path):
            "\(path.isEmpty ? "the system's file of authorities" : path) cannot be read, or holds no certificate"
        }
    }

    /// What libcurl made of a transfer; nil if it is about something else than trust.
    ///
    /// - Parameter caFile: what was to be trusted; empty: the system's authorities.
    init?(_ code: CURLcode, _ handle: UnsafeMutableRawPointer, words: String, caFile: String) {
        switch code {
        case CURLE_SSL_CACERT_BADFILE: self = .badAuthorities(caFile)
        case CURLE_SSL_CONNECT_ERROR: self = .noTLS(words)
        case CURLE_PEER_FAILED_VERIFICATION:
            var result = 0
            _ = posto_curl_get_long(handle, CURLINFO_SSL_VERIFYRESULT, &result)
            // Numbers of x509_vfy.h, which libcurl passes on.
            switch result {
            // It compares names itself, before it asks libssl for the result, which stands at 1 until then.
            case 0, 1, 62, 64: self = .wrongName
            case 9: self = .early
            case 10: self = .ended
            case 2, 18...21, 27: self = .unknownAuthority
            default: self = .refused(words)
            }
        default: return nil
        }
    }
}

/// Where libcurl writes what went wrong in its own words, for as long as a handle lives that knows the address.
final class CurlWords {
    // SAFETY: allocated and freed by this object; libcurl writes at most CURL_ERROR_SIZE bytes with their NUL.
    private let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init() { buffer.pointee = 0 }

    deinit { buffer.deallocate() }

    /// Before each transfer, since `curl_easy_reset` forgets it.
    func attach(to handle: UnsafeMutableRawPointer) {
        buffer.pointee = 0
        Curl.set(handle, CURLOPT_ERRORBUFFER, pointer: buffer)
    }

    /// libcurl's general words if it had no special ones.
    func text(_ code: CURLcode) -> String {
        buffer.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: buffer)
    }
}

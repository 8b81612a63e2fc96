import CCurl
import Domain
import Glibc

/// libcurl as a whole.
package enum CurlLibrary {
    /// Before the first thread starts, and before any other use (curl_global_init(3)). Again is harmless.
    package static func initialize() { _ = initialized }

    private static let initialized: Void = {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        precondition(code == CURLE_OK, "curl_global_init: \(code.rawValue)")
    }()
}

/// One libcurl easy handle, owned. One thread at a time.
struct CurlHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init() {
        CurlLibrary.initialize()
        // It fails only without memory.
        raw = curl_easy_init()!
    }

    deinit { curl_easy_cleanup(raw) }
}

/// The options of an easy handle. An option that libcurl does not know is our mistake, not the caller's.
enum Curl {
    static func set(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, _ value: Int) {
        check(posto_curl_set_long(handle, option, value), option)
    }

    /// libcurl copies the text.
    static func set(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, _ value: String) {
        check(posto_curl_set_string(handle, option, value), option)
    }

    /// The pointer must stay valid until the transfer ends.
    static func set(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        check(posto_curl_set_pointer(handle, option, pointer), option)
    }

    static func milliseconds(_ duration: Duration) -> Int { Int(clamping: max(1, duration.wholeMilliseconds)) }

    private static func check(_ code: CURLcode, _ option: CURLoption) {
        precondition(code == CURLE_OK, "curl_easy_setopt(\(option.rawValue)): \(code.rawValue)")
    }
}

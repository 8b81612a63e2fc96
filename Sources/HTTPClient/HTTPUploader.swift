import CCurl
import Domain
import Glibc

/// A blocking HTTP client for a thread that sends: one origin, one connection that is kept, a token, authorities that are trusted.
///
/// HTTP/1.1 only: libcurl's upload of more than 64 KiB over HTTP/2 hangs when the server answers without reading it (PLATFORM notes §5).
package struct HTTPUploader: ~Copyable {
    package struct Options: Sendable {
        /// `https://host[:port][/path]`, without a slash at its end.
        package var url: String
        package var token: String?
        /// Certificates in PEM; empty: the system's.
        package var caFile: String
        package var timeout: Duration

        package init(url: String, token: String?, caFile: String, timeout: Duration) {
            self.url = url
            self.token = token
            self.caFile = caFile
            self.timeout = timeout
        }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var retryAfter: String?
        package var body: [UInt8]
    }

    private let options: Options
    private let handle = CurlHandle()
    private let words = CurlWords()
    private let interruption: Interruption

    /// - Parameter isStopped: asked during a transfer about once a second; true ends it.
    package init(_ options: Options, isStopped: @escaping @Sendable () -> Bool) {
        self.options = options
        interruption = Interruption(isStopped)
    }

    /// Sends a request and waits for the whole answer, whatever its status; redirects are not followed.
    ///
    /// - Parameter body: nil sends a GET, anything else a POST.
    package borrowing func exchange(
        _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, replyBytesMax: Int
    ) throws(HTTPClientError) -> Answer {
        precondition(path.hasPrefix("/"), "a path begins with a slash")
        let raw = handle.raw
        curl_easy_reset(raw)
        prepare(raw, path, body)
        var lines: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(lines) }
        // libcurl's own "Expect: 100-continue" costs a second with servers that do not answer it.
        lines = curl_slist_append(lines, "Expect:")
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines = curl_slist_append(lines, "Content-Type:") }
        for header in headers {
            precondition(!header.value.utf8.contains { $0 < 0x20 }, "a header with a line break")
            lines = curl_slist_append(lines, "\(header.name): \(header.value)")
        }
        if let token = options.token { lines = curl_slist_append(lines, "Authorization: Bearer \(token)") }
        Curl.set(raw, CURLOPT_HTTPHEADER, pointer: lines)
        let collected = Collected(bytesMax: replyBytesMax)
        let exchange = HTTPExchange { reply, chunk in collected.add(reply, chunk) }
        // SAFETY: libcurl uses the pointers only within `curl_easy_perform`, and what they point at lives until after it.
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        Curl.set(raw, CURLOPT_WRITEDATA, pointer: context)
        Curl.set(raw, CURLOPT_HEADERDATA, pointer: context)
        Curl.set(raw, CURLOPT_XFERINFODATA, pointer: Unmanaged.passUnretained(interruption).toOpaque())
        _ = posto_curl_set_write(raw, CURLOPT_WRITEFUNCTION, receiveBody)
        _ = posto_curl_set_write(raw, CURLOPT_HEADERFUNCTION, receiveHeader)
        _ = posto_curl_set_progress(raw, askInterruption)
        var bytes = body.flatMap { $0.isEmpty ? nil : $0 } ?? [0]
        let code = bytes.withUnsafeMutableBytes { bytes in
            if body != nil { Curl.set(raw, CURLOPT_POSTFIELDS, pointer: bytes.baseAddress) }
            return curl_easy_perform(raw)
        }
        return try withExtendedLifetime((exchange, interruption)) { () throws(HTTPClientError) -> Answer in
            guard code == CURLE_OK else { throw failure(code, isTooLarge: collected.isTooLarge) }
            return Answer(status: exchange.reply.status, retryAfter: exchange.reply.header("retry-after"), body: collected.body)
        }
    }

    private borrowing func prepare(_ raw: UnsafeMutableRawPointer, _ path: String, _ body: [UInt8]?) {
        Curl.set(raw, CURLOPT_NOSIGNAL, 1)
        words.attach(to: raw)
        Curl.set(raw, CURLOPT_PROTOCOLS_STR, options.url.hasPrefix("https://") ? "https" : "http")
        Curl.set(raw, CURLOPT_URL, options.url + path)
        Curl.set(raw, CURLOPT_PATH_AS_IS, 1)
        Curl.set(raw, CURLOPT_USERAGENT, "posto")
        Curl.set(raw, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        if !options.caFile.isEmpty { Curl.set(raw, CURLOPT_CAINFO, options.caFile) }
        // Plain HTTP is for this host itself, which no proxy of the environment reaches.
        if options.url.hasPrefix("http://") { Curl.set(raw, CURLOPT_PROXY, "") }
        Curl.set(raw, CURLOPT_CONNECTTIMEOUT_MS, Curl.milliseconds(Limits.uplinkConnectTimeout))
        Curl.set(raw, CURLOPT_TIMEOUT_MS, Curl.milliseconds(options.timeout))
        Curl.set(raw, CURLOPT_LOW_SPEED_LIMIT, Limits.uplinkLowSpeedBytes)
        Curl.set(raw, CURLOPT_LOW_SPEED_TIME, Int(Limits.uplinkLowSpeedTime.components.seconds))
        Curl.set(raw, CURLOPT_TCP_KEEPALIVE, 1)
        Curl.set(raw, CURLOPT_NOPROGRESS, 0)
        if let body {
            Curl.set(raw, CURLOPT_POST, 1)
            _ = posto_curl_set_off(raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        }
    }

    private borrowing func failure(_ code: CURLcode, isTooLarge: Bool) -> HTTPClientError {
        var number = 0
        _ = posto_curl_get_long(handle.raw, CURLINFO_OS_ERRNO, &number)
        let system = number == 0 ? nil : String(cString: strerror(Int32(clamping: number)))
        if let fault = TrustFault(code, handle.raw, words: words.text(code), caFile: options.caFile) {
            return HTTPClientError(.untrusted(fault), fault.reason("the receiver"))
        }
        switch code {
        case CURLE_COULDNT_CONNECT: return HTTPClientError(.unreachable, "cannot connect: \(system ?? "nobody answers")")
        case CURLE_COULDNT_RESOLVE_HOST: return HTTPClientError(.unreachable, "the host's name is not known")
        case CURLE_OPERATION_TIMEDOUT: return HTTPClientError(.timedOut, "no answer in time")
        case CURLE_WRITE_ERROR where isTooLarge: return HTTPClientError(.tooLarge, "the answer is too long")
        default: return HTTPClientError(.broken, String(cString: curl_easy_strerror(code)))
        }
    }
}

/// The body of an answer, up to a bound.
private final class Collected {
    private(set) var body: [UInt8] = []
    private(set) var isTooLarge = false
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    func add(_ reply: HTTPReply, _ chunk: UnsafeBufferPointer<UInt8>) -> Bool {
        isTooLarge = body.count + chunk.count > bytesMax
        if !isTooLarge { body.append(contentsOf: chunk) }
        return !isTooLarge
    }
}

private final class Interruption: Sendable {
    let isStopped: @Sendable () -> Bool
    init(_ isStopped: @escaping @Sendable () -> Bool) { self.isStopped = isStopped }
}

/// libcurl takes anything but 0 for "stop".
private func askInterruption(_ context: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t) -> Int32 {
    // SAFETY: `context` is the uploader's own interruption, which lives as long as the transfer.
    Unmanaged<Interruption>.fromOpaque(context!).takeUnretainedValue().isStopped() ? 1 : 0
}

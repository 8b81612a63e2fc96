import CCurl
import Domain
import Glibc

/// A request of the command line.
package struct HTTPCall: Sendable {
    package var method: String
    /// Path and query, percent-encoded, from its `/`.
    package var path: String
    package var headers: [(name: String, value: String)]
    /// nil: none, not an empty one.
    package var body: [UInt8]?
    /// For the whole exchange; nil waits as long as the connection lives, for watches.
    package var timeout: Duration?

    package init(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeout: Duration? = .seconds(30)
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

package struct HTTPReply: Sendable {
    package var status: Int
    /// In the order in which they came; names in lower case.
    package var headers: [(name: String, value: String)]
    /// Empty if it was streamed.
    package var body: [UInt8]

    /// The first value of that name, which is given in lower case.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A blocking HTTP client for the command line: one daemon, one connection that is kept between calls. One thread.
package struct HTTPCaller: ~Copyable {
    package let server: ServerAddress
    private let caFile: String
    private let handle = CurlHandle()
    private let words = CurlWords()

    /// - Parameter caFile: PEM, the authorities that a server over TLS must be signed by; empty: the system's.
    package init(_ server: ServerAddress, caFile: String = "") {
        self.server = server
        self.caFile = caFile
    }

    /// Sends the request and waits for the whole answer, whatever its status.
    ///
    /// - Throws: `HTTPClientError`; `.tooLarge` beyond `Limits.callerReplyBytesMax`.
    package borrowing func call(_ call: HTTPCall) throws(HTTPClientError) -> HTTPReply {
        var body: [UInt8] = []
        var isTooLarge = false
        var reply = try stream(call) { _, chunk in
            isTooLarge = body.count + chunk.count > Limits.callerReplyBytesMax
            if !isTooLarge { body.append(contentsOf: chunk) }
            return !isTooLarge
        }
        if isTooLarge { throw HTTPClientError(.tooLarge, "the answer has more than \(Limits.callerReplyBytesMax) bytes") }
        reply.body = body
        return reply
    }

    /// Sends the request and hands over the answer's body as it comes.
    ///
    /// - Parameter receive: gets the reply without its body, and bytes that are valid for the length of the call; false ends the
    ///   exchange, which is no error.
    package borrowing func stream(
        _ call: HTTPCall, _ receive: (HTTPReply, UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(HTTPClientError) -> HTTPReply {
        precondition(call.path.hasPrefix("/"), "a path begins with a slash")
        let raw = handle.raw
        curl_easy_reset(raw)
        prepare(raw, call)
        var lines: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(lines) }
        // libcurl's own "Expect: 100-continue" costs a second with servers that do not answer it.
        lines = curl_slist_append(lines, "Expect:")
        // Nor does a body get a type that nobody said.
        if !call.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines = curl_slist_append(lines, "Content-Type:") }
        for header in call.headers {
            precondition(
                !header.name.utf8.contains { $0 < 0x21 } && !header.value.utf8.contains { $0 < 0x20 && $0 != 9 },
                "a header with a line break")
            lines = curl_slist_append(lines, header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        Curl.set(raw, CURLOPT_HTTPHEADER, pointer: lines)

        return try withoutActuallyEscaping(receive) { (receive) throws(HTTPClientError) -> HTTPReply in
            let exchange = HTTPExchange(receive)
            // SAFETY: libcurl uses the pointers only within `curl_easy_perform`, and `exchange` lives until after it.
            let context = Unmanaged.passUnretained(exchange).toOpaque()
            Curl.set(raw, CURLOPT_WRITEDATA, pointer: context)
            Curl.set(raw, CURLOPT_HEADERDATA, pointer: context)
            _ = posto_curl_set_write(raw, CURLOPT_WRITEFUNCTION, receiveBody)
            _ = posto_curl_set_write(raw, CURLOPT_HEADERFUNCTION, receiveHeader)
            // Without an address libcurl would read the body from standard input.
            var body = call.body.flatMap { $0.isEmpty ? nil : $0 } ?? [0]
            let code = body.withUnsafeMutableBytes { bytes in
                if call.body != nil {
                    Curl.set(raw, CURLOPT_POSTFIELDS, pointer: bytes.baseAddress)
                }
                return curl_easy_perform(raw)
            }
            return try withExtendedLifetime(exchange) { () throws(HTTPClientError) -> HTTPReply in
                if code == CURLE_OK || (code == CURLE_WRITE_ERROR && exchange.isEnded) { return exchange.reply }
                throw failure(code, exchange)
            }
        }
    }

    private borrowing func prepare(_ raw: UnsafeMutableRawPointer, _ call: HTTPCall) {
        Curl.set(raw, CURLOPT_NOSIGNAL, 1)
        if case .tls = server {
            Curl.set(raw, CURLOPT_PROTOCOLS_STR, "https")
            // What the environment says about TLS is no reason to trust anybody.
            if !caFile.isEmpty { Curl.set(raw, CURLOPT_CAINFO, caFile) }
            Curl.set(raw, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        } else {
            Curl.set(raw, CURLOPT_PROTOCOLS_STR, "http")
        }
        words.attach(to: raw)
        Curl.set(raw, CURLOPT_URL, server.origin + call.path)
        Curl.set(raw, CURLOPT_PATH_AS_IS, 1)
        Curl.set(raw, CURLOPT_USERAGENT, "posto")
        Curl.set(raw, CURLOPT_CONNECTTIMEOUT_MS, Curl.milliseconds(Limits.callerConnectTimeout))
        if let timeout = call.timeout { Curl.set(raw, CURLOPT_TIMEOUT_MS, Curl.milliseconds(timeout)) }
        if case .unix(let path) = server { Curl.set(raw, CURLOPT_UNIX_SOCKET_PATH, path) }
        // A proxy of the environment cannot reach this host's loopback.
        if server.isLocal { Curl.set(raw, CURLOPT_PROXY, "") }
        Curl.set(raw, CURLOPT_TCP_KEEPALIVE, 1)
        if let body = call.body {
            Curl.set(raw, CURLOPT_POST, 1)
            _ = posto_curl_set_off(raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        } else if call.method == "HEAD" {
            Curl.set(raw, CURLOPT_NOBODY, 1)
        }
        Curl.set(raw, CURLOPT_CUSTOMREQUEST, call.method)
    }

    private borrowing func failure(_ code: CURLcode, _ exchange: HTTPExchange) -> HTTPClientError {
        var number = 0
        _ = posto_curl_get_long(handle.raw, CURLINFO_OS_ERRNO, &number)
        let system = number == 0 ? nil : String(cString: strerror(Int32(clamping: number)))
        if let fault = TrustFault(code, handle.raw, words: words.text(code), caFile: caFile) {
            return HTTPClientError(.untrusted(fault), fault.reason("\(server)"))
        }
        switch code {
        case CURLE_COULDNT_CONNECT: return HTTPClientError(.unreachable, "cannot connect to \(server): \(system ?? "nobody answers")")
        case CURLE_COULDNT_RESOLVE_HOST: return HTTPClientError(.unreachable, "cannot connect to \(server): the name is not known")
        case CURLE_OPERATION_TIMEDOUT:
            var connectedAfter: curl_off_t = 0
            _ = posto_curl_get_off(handle.raw, CURLINFO_CONNECT_TIME_T, &connectedAfter)
            if connectedAfter == 0 { return HTTPClientError(.unreachable, "cannot connect to \(server): no answer in time") }
            return HTTPClientError(.timedOut, "\(server) did not answer in time")
        case CURLE_WRITE_ERROR where exchange.isHeadTooLarge:
            return HTTPClientError(.tooLarge, "the head of the answer has more than \(Limits.callerHeadBytesMax) bytes")
        default: return HTTPClientError(.broken, "\(server): \(String(cString: curl_easy_strerror(code)))")
        }
    }
}

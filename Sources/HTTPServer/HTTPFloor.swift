import CMicroHTTPD

/// What libmicrohttpd itself can do: the same loop and accepting, an empty handler, one body, no checks. The measure for `HTTPDoor`.
package final class HTTPFloor: Sendable {
    private let server: HTTPDoor

    /// - Parameters certificate, key: PEM; with them libmicrohttpd speaks its own TLS (GnuTLS), in the same thread: the measure for ours.
    package init(listener: HTTPListener, body: [UInt8], certificate: String? = nil, key: String? = nil) throws(HTTPServerError) {
        server = try HTTPDoor(
            configuration: HTTPServerConfiguration(listeners: [listener]), handler: NoHandler(),
            floor: FloorAnswer(body: body, certificate: certificate, key: key))
    }

    package var bound: [HTTPAddress] { server.bound }
    package func start() { server.start() }
    package func stop() { server.stop() }
}

/// The one answer of the floor.
struct FloorAnswer: Sendable {
    let body: [UInt8]
    let certificate: String?
    let key: String?

    func make() -> OpaquePointer? {
        body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer(bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
    }
}

private final class NoHandler: HTTPHandler {
    func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission { .accept(bodyMax: 0) }
    func handle(_ request: borrowing HTTPRequest) -> HTTPReply { .answer(HTTPResponse(status: 204)) }
    func refusal(_ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?) -> HTTPResponse {
        HTTPResponse(status: refusal.status)
    }
}

import CMicroHTTPD
import Domain
import Glibc

/// An answer that is made once and sent many times: libmicrohttpd's response with its headers, as long as its owner keeps it.
///
/// What differs between two of its answers is written into the response's own copy of the headers just before it is queued: the identity of the
/// request and the date. libmicrohttpd copies the headers into the connection's memory before any other request reaches us (a response that is
/// queued from the handler is rendered in the same `MHD_run`, by the same thread), so nobody sees another's.
///
/// Belongs to the HTTP thread. Its last reference may go anywhere: libmicrohttpd counts the references of a response under a lock of its own.
// SAFETY: made, sent and changed on the HTTP thread alone; `deinit` touches only what is atomic in the library.
package final class PreparedAnswer: @unchecked Sendable {
    package let status: UInt16
    private let contentType: HTTPContentType
    private let revision: UInt64?
    /// Ours until the response is rendered, then the response's: whoever is still sending it may outlive us.
    private let memory: UnsafeMutableRawBufferPointer
    private var rendered: OpaquePointer?
    private var identity: UnsafeMutablePointer<UInt8>?
    private var date: UnsafeMutablePointer<UInt8>?
    /// Seconds of the date that stands in the headers.
    private var dateSecond = 0

    package init(status: UInt16 = 200, contentType: HTTPContentType = .json, body: [UInt8], revision: UInt64?) {
        self.status = status
        self.contentType = contentType
        self.revision = revision
        // From malloc: libmicrohttpd frees it.
        memory = UnsafeMutableRawBufferPointer(start: malloc(max(1, body.count))!, count: body.count)
        memory.copyBytes(from: body)
    }

    deinit {
        if let rendered { MHD_destroy_response(rendered) } else { free(memory.baseAddress) }
    }

    package var body: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// The same as an ordinary answer, for requests that need more than the date and their identity written.
    var response: HTTPResponse {
        HTTPResponse(status: status, contentType: contentType, body: .bytes(Array(memory)), revision: revision)
    }

    /// The response with this request's identity and date in it; nil if this request needs another form.
    func response(for connection: ConnectionPointer, at now: HTTPDate) -> OpaquePointer? {
        guard connection.pointee.requestID.hasDigitsLength else { return nil }
        if mayCompress, connection.pointee.head.acceptEncoding != nil { return nil }
        guard let response = rendered ?? render(connection, now), let identity, let date else { return nil }
        connection.pointee.requestID.copyDigits(to: identity)
        if dateSecond != now.second {
            now.copy(to: date)
            dateSecond = now.second
        }
        return response
    }

    private var mayCompress: Bool { memory.count >= Limits.httpCompressBytesMin && contentType.compresses }

    private func render(_ connection: ConnectionPointer, _ date: HTTPDate) -> OpaquePointer? {
        guard let made = MHD_create_response_from_buffer(memory.count, memory.baseAddress, .RESPMEM_MUST_FREE) else { return nil }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1_024) { scratch in
            var block = HeaderBlock(made, scratch: scratch)
            if mayCompress { block.add("Vary", "Accept-Encoding") }
            let offsets = Responder.write(response, connection.pointee.requestID, date, to: &block)
            guard let lines = block.finish(), let identity = offsets.identity, let date = offsets.date else { return }
            self.identity = lines + identity
            self.date = lines + date
        }
        dateSecond = date.second
        rendered = made
        return made
    }
}

extension HTTPResponse {
    /// The same answer, to be sent to many; itself if it has headers of its own or no bytes.
    package var prepared: HTTPResponse {
        guard case .bytes(let bytes) = body, headers.isEmpty, !close else { return self }
        return HTTPResponse(PreparedAnswer(status: status, contentType: contentType, body: bytes, revision: revision))
    }
}

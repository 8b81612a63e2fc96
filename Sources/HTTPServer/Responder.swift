import CMicroHTTPD
import CPlatform
import Domain
import Glibc

/// Turns an `HTTPResponse` into libmicrohttpd's, and the few answers that go past libmicrohttpd into bytes.
enum Responder {
    /// Queues `response` on the connection; it must be in a state where libmicrohttpd takes one.
    static func queue(_ response: HTTPResponse, on connection: ConnectionPointer, in loop: HTTPLoop, close: Bool) -> Bool {
        if case .prepared(let prepared) = response.body {
            guard !close, let answer = prepared.response(for: connection, at: loop.date) else {
                return queue(prepared.response, on: connection, in: loop, close: close)
            }
            connection.pointee.status = prepared.status
            return posto_mhd_queue_response(connection.pointee.handle, UInt32(prepared.status), answer) == 1
        }
        guard let answer = make(response, connection, loop) else { return false }
        defer { MHD_destroy_response(answer) }
        addHeaders(answer, response, connection, loop.date, close: close)
        connection.pointee.status = response.status
        return posto_mhd_queue_response(connection.pointee.handle, UInt32(response.status), answer) == 1
    }

    private static func make(_ response: HTTPResponse, _ connection: ConnectionPointer, _ loop: HTTPLoop) -> OpaquePointer? {
        switch response.body {
        case .none:
            return MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        case .bytes(let bytes):
            if bytes.count >= Limits.httpCompressBytesMin, response.mayCompress, response.contentType.compresses {
                return compressed(bytes, connection, loop)
            }
            return copied(bytes)
        case .prepared: preconditionFailure("a prepared answer within another")
        case .file(let descriptor, let size):
            guard let answer = MHD_create_response_from_fd64(size, descriptor) else {
                Glibc.close(descriptor)
                return nil
            }
            return answer
        case .stream(let stream):
            stream.attach(id: loop.beginStream(stream, connection), mailbox: loop.mailbox)
            // SAFETY: `endStream` takes the reference back, once: libmicrohttpd calls it when the answer is destroyed.
            let context = Unmanaged.passRetained(StreamReader(stream: stream, connection: connection)).toOpaque()
            guard let answer = MHD_create_response_from_callback(.max, 4_096, readStream, context, endStream) else {
                endStream(context)
                return nil
            }
            return answer
        }
    }

    private static func copied(_ bytes: [UInt8]) -> OpaquePointer? {
        bytes.withUnsafeBytes { buffer in
            MHD_create_response_from_buffer(buffer.count, UnsafeMutableRawPointer(mutating: buffer.baseAddress), .RESPMEM_MUST_COPY)
        }
    }

    private static func compressed(_ bytes: [UInt8], _ connection: ConnectionPointer, _ loop: HTTPLoop) -> OpaquePointer? {
        var answer: OpaquePointer?
        if let accepted = connection.pointee.head.acceptEncoding, Gzip.isAccepted(accepted),
            let packed = bytes.withUnsafeBytes({ loop.gzip.compress($0) })
        {
            answer = MHD_create_response_from_buffer(packed.count, packed.baseAddress, .RESPMEM_MUST_FREE)
            if answer == nil { free(packed.baseAddress) } else { add(answer, "Content-Encoding", "gzip") }
        }
        if answer == nil { answer = copied(bytes) }
        add(answer, "Vary", "Accept-Encoding")
        return answer
    }

    private static func addHeaders(
        _ answer: OpaquePointer, _ response: HTTPResponse, _ connection: ConnectionPointer, _ date: HTTPDate, close: Bool
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1_024) { scratch in
            var block = HeaderBlock(answer, scratch: scratch)
            _ = write(response, connection.pointee.requestID, date, to: &block)
            block.finish()
        }
        if close { add(answer, "Connection", "close") }
    }

    /// Writes what every answer carries and what this one says.
    ///
    /// - Returns: where identity and date lie in the block.
    static func write(
        _ response: HTTPResponse, _ requestID: HTTPRequestID, _ date: HTTPDate, to block: inout HeaderBlock
    ) -> (identity: Int?, date: Int?) {
        if case .none = response.body {} else { block.add("Content-Type", response.contentType.value) }
        let identityOffset = requestID.withUTF8 { block.add("X-Request-Id", checked: $0) }
        let dateOffset = date.withBytes { block.add("Date", checked: $0) }
        if let cacheControl = response.cacheControl { block.add("Cache-Control", cacheControl) }
        if let revision = response.revision { addNumber("Posto-Revision", revision, &block) }
        for header in response.headers {
            var value = header.value
            value.withUTF8 { block.add(header.name, $0) }
        }
        return (identityOffset, dateOffset)
    }

    private static func addNumber(_ name: StaticString, _ value: UInt64, _ block: inout HeaderBlock) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var at = 20
            var rest = value
            repeat {
                at -= 1
                digits[at] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                rest /= 10
            } while rest > 0
            _ = block.add(name, checked: Bytes(rebasing: digits[at...]))
        }
    }

    @inline(__always)
    private static func add(_ answer: OpaquePointer?, _ name: StaticString, _ value: StaticString) {
        add(answer, name, UnsafeRawPointer(value.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    /// Static strings are NUL-terminated in the image.
    @inline(__always)
    private static func add(_ answer: OpaquePointer?, _ name: StaticString, _ value: UnsafePointer<CChar>) {
        _ = MHD_add_response_header(answer, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), value)
    }

    /// A complete answer as bytes, for connections that libmicrohttpd does not have, or that it would close in silence.
    static func bytes(_ response: HTTPResponse, _ requestID: HTTPRequestID, _ date: HTTPDate) -> [UInt8] {
        var out: [UInt8] = []
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes }
        if case .prepared(let prepared) = response.body { return bytes(prepared.response, requestID, date) }
        out.append(
            contentsOf:
                "HTTP/1.1 \(response.status) \(reason(response.status))\r\nConnection: close\r\nCache-Control: no-store\r\nX-Request-Id: \(requestID)\r\n"
                .utf8)
        out.append(contentsOf: "Date: ".utf8)
        date.withBytes { out.append(contentsOf: $0) }
        out.append(contentsOf: "\r\n".utf8)
        if !body.isEmpty { out.append(contentsOf: "Content-Type: \(response.contentType.value)\r\n".utf8) }
        for header in response.headers where !header.value.utf8.contains(where: { $0 < 0x20 }) {
            out.append(contentsOf: "\(header.name): \(header.value)\r\n".utf8)
        }
        out.append(contentsOf: "Content-Length: \(body.count)\r\n\r\n".utf8)
        out.append(contentsOf: body)
        return out
    }

    private static func reason(_ status: UInt16) -> String {
        guard let text = MHD_get_reason_phrase_for(UInt32(status)) else { return "" }
        return String(cString: text)
    }
}

/// What libmicrohttpd holds while it sends a stream.
private final class StreamReader {
    let stream: HTTPStream
    let connection: ConnectionPointer

    init(stream: HTTPStream, connection: ConnectionPointer) {
        self.stream = stream
        self.connection = connection
    }
}

// SAFETY (both): the pointer is the retained `StreamReader` that `make` passed; libmicrohttpd calls `endStream` once, after the last read,
// before it frees the connection.
private let readStream: MHD_ContentReaderCallback = { context, _, buffer, count in
    let reader = Unmanaged<StreamReader>.fromOpaque(context!).takeUnretainedValue()
    let read = reader.stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count)) {
        MHD_suspend_connection(reader.connection.pointee.handle)
    }
    return switch read {
    case .bytes(let count): count
    case .end: -1  // MHD_CONTENT_READER_END_OF_STREAM
    case .asleep: 0
    }
}

// SAFETY: balances passRetained where the answer is made.
private let endStream: MHD_ContentReaderFreeCallback = { context in
    let reader = Unmanaged<StreamReader>.fromOpaque(context!).takeRetainedValue()
    reader.stream.detach()
}

import CMicroHTTPD
import Glibc

/// One request, whole and checked. Valid only during the handler's call: it cannot be copied, and nothing that it lends may be kept.
package struct HTTPRequest: ~Copyable {
    let connection: ConnectionPointer
    // SAFETY: the loop makes the request on its own thread and lends it to one call, which it outlives.
    let loop: Unmanaged<HTTPLoop>

    package var method: HTTPMethod { connection.pointee.method }
    package var methodName: String { connection.pointee.methodName.text }

    /// Percent-decoded; valid UTF-8 without NUL. `%2F` has become a slash like any other.
    package var path: UnsafeBufferPointer<UInt8> { connection.pointee.path }
    package var pathString: String { connection.pointee.path.text }

    /// Path and query as they were sent.
    package var target: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: connection.pointee.target, count: connection.pointee.targetCount)
    }

    /// As it was sent, without the query.
    package var rawPath: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: connection.pointee.target, count: connection.pointee.questionMark)
    }

    /// As it was sent, without the question mark; empty if there is none. Its escapes are well-formed and its content is UTF-8.
    package var rawQuery: UnsafeBufferPointer<UInt8> {
        let from = connection.pointee.questionMark + 1
        guard from < connection.pointee.targetCount else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: connection.pointee.target! + from, count: connection.pointee.targetCount - from)
    }

    /// The first value of a query parameter, decoded; "" if it stands there without `=`.
    package func query(_ name: StaticString) -> String? {
        QueryString(bytes: rawQuery).first(name)
    }

    /// All query parameters in order, so that unknown ones can be refused.
    package func queryItems() -> [(name: String, value: String)] {
        QueryString(bytes: rawQuery).items()
    }

    /// The first value of a header, without regard to case. Bytes that are no UTF-8 come out as U+FFFD.
    package func header(_ name: StaticString) -> String? {
        withHeader(name) { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the first value of a header, trimmed, without allocating.
    package func withHeader<R>(_ name: StaticString, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R? {
        var value: UnsafePointer<CChar>?
        var count = 0
        let key = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard
            MHD_lookup_connection_value_n(
                connection.pointee.handle, .HEADER_KIND, key, name.utf8CodeUnitCount, &value, &count) == .YES, let value
        else { return nil }
        return body(Bytes(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count).trimmed)
    }

    /// The complete body; empty in `HTTPHandler.admit`.
    package var body: UnsafeRawBufferPointer { connection.pointee.body.bytes }

    /// What `Content-Length` promises; nil without a body, and for a chunked one.
    package var contentLength: UInt64? { connection.pointee.head.contentLength }

    /// The value of `Idempotency-Key`; found with the head, so asking costs nothing.
    package var idempotencyKey: String? { connection.pointee.head.idempotencyKey?.text }
    package var hasIdempotencyKey: Bool { connection.pointee.head.idempotencyKey != nil }

    package var peer: HTTPPeer { connection.pointee.peer }
    /// Index into `HTTPServerConfiguration.listeners`.
    package var listener: Int { connection.pointee.listener }
    package var requestID: HTTPRequestID { connection.pointee.requestID }

    /// The W3C trace context, if it is well-formed (version 00 or later, identities not all zero): the part that every version begins with,
    /// 55 characters, because what follows it has no bound and goes into records.
    package var traceparent: String? {
        guard let bytes = connection.pointee.head.traceparent, TraceContext.isValid(bytes) else { return nil }
        return Bytes(rebasing: bytes[..<55]).text
    }

    /// Nanoseconds since boot (CLOCK_BOOTTIME) of the loop's turn that saw the request line.
    package var received: UInt64 { connection.pointee.received }

    /// Marks the request for `HTTPOutcome.tag`: which route it was.
    package func tag(_ tag: UInt16) { connection.pointee.tag = tag }

    /// Puts the request to sleep; `handle` must return `.later` then.
    ///
    /// - Parameters:
    ///   - deadline: nanoseconds since boot; when it passes, `waiter.timedOut` brings the answer, or `HTTPRefusal.answerTimeout` is sent.
    ///     Nil waits for ever.
    ///   - waiter: who is told that the client left. Nil for a short durable write: then a client that only shut down its sending side
    ///     still gets the answer, as with a waiter whose `endsWithClient` is false.
    package func suspend(until deadline: UInt64?, waiter: (any HTTPWaiter)?) -> HTTPTicket {
        loop._withUnsafeGuaranteedRef { loop in
            let id = loop.newTicket(slot: connection.pointee.slot)
            connection.pointee.ticket = id
            connection.pointee.waiter = waiter
            connection.pointee.suspendDeadline = deadline ?? .max
            return HTTPTicket(id: id, mailbox: loop.mailbox)
        }
    }
}

/// W3C Trace Context, `traceparent`: `vv-32 hex-16 hex-2 hex`, lower case.
enum TraceContext {
    static func isValid(_ bytes: Bytes) -> Bool {
        guard bytes.count >= 55, bytes[2] == 0x2d, bytes[35] == 0x2d, bytes[52] == 0x2d else { return false }
        var trace: UInt8 = 0
        var parent: UInt8 = 0
        for i in 0..<55 where i != 2 && i != 35 && i != 52 {
            let value = ASCII.hexValue(bytes[i])
            guard value < 16, bytes[i] == ASCII.lower(bytes[i]) else { return false }
            if i > 2, i < 35 { trace |= value }
            if i > 35, i < 52 { parent |= value }
        }
        let isFF = bytes[0] == 0x66 && bytes[1] == 0x66
        let isVersion0 = bytes[0] == 0x30 && bytes[1] == 0x30
        // Version 00 ends here; a later one may go on after a dash.
        guard bytes.count == 55 || (!isVersion0 && bytes[55] == 0x2d) else { return false }
        return !isFF && trace != 0 && parent != 0
    }
}

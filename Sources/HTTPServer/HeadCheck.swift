import CMicroHTTPD
import Glibc

/// Reads the head of a request a second time, strictly. libmicrohttpd 0.9.75 lets pass what request smuggling is made of (RFC 9112 §11.2).
///
/// It leaves the head in one piece in memory: the request line from `method` on, every line end overwritten by NULs, two for CRLF and one
/// for a bare LF; the spaces of the request line and the colons are NULs too. So each name must begin two bytes behind the value before it,
/// and the empty line must end where the head ends: any other line end, fold, or NUL from outside shifts something and is found.
/// All but one: NUL LF where CRLF belongs leaves two NULs as well. So the reads of libmicrohttpd note where the first NUL came (`firstNUL`).
enum HeadCheck {
    /// Fills `connection.method`, `.head`, `.path`, `.requestID`'s source, and says what is wrong.
    static func check(
        _ connection: ConnectionPointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, headBytesMax: Int, firstNUL: UInt64
    ) -> HTTPRefusal? {
        let line = UnsafeRawPointer(method).assumingMemoryBound(to: UInt8.self)
        let version = UnsafeRawPointer(version).assumingMemoryBound(to: UInt8.self)
        let headSize = posto_mhd_head_size(connection.pointee.handle)
        if let refusal = connection.pointee.refusal { return refusal }
        guard let target = connection.pointee.target, headSize > 0 else { return .malformedRequest }
        if let refusal = checkPlace(connection, line) { return refusal }

        // Exactly one space on either side of the target, and no NUL inside any of the three.
        var count = 0
        while ASCII.isToken(line[count]) { count += 1 }
        guard count > 0, line + count + 1 == UnsafePointer(target), line[count] == 0 else { return .malformedRequest }
        connection.pointee.methodName = Bytes(start: line, count: count)
        connection.pointee.method = HTTPMethod(connection.pointee.methodName)
        let targetEnd = UnsafePointer(target) + connection.pointee.targetCount
        guard version == targetEnd + 1 else { return .nulInTarget }
        connection.pointee.isHTTP10 = version[7] == 0x30
        guard headSize <= headBytesMax else { return .headersTooLarge }

        connection.pointee.head.cursor = version + 10
        let end = line + headSize
        if version[9] != 0 { return .bareLineFeed }
        _ = MHD_get_connection_values_n(
            connection.pointee.handle, .HEADER_KIND,
            { context, _, key, keyCount, value, valueCount in
                HeadCheck.see(context!.assumingMemoryBound(to: Connection.self), key, keyCount, value, valueCount)
            }, connection)
        if let refusal = connection.pointee.head.refusal { return refusal }
        let cursor = connection.pointee.head.cursor!
        guard cursor + 2 == end else {
            return cursor == end || cursor + 1 == end ? .bareLineFeed : (cursor[0] == 0 ? .badHeaderValue : .foldedHeader)
        }
        guard cursor[-1] == 0, cursor[-2] == 0, cursor[0] == 0, cursor[1] == 0 else { return .bareLineFeed }

        connection.pointee.head.size = UInt64(headSize + (line - connection.pointee.lineStart!))
        guard firstNUL == 0 || firstNUL > connection.pointee.requestStart &+ connection.pointee.head.size else { return .bareLineFeed }

        if connection.pointee.head.isChunked {
            if connection.pointee.head.contentLength != nil { return .contentLengthAndTransferEncoding }
            // A 1.0 client cannot know it; somebody between us mixes the versions (RFC 9112 §6.1).
            if connection.pointee.isHTTP10 { return .unsupportedTransferEncoding }
        }
        return TargetCheck.check(connection)
    }

    /// libmicrohttpd skips empty lines before a request, and takes any line that begins with NUL for one. One CRLF is tolerated (RFC 9112 §2.2).
    private static func checkPlace(_ connection: ConnectionPointer, _ line: UnsafePointer<UInt8>) -> HTTPRefusal? {
        guard let start = connection.pointee.lineStart else {
            // The first byte of a connection was seen before libmicrohttpd got it: it was a method's.
            connection.pointee.lineStart = line
            return nil
        }
        if line == start { return nil }
        return line == start + 2 && start[0] == 0 && start[1] == 0 ? nil : .malformedRequest
    }

    /// Looks at one header, in the order of arrival.
    private static func see(
        _ connection: ConnectionPointer, _ key: UnsafePointer<CChar>?, _ keyCount: Int, _ value: UnsafePointer<CChar>?, _ valueCount: Int
    ) -> MHD_Result {
        guard let key, let value else {
            connection.pointee.head.refusal = .badHeaderName
            return .NO
        }
        let name = Bytes(start: UnsafeRawPointer(key).assumingMemoryBound(to: UInt8.self), count: keyCount)
        let content = Bytes(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: valueCount)
        if let refusal = accept(name, content, &connection.pointee.head) {
            connection.pointee.head.refusal = refusal
            return .NO
        }
        return .YES
    }

    @inline(__always)
    private static func accept(_ name: Bytes, _ content: Bytes, _ head: inout HeadFacts) -> HTTPRefusal? {
        let cursor = head.cursor!
        guard let start = name.baseAddress, let valueStart = content.baseAddress else { return .badHeaderName }
        guard start == cursor, cursor[-1] == 0, cursor[-2] == 0 else {
            return start == cursor - 1 ? .bareLineFeed : .foldedHeader
        }
        guard name.count > 0, start[name.count] == 0, valueStart > start + name.count else { return .badHeaderName }
        for byte in name where !ASCII.isToken(byte) { return .badHeaderName }
        if !ByteWords.areAll(content, plain) {
            for byte in content where !ASCII.isValue(byte) { return .badHeaderValue }
        }
        head.cursor = valueStart + content.count + 2
        return remember(name, content.trimmed, &head)
    }

    /// Eight visible characters or spaces, or bytes beyond ASCII.
    @inline(__always)
    private static func plain(_ word: UInt64) -> Bool { ByteWords.isBelow(word, 0x20) | ByteWords.has(word, 0x7f) == 0 }

    private static func remember(_ name: Bytes, _ value: Bytes, _ head: inout HeadFacts) -> HTTPRefusal? {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"):
            if head.host != nil { return .duplicateHost }
            head.host = value
        case 6 where name.equalsIgnoringCase("origin"):
            // Two origins are foreign to each other.
            if head.origin != nil { return .foreignOrigin }
            head.origin = value
        case 11 where name.equalsIgnoringCase("traceparent"):
            head.traceparent = value
        case 12 where name.equalsIgnoringCase("x-request-id"):
            head.requestID = value
        case 13 where name.equalsIgnoringCase("authorization"):
            if head.authorization != nil { return .badHeaderValue }
            head.authorization = value
        case 14 where name.equalsIgnoringCase("content-length"):
            if head.contentLength != nil { return .duplicateContentLength }
            guard let length = number(value) else { return .malformedRequest }
            head.contentLength = length
        case 15 where name.equalsIgnoringCase("accept-encoding"):
            if head.acceptEncoding == nil { head.acceptEncoding = value }
        case 15 where name.equalsIgnoringCase("idempotency-key"):
            // Which of two would count?
            if head.idempotencyKey != nil { return .badHeaderValue }
            head.idempotencyKey = value
        case 16 where name.equalsIgnoringCase("content-encoding"):
            if !value.equalsIgnoringCase("identity") { return .unsupportedContentEncoding }
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            if head.isChunked || !value.equalsIgnoringCase("chunked") { return .unsupportedTransferEncoding }
            head.isChunked = true
        default: break
        }
        return nil
    }

    private static func number(_ digits: Bytes) -> UInt64? {
        guard digits.count >= 1, digits.count <= 18 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard ASCII.isDigit(digit) else { return nil }
            value = value * 10 + UInt64(digit &- 48)
        }
        return value
    }
}

/// Checks the request target and decodes its path.
enum TargetCheck {
    static func check(_ connection: ConnectionPointer) -> HTTPRefusal? {
        let target = Bytes(start: connection.pointee.target, count: connection.pointee.targetCount)
        if connection.pointee.method == .options, target.count == 1, target[0] == 0x2a {
            connection.pointee.path = target
            return nil
        }
        guard target.count > 0, target[0] == 0x2f else { return .badTarget }
        let path = Bytes(rebasing: target[..<connection.pointee.questionMark])
        connection.pointee.path = path
        if ByteWords.areAll(target, plain) { return nil }
        for byte in target {
            // Controls, space, DEL, and `#`, which begins what a client must keep to itself.
            if byte <= 0x20 || byte == 0x7f || byte == 0x23 { return .badTarget }
        }
        return decode(connection, path, target)
    }

    /// Eight characters that need no second look: no control, space, DEL, `#`, `%`, and nothing beyond ASCII.
    @inline(__always)
    private static func plain(_ word: UInt64) -> Bool {
        ByteWords.isBelow(word, 0x21) | ByteWords.has(word, 0x7f) | ByteWords.has(word, 0x23) | ByteWords.has(word, 0x25)
            | word & ByteWords.highBits == 0
    }

    /// For targets with escapes or bytes beyond ASCII.
    private static func decode(_ connection: ConnectionPointer, _ path: Bytes, _ target: Bytes) -> HTTPRefusal? {
        guard let memory = malloc(target.count) else { return .malformedRequest }
        let buffer = memory.assumingMemoryBound(to: UInt8.self)
        connection.pointee.decodedPath = buffer
        // Names and values are separated by ASCII, so the whole query is UTF-8 exactly if each of them is.
        let query = Bytes(rebasing: target[path.count...])
        for (part, plus) in [(query, true), (path, false)] {
            guard let count = PercentCoding.decode(part, plusIsSpace: plus, into: buffer) else { return .badPercentEscape }
            let decoded = Bytes(start: buffer, count: count)
            if memchr(memory, 0, count) != nil { return .nulInTarget }
            guard PercentCoding.isUTF8(decoded) else { return .notUTF8 }
            connection.pointee.path = decoded
        }
        return nil
    }
}

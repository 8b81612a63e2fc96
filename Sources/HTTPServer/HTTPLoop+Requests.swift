import CMicroHTTPD
import CPlatform
import Domain
import Glibc

/// One request's way through its phases.
extension HTTPLoop {
    /// The request line is complete and still as it was sent.
    func begin(_ connection: ConnectionPointer, _ target: UnsafeMutablePointer<UInt8>) {
        let count = strlen(UnsafeRawPointer(target).assumingMemoryBound(to: CChar.self))
        let question = memchr(target, 0x3f, count).map { $0.assumingMemoryBound(to: UInt8.self) - target } ?? count
        connection.pointee.phase = .head
        connection.pointee.target = target
        connection.pointee.targetCount = count
        connection.pointee.questionMark = question
        connection.pointee.received = now
        if question + 1 < count {
            connection.pointee.hiddenByte = target[question + 1]
            target[question + 1] = 0
        }
        if count > configuration.targetBytesMax { connection.pointee.refusal = .uriTooLong }
        // The head of a first request is timed from its first byte.
        if connection.pointee.lineStart != nil { setDeadline(connection, now + timeouts.head) }
        gauges.request()
    }

    /// libmicrohttpd's calls: once after the head, once for each piece of the body, once when all is there, once after each resume.
    ///
    /// - Returns: false ends the connection without an answer.
    func advance(
        _ connection: ConnectionPointer, _ method: UnsafePointer<CChar>, _ version: UnsafePointer<CChar>, _ chunk: UnsafeRawBufferPointer
    ) -> Bool {
        switch connection.pointee.phase {
        case .head: return headArrived(connection, method, version)
        case .body where chunk.count > 0: return bodyArrived(connection, chunk)
        case .body:
            if connection.pointee.body.discarded > 0 { return refuse(connection, .bodyTooLarge(max: connection.pointee.body.max)) }
            return handle(connection)
        case .ready: return handle(connection)
        case .resuming:
            guard let response = connection.pointee.pending.take() else { return false }
            return answer(connection, response)
        case .suspending, .suspended, .answering: return true
        case .accepted, .idle: return false
        }
    }

    private func headArrived(_ connection: ConnectionPointer, _ method: UnsafePointer<CChar>, _ version: UnsafePointer<CChar>) -> Bool {
        let question = connection.pointee.questionMark
        if question + 1 < connection.pointee.targetCount {
            connection.pointee.target![question] = 0x3f
            connection.pointee.target![question + 1] = connection.pointee.hiddenByte
        } else if question < connection.pointee.targetCount {
            connection.pointee.target![question] = 0x3f
        }
        let refusal = HeadCheck.check(
            connection, method: method, version: version, headBytesMax: configuration.headBytesMax,
            firstNUL: hooks.pointee.received[Int(connection.pointee.descriptor)].nul)
        let given = connection.pointee.head.requestID.flatMap { HTTPRequestID($0) }
        connection.pointee.requestID = given ?? HTTPRequestID(identities.next(), identities.next())
        if let refusal { return refuse(connection, refusal) }
        if let refusal = hosts.check(connection) { return refuse(connection, refusal) }

        let length = connection.pointee.head.contentLength ?? 0
        guard length > 0 || connection.pointee.head.isChunked else {
            connection.pointee.phase = .ready
            // Not yet: libmicrohttpd ends the connection after an answer that is given at this call.
            return true
        }
        switch handler.admit(HTTPRequest(connection: connection, loop: .passUnretained(self))) {
        case .refuse(let response):
            return answer(connection, response, close: true)
        case .accept(let bodyMax):
            guard length <= UInt64(bodyMax) else { return refuse(connection, .bodyTooLarge(max: bodyMax)) }
            connection.pointee.body.max = bodyMax
            connection.pointee.body.began = now
            connection.pointee.phase = .body
            setDeadline(connection, now + timeouts.body)
            return true
        }
    }

    private func bodyArrived(_ connection: ConnectionPointer, _ chunk: UnsafeRawBufferPointer) -> Bool {
        let expected = connection.pointee.head.contentLength.map { Int($0) }
        if connection.pointee.body.append(chunk, expecting: expected) {
            // Each further amount that came buys time, so that a large body over a slow line passes and a trickle does not.
            let bought = UInt64(connection.pointee.body.count) * 1_000_000_000 / UInt64(configuration.bodyBytesPerSecondMin)
            setDeadline(connection, connection.pointee.body.began + timeouts.body + bought)
            return true
        }
        if connection.pointee.body.discarded <= Limits.httpDiscardBytesMax { return true }
        // libmicrohttpd takes an answer only at the end of a body, and this one has none.
        refuseRaw(connection, .bodyTooLarge(max: connection.pointee.body.max))
        return false
    }

    private func handle(_ connection: ConnectionPointer) -> Bool {
        switch handler.handle(HTTPRequest(connection: connection, loop: .passUnretained(self))) {
        case .answer(let response):
            connection.pointee.ticket = 0
            return answer(connection, response)
        case .later:
            guard connection.pointee.ticket != 0 else { return refuse(connection, .stopping) }
            connection.pointee.phase = .suspending
            falling.append(connection.pointee.ticket)
            return true
        }
    }

    func refuse(_ connection: ConnectionPointer, _ refusal: HTTPRefusal) -> Bool {
        gauges.refuse(refusal)
        return answer(
            connection, handler.refusal(refusal, connection.pointee.requestID, path: connection.pointee.knownPath), close: true)
    }

    /// Refuses in a state in which libmicrohttpd takes no answer from us, or has one of its own: we write on the socket ourselves and shut it
    /// down, so that nothing can follow.
    func refuseRaw(_ connection: ConnectionPointer, _ refusal: HTTPRefusal) {
        if connection.pointee.phase != .body {
            var id: HTTPRequestID?
            if connection.pointee.phase == .head {
                id =
                    HTTPRequest(connection: connection, loop: .passUnretained(self)).withHeader("x-request-id") { HTTPRequestID($0) } ?? nil
            }
            connection.pointee.requestID = id ?? newRequestID()
        }
        connection.pointee.status = refusal.status
        sendRaw(connection.pointee.descriptor, refusal, connection.pointee.requestID, path: connection.pointee.knownPath)
        shutdown(connection.pointee.descriptor, Int32(SHUT_RDWR))
    }

    /// libmicrohttpd refuses by itself: with an HTML page, and some heads twice. Its page finds the socket shut.
    func libraryRefuses(_ connection: ConnectionPointer, status: UInt32) {
        let refusal: HTTPRefusal =
            switch status {
            case 413: .bodyTooLarge(max: 0)
            case 414: .uriTooLong
            case 431: .headersTooLarge
            case 505: .unsupportedVersion
            case 500...: .internalFailure
            default: .malformedRequest
            }
        // Its second page for the same request.
        guard connection.pointee.status == 0 else { return }
        refuseRaw(connection, connection.pointee.refusal ?? refusal)
    }

    private func answer(_ connection: ConnectionPointer, _ response: HTTPResponse, close: Bool = false) -> Bool {
        connection.pointee.phase = .answering
        connection.pointee.progress = nil
        setDeadline(connection, now + timeouts.writeSample)
        var close = close || response.close
        // libmicrohttpd reads chunk framing leniently; with nothing behind it on the connection there is nothing to smuggle.
        if connection.pointee.head.isChunked || drainDeadline != nil { close = true }
        // Only the first NUL of a connection is noted, so behind one in a body a head could hide another.
        let nul = hooks.pointee.received[Int(connection.pointee.descriptor)].nul
        if nul != 0, nul <= connection.pointee.requestEnd { close = true }
        if case .stream = response.body { close = true }
        return Responder.queue(response, on: connection, in: self, close: close || connection.pointee.pollOnOrdinary)
    }

    /// The request is over, however it ended; the connection may go on.
    func end(_ connection: ConnectionPointer, completed: Bool) {
        if connection.pointee.phase == .suspended { gauges.wait(-1) }
        if connection.pointee.ticket != 0, connection.pointee.stream == nil {
            connection.pointee.waiter?.departed(HTTPTicket(id: connection.pointee.ticket, mailbox: mailbox))
        }
        handler.finished(
            HTTPOutcome(
                method: connection.pointee.method, status: connection.pointee.status, tag: connection.pointee.tag, completed: completed,
                durationNanoseconds: Self.clock() &- connection.pointee.received, listener: connection.pointee.listener,
                requestID: connection.pointee.requestID))
        connection.pointee.requestStart = connection.pointee.requestEnd
        connection.pointee.forgetRequest()
        connection.pointee.phase = .idle
        setDeadline(connection, now + timeouts.idle)
    }
}

import CPlatform
import Glibc

/// Deadlines of all connections, one word each in one array that is read through when the earliest may have come.
///
/// A wheel would have to move a connection at each request. A new deadline is a store here; reading 20,000 of them takes some 10 µs, at most
/// every 20 ms and usually once a second. libmicrohttpd's own time-out counts inactivity, which a byte a second never reaches.
extension HTTPLoop {
    @inline(__always)
    func setDeadline(_ connection: ConnectionPointer, _ deadline: UInt64) {
        deadlines[connection.pointee.slot] = deadline
        if deadline < nextScan { nextScan = deadline }
    }

    func scanDeadlines() {
        var earliest = now + 1_000_000_000
        for slot in 0..<slotsUsed {
            if deadlines[slot] <= now, let connection = slots[slot] { expire(connection) }
            earliest = min(earliest, deadlines[slot])
        }
        nextScan = max(earliest, now + 20_000_000)
        resumeListeners()
    }

    private func expire(_ connection: ConnectionPointer) {
        let slot = connection.pointee.slot
        let descriptor = connection.pointee.descriptor
        deadlines[slot] = .max
        switch connection.pointee.phase {
        case .accepted:
            discard(connection)
        case .idle:
            shutdown(descriptor, Int32(SHUT_RDWR))
        case .head, .body:
            refuseRaw(connection, .requestTimeout)
        case .suspended:
            timeOut(connection)
        case .answering:
            checkProgress(connection)
        case .ready, .suspending, .resuming:
            break
        }
    }

    func timeOut(_ connection: ConnectionPointer) {
        let response: HTTPResponse
        if let waiter = connection.pointee.waiter {
            response = waiter.timedOut(HTTPTicket(id: connection.pointee.ticket, mailbox: mailbox))
        } else {
            gauges.refuse(.answerTimeout)
            response = handler.refusal(.answerTimeout, connection.pointee.requestID, path: connection.pointee.knownPath)
        }
        // The waiter may have completed it just now, which is in the mailbox; the ticket decides who was first.
        wake(connection, with: response)
    }

    /// Cuts a client that has not taken a byte since the last look although some wait for it.
    private func checkProgress(_ connection: ConnectionPointer) {
        let descriptor = connection.pointee.descriptor
        let progress = posto_socket_progress(descriptor)
        if let last = connection.pointee.progress, last == progress, posto_socket_queued(descriptor) > 0 {
            shutdown(descriptor, Int32(SHUT_RDWR))
            return
        }
        connection.pointee.progress = progress
        setDeadline(connection, now + timeouts.writeSample)
    }
}

import CMicroHTTPD
import CPlatform
import Glibc

/// The end: nobody who sent a whole request goes without an answer.
extension HTTPLoop {
    func beginDrain(_ deadline: UInt64) {
        guard drainDeadline == nil else { return }
        drainDeadline = deadline
        silenceDeadline = now + 500_000_000
        // Who waits in the queue of a socket of ours would be reset; who waits in an activated one is served by the next process.
        for index in listeners.indices {
            if !listeners[index].isActivated { acceptConnections(index) }
            closeListener(listeners[index])
        }
        listeners = []
        for slot in 0..<slotsUsed {
            guard let connection = slots[slot], connection.pointee.phase == .accepted else { continue }
            firstBytes(connection)
        }
        for index in 0..<2 { runDaemon(index) }
        for slot in 0..<slotsUsed {
            guard let connection = slots[slot] else { continue }
            connection.pointee.stream?.close()
            switch connection.pointee.phase {
            // What was received before is read first; then comes the end of the stream.
            case .idle: shutdown(connection.pointee.descriptor, Int32(SHUT_RD))
            default: break
            }
        }
        drainStep()
    }

    /// Answers long polls, also those that arrived meanwhile, and ends when all connections are gone or patience is.
    func drainStep() {
        // Whoever connected a moment before may be sending right now: it is served, unless it stays silent.
        if now >= silenceDeadline {
            for slot in 0..<slotsUsed {
                guard let connection = slots[slot], connection.pointee.phase == .accepted else { continue }
                discard(connection)
            }
        }
        for slot in 0..<slotsUsed {
            guard let connection = slots[slot], connection.pointee.phase == .suspended, let waiter = connection.pointee.waiter,
                waiter.endsWithClient
            else { continue }
            timeOut(connection)
        }
        if (connectionCount == 0 && isTLSQuiet) || now >= drainDeadline! { isStopping = true }
    }

    /// `MHD_stop_daemon` aborts the process if a connection is suspended.
    func abandonAll() {
        for slot in 0..<slotsUsed {
            guard let connection = slots[slot] else { continue }
            connection.pointee.stream?.close()
            if connection.pointee.phase == .suspended {
                let waiter = connection.pointee.waiter
                let ticket = HTTPTicket(id: connection.pointee.ticket, mailbox: mailbox)
                wake(connection, with: handler.refusal(.stopping, connection.pointee.requestID, path: nil))
                waiter?.departed(ticket)
            } else if connection.pointee.stream != nil {
                MHD_resume_connection(connection.pointee.handle)
            }
        }
    }
}

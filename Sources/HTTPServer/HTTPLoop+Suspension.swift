import CMicroHTTPD
import CPlatform
import Domain
import Glibc

/// Requests that sleep, streams, and how they wake.
extension HTTPLoop {
    func newTicket(slot: Int) -> UInt64 {
        generation &+= 1
        return generation << 24 | UInt64(slot)
    }

    /// The connection of a ticket that still counts.
    private func find(_ ticket: UInt64) -> ConnectionPointer? {
        let slot = Int(ticket & 0xff_ffff)
        guard slot < slotsUsed, let connection = slots[slot], connection.pointee.ticket == ticket else { return nil }
        return connection
    }

    /// Puts to sleep what the handler postponed during the run that just ended.
    ///
    /// Not inside the handler: a connection suspended there is still marked as reading, so that libmicrohttpd reads at the resume, finds the end
    /// of a half-closed stream, and drops the answer. After the handler returned without an answer it is marked as blocked, and wakes writing.
    func suspendFalling() {
        for ticket in falling {
            guard let connection = find(ticket), connection.pointee.phase == .suspending else { continue }
            MHD_suspend_connection(connection.pointee.handle)
            connection.pointee.phase = .suspended
            gauges.wait(1)
            if let waiter = connection.pointee.waiter, waiter.endsWithClient {
                watchDeparture(connection)
                // On an ordinary connection it works, but the next one should come on a new connection, into the daemon for polls.
                connection.pointee.pollOnOrdinary = !connection.pointee.inPollDaemon
            }
            setDeadline(connection, connection.pointee.suspendDeadline)
        }
        falling.removeAll(keepingCapacity: true)
    }

    /// libmicrohttpd does not look at a suspended connection; our own set does.
    private func watchDeparture(_ connection: ConnectionPointer) {
        let mask = UInt32(EPOLLRDHUP.rawValue) | 1 << 31  // EPOLLET
        watch(
            connection.pointee.descriptor, .connection, mask, index: connection.pointee.slot, serial: connection.pointee.serial,
            add: !connection.pointee.isWatched)
        connection.pointee.isWatched = true
    }

    /// A watched client closed its side.
    func hungUp(_ connection: ConnectionPointer) {
        if let stream = connection.pointee.stream {
            shutdown(connection.pointee.descriptor, Int32(SHUT_RDWR))
            stream.close()
            dirty[connection.pointee.inPollDaemon ? Self.polls : Self.ordinary] = true
            return
        }
        guard connection.pointee.phase == .suspended, let waiter = connection.pointee.waiter, waiter.endsWithClient else { return }
        let ticket = HTTPTicket(id: connection.pointee.ticket, mailbox: mailbox)
        wake(connection, with: nil)
        waiter.departed(ticket)
    }

    /// Lets libmicrohttpd take the connection back; without a response it is closed.
    func wake(_ connection: ConnectionPointer, with response: HTTPResponse?) {
        connection.pointee.pending = response
        connection.pointee.ticket = 0
        connection.pointee.phase = .resuming
        gauges.wait(-1)
        deadlines[connection.pointee.slot] = .max
        MHD_resume_connection(connection.pointee.handle)
        dirty[connection.pointee.inPollDaemon ? Self.polls : Self.ordinary] = true
    }

    func beginStream(_ stream: HTTPStream, _ connection: ConnectionPointer) -> UInt64 {
        let id = newTicket(slot: connection.pointee.slot)
        connection.pointee.ticket = id
        connection.pointee.stream = stream
        watchDeparture(connection)
        return id
    }

    func readMailbox() {
        // What was taken before comes first; the descriptor stays readable meanwhile.
        guard !hasLetters else { return }
        mailbox.take(&letters)
        readLetters()
    }

    /// Some completions of those that were taken are left for the next turns.
    var hasLetters: Bool { lettersRead < letters.completions.count }

    /// Wakes some of those whose answers came, and does what was asked once all are awake.
    ///
    /// A few hundred a turn: libmicrohttpd makes the answers of all that were woken before it writes the first of them.
    func readLetters() {
        let end = min(letters.completions.count, lettersRead + Limits.httpWakesPerTurnMax)
        while lettersRead < end {
            let completion = letters.completions[lettersRead]
            lettersRead += 1
            guard let connection = find(completion.id), connection.pointee.phase == .suspended else { continue }
            wake(connection, with: completion.response)
        }
        guard !hasLetters else { return }
        for request in letters.requests {
            switch request {
            case .perform(let body): body()
            case .stream(let id): wakeStream(id)
            case .cut(let id):
                guard let connection = find(id) else { continue }
                shutdown(connection.pointee.descriptor, Int32(SHUT_RDWR))
            case .adopt(let handed): adopt(handed)
            case .certificateNames(let names): hosts.certificateNames = names
            case .tlsIsQuiet: isTLSQuiet = true
            case .drain(let deadline): beginDrain(deadline)
            case .stop: isStopping = true
            }
        }
        letters.completions.removeAll(keepingCapacity: letters.completions.capacity <= 4_096)
        letters.requests.removeAll(keepingCapacity: true)
        lettersRead = 0
    }

    private func wakeStream(_ id: UInt64) {
        guard let connection = find(id), connection.pointee.stream != nil else { return }
        MHD_resume_connection(connection.pointee.handle)
        dirty[connection.pointee.inPollDaemon ? Self.polls : Self.ordinary] = true
    }
}

import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import TLS

/// How connections end, and how the thread does.
extension TLSTerminator {
    /// The HTTP thread has said its last word; what is held of it is sent first.
    func serverEnded(_ connection: TLSConnection) {
        if connection.server >= 0 {
            watchServer(connection, 0)
            close(connection.server)
            connection.server = -1
        }
        connection.up.drop()
        connection.phase = .flushing
        if connection.down.isEmpty { return linger(connection) }
        setDeadline(connection, now + flushNanoseconds)
    }

    /// Says the end in both protocols, and waits a moment for the client to go first: what it still sends would make close(2) reset the
    /// connection, and a reset overtakes the answer.
    func linger(_ connection: TLSConnection) {
        connection.session!.end()
        guard !connection.clientEnded, shutdown(connection.client, Int32(SHUT_WR)) == 0 else { return destroy(connection) }
        connection.phase = .lingering
        connection.session = nil
        setDeadline(connection, min(now + Limits.tlsLingerNanoseconds, finishDeadline ?? .max))
        watchClient(connection, UInt32(EPOLLIN.rawValue))
    }

    func discard(_ connection: TLSConnection) {
        for _ in 0..<4 {
            let count = recv(connection.client, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            if count <= 0 { return destroy(connection) }
        }
    }

    func destroy(_ connection: TLSConnection) {
        guard isAlive(connection) else { return }
        if connection.isUnfinished { finishHandshake(connection) }
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
        count -= 1
        if let key = connection.addressKey {
            addresses[key]!.open -= 1
            if addresses[key]!.open == 0 { addresses[key] = nil }
        }
        connection.session = nil
        close(connection.client)
        if connection.server >= 0 { close(connection.server) }
    }

    func setDeadline(_ connection: TLSConnection, _ deadline: UInt64) {
        connection.deadline = deadline
        nextScan = min(nextScan, deadline)
    }

    /// Only handshakes, bytes that the client does not take, and farewells have deadlines here; requests have theirs in the HTTP thread.
    func scanDeadlines() {
        var earliest = UInt64.max
        for case let connection? in connections {
            if connection.deadline <= now {
                if connection.isUnfinished { gauges.fail(.timedOut) }
                destroy(connection)
            } else {
                earliest = min(earliest, connection.deadline)
            }
        }
        if let until = listenersPausedUntil {
            if until <= now { resumeListeners() } else { earliest = min(earliest, until) }
        }
        nextScan = max(earliest, now + 20_000_000)
    }

    func closeListeners() {
        for listener in listeners { close(listener.socket.descriptor) }
        listeners = []
    }

    // MARK: The end of the thread

    /// Takes in who waits in the queue of a socket of ours, passes on what was received, and only then lets the HTTP thread drain, so that
    /// nobody who sent a whole request goes without an answer.
    func beginDrain(_ deadline: UInt64) {
        guard quietDeadline == nil else { return }
        for (place, listener) in listeners.enumerated() where !listener.socket.isActivated {
            for _ in 0..<Limits.tlsHandshakesMax where acceptOne(place) == false { break }
        }
        closeListeners()
        listenersPausedUntil = nil
        for case let connection? in connections where connection.phase == .open {
            pumpUp(connection)
            updateMasks(connection)
        }
        quietDeadline = now + 500_000_000
        loop.post(.drain(deadline: deadline))
    }

    /// Once no handshake is under way, or those that are were given half a second.
    func becomeQuiet() {
        guard !isQuiet, unfinished == 0 || now >= quietDeadline! else { return }
        isQuiet = true
        for case let connection? in connections where connection.isUnfinished { destroy(connection) }
        loop.post(.tlsIsQuiet)
    }

    func becomeFinishing() {
        for case let connection? in connections {
            if connection.phase == .lingering { destroy(connection) }
        }
    }
}

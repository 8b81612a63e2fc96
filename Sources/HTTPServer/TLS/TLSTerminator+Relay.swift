import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import TLS

/// Bytes through an open connection. Whoever is slow holds up the other side: one record is kept in either direction, and no more.
extension TLSTerminator {
    func relay(_ connection: TLSConnection, _ side: TLSEventKind, _ events: UInt32) {
        if connection.phase == .lingering { return discard(connection) }
        if side == .client, events & (UInt32(EPOLLERR.rawValue) | UInt32(EPOLLHUP.rawValue)) != 0 { return destroy(connection) }
        // Whatever it was about: what is held goes first, and then what may have waited for it.
        if side == .client {
            if !connection.down.isEmpty { flushDown(connection) }
            // Also when it has become writable, if reading waited for that.
            pumpUp(connection)
        } else {
            if !connection.up.isEmpty {
                flushUp(connection)
                if connection.up.isEmpty { pumpUp(connection) }
            }
            if events & ~UInt32(EPOLLOUT.rawValue) != 0 { pumpDown(connection) }
        }
        updateMasks(connection)
    }

    /// Whether it was not ended a moment ago, by something that the caller did.
    func isAlive(_ connection: TLSConnection) -> Bool { connections[connection.slot] === connection }

    /// Of those in whose session more waited than one turn takes.
    func readOn() {
        let waiting = again
        again.removeAll(keepingCapacity: true)
        for connection in waiting {
            pumpUp(connection)
            updateMasks(connection)
        }
    }

    /// From the client to the HTTP thread, until the client has no more or the HTTP thread takes no more.
    func pumpUp(_ connection: TLSConnection) {
        guard isAlive(connection), connection.phase == .open, !connection.clientEnded, !connection.upRefused, connection.up.isEmpty else {
            return
        }
        connection.readingWantsWrite = false
        for _ in 0..<Limits.tlsRecordsPerTurnMax {
            // A record has 16 KiB at most.
            switch connection.session!.read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<16_384])) {
            case .bytes(let count):
                let sent = sendUp(connection, UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                guard sent == count else {
                    if !connection.upRefused { connection.up.hold(UnsafeRawBufferPointer(rebasing: scratch[sent..<count])) }
                    return
                }
            case .wantsRead: return
            case .wantsWrite:
                connection.readingWantsWrite = true
                return
            case .end:
                connection.clientEnded = true
                shutdown(connection.server, Int32(SHUT_WR))
                return
            case .failed(let reason):
                if gate.allows(at: now) { configuration.log("TLS with \(connection.peer): \(reason)") }
                return destroy(connection)
            }
        }
        again.append(connection)
    }

    private func sendUp(_ connection: TLSConnection, _ bytes: UnsafeRawBufferPointer) -> Int {
        let sent = send(connection.server, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if sent < 0, errno != EAGAIN, errno != EINTR, errno != ENOBUFS { connection.upRefused = true }
        return max(0, sent)
    }

    private func flushUp(_ connection: TLSConnection) {
        connection.up.pass { sendUp(connection, $0) }
        if connection.upRefused { connection.up.drop() }
    }

    /// From the HTTP thread to the client, until either has enough.
    func pumpDown(_ connection: TLSConnection) {
        guard isAlive(connection), connection.phase == .open, connection.down.isEmpty else { return }
        for _ in 0..<4 {
            let count = recv(connection.server, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count > 0 else { return serverEnded(connection) }
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            guard let taken = writeDown(connection, bytes) else { return destroy(connection) }
            if taken < count {
                connection.down.hold(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
                // The HTTP thread's end is not watched meanwhile, so its own deadline would not be noticed.
                return setDeadline(connection, now + flushNanoseconds)
            }
        }
    }

    /// - Returns: how many bytes the client took; nil if it is gone.
    private func writeDown(_ connection: TLSConnection, _ bytes: UnsafeRawBufferPointer) -> Int? {
        var taken = 0
        connection.writingWantsRead = false
        while taken < bytes.count {
            switch connection.session!.write(UnsafeRawBufferPointer(rebasing: bytes[taken...])) {
            case .bytes(let count): taken += count
            case .wantsWrite: return taken
            case .wantsRead:
                connection.writingWantsRead = true
                return taken
            case .end, .failed: return nil
            }
        }
        return taken
    }

    private func flushDown(_ connection: TLSConnection) {
        var isGone = false
        var progress = 0
        connection.down.pass {
            guard let taken = writeDown(connection, $0) else {
                isGone = true
                return 0
            }
            progress = taken
            return taken
        }
        if isGone { return destroy(connection) }
        if connection.down.isEmpty {
            setDeadline(connection, .max)
            if connection.phase == .flushing { linger(connection) }
        } else if progress > 0 {
            setDeadline(connection, now + flushNanoseconds)
        }
    }

    func updateMasks(_ connection: TLSConnection) {
        guard isAlive(connection) else { return }
        switch connection.phase {
        case .silent, .handshake, .lingering: return
        case .open, .flushing:
            let reads = connection.phase == .open && !connection.clientEnded && !connection.upRefused && connection.up.isEmpty
            var client: UInt32 = 0
            if connection.writingWantsRead || (reads && !connection.readingWantsWrite) { client |= UInt32(EPOLLIN.rawValue) }
            if (!connection.down.isEmpty && !connection.writingWantsRead) || (reads && connection.readingWantsWrite) {
                client |= UInt32(EPOLLOUT.rawValue)
            }
            // With nothing to wait for, too: an end of the connection is reported whatever the mask, and EPOLLET alone asks for nothing else.
            watchClient(connection, client == 0 ? 1 << 31 : client)
            guard connection.server >= 0 else { return }
            var server: UInt32 = 0
            if connection.down.isEmpty { server |= UInt32(EPOLLIN.rawValue) }
            if !connection.up.isEmpty { server |= UInt32(EPOLLOUT.rawValue) }
            watchServer(connection, server)
        }
    }

    func watchClient(_ connection: TLSConnection, _ mask: UInt32) {
        set(connection.client, .client, connection.clientMask, mask, index: connection.slot, serial: connection.serial)
        connection.clientMask = mask
    }

    func watchServer(_ connection: TLSConnection, _ mask: UInt32) {
        set(connection.server, .server, connection.serverMask, mask, index: connection.slot, serial: connection.serial)
        connection.serverMask = mask
    }
}

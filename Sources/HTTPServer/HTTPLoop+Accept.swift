import CMicroHTTPD
import CPlatform
import Domain
import Glibc

/// From accept(2) until libmicrohttpd has the connection.
extension HTTPLoop {
    func acceptConnections(_ index: Int) {
        guard index < listeners.count else { return }
        for _ in 0..<Limits.httpAcceptsPerTurnMax where acceptOne(index) == false { return }
    }

    /// - Returns: false when nobody waits any more.
    private func acceptOne(_ index: Int) -> Bool {
        switch listeners[index].accept(group: configuration.noticedGroup, countsLoopback: configuration.countsLoopback) {
        case .connection(let descriptor, let peer, let key):
            gauges.accept()
            take(descriptor, listeners[index].place, peer, key, overTLS: nil)
            return true
        case .gone: return true
        case .none: return false
        case .noDescriptors:
            pauseListeners()
            return false
        }
    }

    /// A connection that the TLS thread ends TLS for.
    func adopt(_ handed: HandedConnection) {
        if !handed.isCounted { gauges.accept() }
        take(handed.descriptor, handed.listener, handed.peer, handed.addressKey, overTLS: handed.localHost)
    }

    private func take(_ descriptor: Int32, _ listener: Int, _ peer: HTTPPeer, _ key: AddressKey?, overTLS localHost: String?) {
        if connectionCount >= configuration.connectionsMax || Int(descriptor) >= hooks.pointee.received_count {
            refuse(descriptor, .tooManyConnections)
        } else if let key, addresses[key, default: 0] >= configuration.connectionsPerAddressMax {
            refuse(descriptor, .tooManyConnectionsFromAddress)
        } else {
            let connection = open(descriptor, listener, peer, key, localHost)
            firstBytes(connection)
        }
    }

    /// The process has no descriptors left: without a pause the listener would wake us again and again.
    private func pauseListeners() {
        listenersPausedUntil = now + 100_000_000
        nextScan = min(nextScan, now + 100_000_000)
        for (index, listener) in listeners.enumerated() { watch(listener.descriptor, .listener, 0, index: index, add: false) }
    }

    func resumeListeners() {
        guard let until = listenersPausedUntil, until <= now else { return }
        listenersPausedUntil = nil
        for (index, listener) in listeners.enumerated() {
            watch(listener.descriptor, .listener, UInt32(EPOLLIN.rawValue), index: index, add: false)
        }
    }

    /// Says it at once, instead of leaving the client in the queue.
    private func refuse(_ descriptor: Int32, _ refusal: HTTPRefusal) {
        sendRaw(descriptor, refusal, newRequestID())
        close(descriptor)
    }

    func newRequestID() -> HTTPRequestID { HTTPRequestID(identities.next(), identities.next()) }

    /// Answers past libmicrohttpd, and ends our side of the connection.
    func sendRaw(_ descriptor: Int32, _ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>? = nil) {
        gauges.refuse(refusal)
        let bytes = Responder.bytes(handler.refusal(refusal, requestID, path: path), requestID, date)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        shutdown(descriptor, Int32(SHUT_WR))
        drainInput(descriptor)
    }

    /// What the client sent already is read, or close(2) would send a reset that overtakes the answer.
    private func drainInput(_ descriptor: Int32) {
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            for _ in 0..<8 where recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) < buffer.count { return }
        }
    }

    private func open(
        _ descriptor: Int32, _ listener: Int, _ peer: HTTPPeer, _ key: AddressKey?, _ localHost: String?
    ) -> ConnectionPointer {
        let slot = freeSlots.popLast() ?? slotsUsed
        slotsUsed = max(slotsUsed, slot + 1)
        serial &+= 1
        hooks.pointee.received[Int(descriptor)] = posto_received()
        let connection = ConnectionPointer.allocate(capacity: 1)
        connection.initialize(
            to: Connection(
                slot: slot, serial: serial, descriptor: descriptor, listener: listener, peer: peer, addressKey: key, overTLS: localHost))
        slots[slot] = connection
        connectionCount += 1
        gauges.opened()
        if let key { addresses[key, default: 0] += 1 }
        setDeadline(connection, now + timeouts.firstByte)
        return connection
    }

    /// Looks at what has come without taking it, and hands the connection over as soon as there is something.
    func firstBytes(_ connection: ConnectionPointer) {
        let descriptor = connection.pointee.descriptor
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { return waitForBytes(connection) }
            guard count > 0 else { return discard(connection) }
            if buffer[0] == TLSTerminator.handshakeRecord, let tls, connection.pointee.takesTLS { return handToTLS(connection, tls) }
            // Otherwise a TLS client where there is no certificate, or noise; libmicrohttpd would skip empty lines.
            guard floor != nil || ASCII.isToken(buffer[0]) else {
                sendRaw(descriptor, .malformedRequest, newRequestID())
                return discard(connection)
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            var isPoll = false
            if floor == nil, let end = bytes.firstIndex(of: 0x0a) {
                let line = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                isPoll = handler.isLongPoll(requestLine: line.last == 0x0d ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line)
            }
            handOver(connection, isPoll ? Self.polls : Self.ordinary)
        }
    }

    /// A handshake begins: the descriptor goes to the TLS thread, and what is inside comes back as another connection.
    private func handToTLS(_ connection: ConnectionPointer, _ tls: TLSMailbox) {
        let descriptor = connection.pointee.descriptor
        if connection.pointee.isWatched { epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil) }
        tls.post(
            .take(
                ArrivingConnection(
                    descriptor: descriptor, listener: connection.pointee.listener, peer: connection.pointee.peer,
                    addressKey: connection.pointee.addressKey)))
        forget(connection)
    }

    private func waitForBytes(_ connection: ConnectionPointer) {
        let mask = UInt32(EPOLLIN.rawValue) | UInt32(EPOLLONESHOT.rawValue)
        watch(
            connection.pointee.descriptor, .connection, mask, index: connection.pointee.slot, serial: connection.pointee.serial,
            add: !connection.pointee.isWatched)
        connection.pointee.isWatched = true
    }

    private func handOver(_ connection: ConnectionPointer, _ daemon: Int) {
        connection.pointee.phase = .idle
        connection.pointee.inPollDaemon = daemon == Self.polls
        // The floor does not see its requests, so it could not move a deadline on.
        setDeadline(connection, floor == nil ? now + timeouts.head : .max)
        adding = connection
        // The real address is ours to keep; libmicrohttpd copies this one and never looks at it.
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        let added = MHD_add_connection(daemons[daemon], connection.pointee.descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
        if added != .YES, adding != nil {
            // It closed the descriptor and did not tell us.
            adding = nil
            forget(connection)
        }
        dirty[daemon] = true
    }

    /// Ends a connection that libmicrohttpd never had.
    func discard(_ connection: ConnectionPointer) {
        close(connection.pointee.descriptor)
        forget(connection)
    }

    /// Frees what we know; the descriptor is closed already, or will be at once.
    func forget(_ connection: ConnectionPointer) {
        let slot = connection.pointee.slot
        if let key = connection.pointee.addressKey {
            let left = addresses[key, default: 1] - 1
            addresses[key] = left == 0 ? nil : left
        }
        slots[slot] = nil
        deadlines[slot] = .max
        freeSlots.append(slot)
        connectionCount -= 1
        gauges.closed()
        connection.pointee.destroy()
        connection.deinitialize(count: 1)
        connection.deallocate()
    }
}

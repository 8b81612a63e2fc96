import CMicroHTTPD
import CPlatform
import Domain
import Glibc
import TLS

/// From accept(2) to the end of the handshake.
extension TLSTerminator {
    /// The type of a TLS record that holds a handshake, and so the first byte of every client (RFC 8446 §5.1).
    static let handshakeRecord: UInt8 = 22

    func acceptConnections(_ place: Int) {
        guard place < listeners.count else { return }
        for _ in 0..<Limits.tlsAcceptsPerTurnMax where acceptOne(place) == false { return }
    }

    /// - Returns: false when nobody waits any more.
    func acceptOne(_ place: Int) -> Bool {
        let listener = listeners[place]
        switch listener.socket.accept(group: nil, countsLoopback: configuration.countsLoopback) {
        case .connection(let descriptor, let peer, let key):
            take(ArrivingConnection(descriptor: descriptor, listener: listener.index, peer: peer, addressKey: key), isCounted: false)
            return true
        case .gone: return true
        case .none: return false
        case .noDescriptors:
            pauseListeners()
            return false
        }
    }

    func take(_ arriving: ArrivingConnection, isCounted: Bool) {
        guard !isQuiet, hasRoom(arriving.addressKey) else {
            gauges.fail(.crowded)
            close(arriving.descriptor)
            return
        }
        var one: Int32 = 1
        setsockopt(arriving.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        open(arriving, isCounted)
    }

    /// A few more than the HTTP thread takes, so that it can say over TLS that there are too many.
    private func hasRoom(_ key: AddressKey?) -> Bool {
        guard count < connectionsMax + Limits.tlsConnectionsToTell, unfinished < Limits.tlsHandshakesMax else { return false }
        guard let key, let address = addresses[key] else { return true }
        return address.open < configuration.connectionsPerAddressMax + Limits.tlsConnectionsToTell
            && address.unfinished < Limits.tlsHandshakesPerAddressMax
    }

    private func open(_ arriving: ArrivingConnection, _ isCounted: Bool) {
        let slot = freeSlots.popLast() ?? connections.count
        if slot == connections.count { connections.append(nil) }
        let connection = TLSConnection(slot: slot, serial: newSerial(), arriving, isCounted: isCounted)
        connections[slot] = connection
        count += 1
        unfinished += 1
        if let key = arriving.addressKey {
            addresses[key, default: AddressCount()].open += 1
            addresses[key]!.unfinished += 1
        }
        setDeadline(connection, now + handshakeNanoseconds)
        watchClient(connection, UInt32(EPOLLIN.rawValue))
    }

    /// The process has no descriptors left: without a pause the listener would wake us again and again.
    private func pauseListeners() {
        let isPaused = listenersPausedUntil != nil
        listenersPausedUntil = now + 100_000_000
        nextScan = min(nextScan, now + 100_000_000)
        guard !isPaused else { return }
        for (place, listener) in listeners.enumerated() {
            set(listener.socket.descriptor, .listener, UInt32(EPOLLIN.rawValue), 0, index: place, serial: 0)
        }
    }

    func resumeListeners() {
        guard let until = listenersPausedUntil, until <= now else { return }
        listenersPausedUntil = nil
        for (place, listener) in listeners.enumerated() {
            set(listener.socket.descriptor, .listener, 0, UInt32(EPOLLIN.rawValue), index: place, serial: 0)
        }
    }

    /// The kernel says that the client sent something, takes something, or left. One call, one step: nothing here loops on its own, so a client
    /// can make us work only as often as it sends.
    func step(_ connection: TLSConnection) {
        guard isAlive(connection), connection.isUnfinished else { return }
        if connection.phase == .silent {
            guard begin(connection) else { return }
        }
        switch connection.session!.handshake() {
        case .wantsRead: watchClient(connection, UInt32(EPOLLIN.rawValue))
        case .wantsWrite: watchClient(connection, UInt32(EPOLLOUT.rawValue))
        case .failed(let reason):
            // The alert that says why is in the kernel already.
            gauges.fail(reason == "the connection ended" || reason.hasPrefix("unexpected eof") ? .left : .refused)
            if gate.allows(at: now) { configuration.log("handshake with \(connection.peer): \(reason)") }
            destroy(connection)
        case .done: promote(connection)
        }
    }

    /// Looks at the first byte. A session is made for none but who begins a handshake.
    private func begin(_ connection: TLSConnection) -> Bool {
        var first: UInt8 = 0
        let count = recv(connection.client, &first, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        guard count == 1 else {
            gauges.fail(.left)
            destroy(connection)
            return false
        }
        if first == Self.handshakeRecord {
            connection.phase = .handshake
            connection.session = TLSSession(identity, descriptor: connection.client)
            return true
        }
        if ASCII.isToken(first) { tellPlainClient(connection) } else { gauges.fail(.refused) }
        destroy(connection)
        return false
    }

    /// Someone wrote http:// where https:// belongs.
    private func tellPlainClient(_ connection: TLSConnection) {
        gauges.fail(.plain)
        let problem =
            #"{"type":"urn:posto:problem:tls_required","title":"TLS required","status":400,"code":"tls_required","detail":"This port speaks TLS, and the request came without.","hint":"Write https:// instead of http://."}"#
        var date = HTTPDate()
        date.set(time(nil))
        let bytes = Responder.bytes(
            HTTPResponse(status: 400, contentType: .problemJSON, body: .bytes(Array(problem.utf8))),
            HTTPRequestID(identities.next(), identities.next()), date)
        _ = send(connection.client, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        shutdown(connection.client, Int32(SHUT_WR))
        // What the client sent already is read, or close(2) would send a reset that overtakes the answer.
        _ = recv(connection.client, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT))
    }

    private func promote(_ connection: TLSConnection) {
        var pair: (Int32, Int32) = (-1, -1)
        guard posto_socket_pair(&pair.0, &pair.1) == 0 else {
            gauges.fail(.crowded)
            return destroy(connection)
        }
        let agreement = connection.session!.agreement()
        gauges.complete(is13: agreement.isVersion13, isResumed: agreement.isResumed)
        finishHandshake(connection)
        connection.phase = .open
        connection.server = pair.0
        setDeadline(connection, .max)
        loop.post(
            .adopt(
                HandedConnection(
                    descriptor: pair.1, listener: connection.listener, peer: connection.peer, addressKey: connection.addressKey,
                    localHost: SocketAddress.localHost(of: connection.client), isCounted: connection.isCounted)))
        // The first request may have come with the end of the handshake, and lie in the session already.
        pumpUp(connection)
        updateMasks(connection)
    }

    func finishHandshake(_ connection: TLSConnection) {
        unfinished -= 1
        if let key = connection.addressKey { addresses[key]!.unfinished -= 1 }
    }
}

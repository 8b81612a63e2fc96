/// What the TLS thread takes on before anybody has said who they are.
extension Limits {
    /// Connections that have not ended their handshake, all together: a crowd of half-open ones costs 2 MiB, and 500 leave room for others.
    package static let tlsHandshakesMax = 1_024
    /// The same from one network address. A browser opens six at once; a fleet behind one gateway comes one after the other.
    package static let tlsHandshakesPerAddressMax = 64
    /// Connections taken on beyond the limits of the HTTP thread, so that it can say over TLS why it serves no more.
    package static let tlsConnectionsToTell = 16
    /// Steps of handshakes in one turn: some 0.3 ms each with P-256, so open connections wait 5 ms at most.
    package static let tlsHandshakeStepsPerTurnMax = 16
    /// Connections accepted in one go.
    package static let tlsAcceptsPerTurnMax = 64
    /// Records read of one client in one turn: 256 KiB, then others have theirs.
    package static let tlsRecordsPerTurnMax = 16
    /// How long a client may take to close after our end of the connection.
    package static let tlsLingerNanoseconds: UInt64 = 1_000_000_000
    /// A file with a certificate or a key; a chain of ten certificates has 30 KiB.
    package static let tlsFileBytesMax = 1 << 20
    /// Days before the end of a certificate from which on a person should know, and from which on it is urgent.
    package static let tlsExpiryNoticeDays = 30
    package static let tlsExpiryUrgentDays = 7
}

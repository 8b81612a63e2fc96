/// Who is at the other end of a connection, as the kernel knows it.
package enum HTTPPeer: Sendable, Equatable {
    /// A process of this host on the Unix socket, with the credentials it had at connect(2).
    case local(uid: UInt32, gid: UInt32, pid: Int32)
    /// A process of this host over TCP.
    case loopback(port: UInt16)
    case network(address: String, port: UInt16)

    package var isLocal: Bool { if case .local = self { true } else { false } }
    package var isLoopback: Bool { if case .loopback = self { true } else { false } }
    package var isNetwork: Bool { if case .network = self { true } else { false } }
}

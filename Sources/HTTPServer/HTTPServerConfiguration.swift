import Domain
import TLS

/// Where a server listens.
package indirect enum HTTPListener: Sendable, Equatable {
    /// A literal address or `localhost`; port 0 picks a free one.
    case tcp(host: String, port: UInt16)
    /// A Unix socket. A stale file is replaced; one that somebody listens on is an error.
    case unix(path: String, mode: UInt32 = 0o666)
    /// A listening socket that systemd made; its family is detected. Closed at the end, never shut down: the next process uses it too.
    case descriptor(Int32)
    /// One of the first or the third kind that takes TLS only; needs `HTTPServerConfiguration.identity`.
    case tls(HTTPListener)
}

/// Where a server listens in fact.
package enum HTTPAddress: Sendable, Equatable {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    case tls(host: String, port: UInt16)

    /// Where a socket from activation is bound; nil if it is no socket.
    package init?(ofDescriptor descriptor: Int32) {
        guard let address = SocketAddress.local(of: descriptor) else { return nil }
        self = address
    }
}

package struct HTTPServerConfiguration: Sendable {
    package var listeners: [HTTPListener]
    /// Names in `Host` that are ours besides `localhost` and the literal addresses; lower case, no port, no trailing dot.
    package var ownHosts: Set<String>
    /// A group that matters to the handler: a peer of the Unix socket that is in it has it as its `gid`, primary or supplementary.
    package var noticedGroup: UInt32?

    /// With it, clients of TCP listeners may begin with a handshake as well as with a request; those of TLS listeners must.
    package var identity: TLSServerIdentity?

    package var connectionsMax = Limits.httpConnectionsMax
    package var connectionsPerAddressMax = Limits.httpConnectionsPerAddressMax
    /// Callers on loopback are this host itself, and not counted; tests count them.
    package var countsLoopback = false
    package var targetBytesMax = Limits.httpTargetBytesMax
    package var headBytesMax = Limits.httpHeadBytesMax
    package var connectionMemoryBytes = Limits.httpConnectionMemoryBytes
    package var pollMemoryBytes = Limits.httpPollMemoryBytes

    /// From accept to the end of the TLS handshake, silence included.
    package var handshakeTimeout: Duration = .seconds(10)
    /// From accept to the first byte; over TLS from the end of the handshake.
    package var firstByteTimeout: Duration = .seconds(10)
    /// From the first byte (of a connection) or the request line (of a later request) to the end of the head.
    package var headTimeout: Duration = .seconds(10)
    /// From the head to the end of the body, for bodies that come at `bodyBytesPerSecondMin` or faster each further such amount adds a second.
    package var bodyTimeout: Duration = .seconds(30)
    package var bodyBytesPerSecondMin = 16 * 1_024
    /// Between requests; a half request line counts as idle.
    package var idleTimeout: Duration = .seconds(75)
    /// Without the client taking a byte of its answer.
    package var writeTimeout: Duration = .seconds(30)

    /// Receives what libmicrohttpd logs, at most `Limits.httpLogLinesPerSecondMax` a second. Called on the HTTP thread and on
    /// the TLS thread, which tells why handshakes fail.
    package var log: @Sendable (String) -> Void = { _ in }

    package init(listeners: [HTTPListener], ownHosts: Set<String> = []) {
        self.listeners = listeners
        self.ownHosts = ownHosts
    }
}

extension Duration {
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
    }
}

/// The time-outs in nanoseconds: a `Duration` has 128 bits, which is too much arithmetic for each request.
struct Timeouts {
    let firstByte: UInt64
    let head: UInt64
    let body: UInt64
    let idle: UInt64
    /// Half of the time allowed: progress is sampled twice.
    let writeSample: UInt64

    init(_ configuration: HTTPServerConfiguration) {
        firstByte = configuration.firstByteTimeout.nanoseconds
        head = configuration.headTimeout.nanoseconds
        body = configuration.bodyTimeout.nanoseconds
        idle = configuration.idleTimeout.nanoseconds
        writeSample = configuration.writeTimeout.nanoseconds / 2
    }
}

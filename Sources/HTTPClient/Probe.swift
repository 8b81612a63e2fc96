import Domain

/// A question about the health of one instance.
package struct ProbeRequest: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// GET this path: 200 is passing, 429 a warning, anything else failing.
        case http(path: String)
        /// A connection that opens is passing.
        case tcp
    }

    /// The caller's own number; comes back with the result.
    package var id: UInt64
    package var kind: Kind
    /// An address or a name; names are resolved for each probe.
    package var host: String
    package var port: UInt16
    /// For the whole probe, from the moment it leaves the queue.
    package var timeout: Duration

    package init(id: UInt64, kind: Kind, host: String, port: UInt16, timeout: Duration) {
        self.id = id
        self.kind = kind
        self.host = host
        self.port = port
        self.timeout = timeout
    }
}

/// What became of a probe.
package struct ProbeResult: Equatable, Sendable {
    package enum Outcome: Equatable, Sendable {
        case passing
        /// The instance said 429: alive, and busy.
        case warning
        case failing(ProbeFailure)
        /// The address is in none of the networks that may be probed; nothing was sent.
        case forbidden
    }

    package let id: UInt64
    package let outcome: Outcome
    /// From leaving the queue to the answer.
    package let duration: Duration
}

package enum ProbeFailure: Equatable, Sendable, CustomStringConvertible {
    case refused
    case timedOut
    /// The network says no, with the system's error.
    case unreachable(errno: Int32)
    case nameUnknown
    /// Another status than 200 or 429.
    case status(Int)
    /// What came is not HTTP, or broke off before its head was whole.
    case brokenAnswer
    /// Host or path can be no part of an address.
    case badAddress

    package var description: String {
        switch self {
        case .refused: "connection refused"
        case .timedOut: "no answer in time"
        case .unreachable(let number): "not reachable (error \(number))"
        case .nameUnknown: "the host's name is not known"
        case .status(let code): "HTTP \(code)"
        case .brokenAnswer: "the answer is not HTTP, or broke off"
        case .badAddress: "host or path is no address"
        }
    }
}

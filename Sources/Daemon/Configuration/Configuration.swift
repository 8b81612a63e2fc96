import Domain

/// What an operator decided about this node, checked and complete. Its initial values are the defaults.
///
/// Made by `ConfigurationLoader` from files, environment and flags; `SettingTable` names every value and says what it is for.
package struct Configuration: Sendable, Equatable {
    package struct Node: Sendable, Equatable {
        /// Empty: the one made at the first start.
        package var id = ""
        package var site = ""
        package var tenant = "default"
        package var labels: [String: String] = [:]
    }

    package struct Listen: Sendable, Equatable {
        package var http = [SocketAddress("127.0.0.1:8500")!]
        /// Empty: no Unix socket.
        package var socket = "/run/posto/posto.sock"
        /// PEM files: the node's certificate with its chain, and its key. Empty: no TLS.
        package var tlsCertificate = ""
        package var tlsKey = ""
        package var allowPlainLAN = false

        package var hasTLS: Bool { !tlsCertificate.isEmpty }

        /// Whether callers of this address must speak TLS. Those of the others may, if there is a certificate.
        package func requiresTLS(_ address: IPAddress) -> Bool { hasTLS && !allowPlainLAN && !address.isLoopback }
    }

    package struct Access: Sendable, Equatable {
        /// What a caller from loopback may do without a token.
        package enum Loopback: String, CaseIterable, Sendable { case none, health, service }
        package var loopback = Loopback.service
    }

    package struct Store: Sendable, Equatable {
        package var sizeMaxBytes: UInt64 = 4 << 30
        package var ballastBytes: UInt64 = 64 << 20
    }

    package struct Registry: Sendable, Equatable {
        package var ttl = Duration.seconds(60)
        package var heartbeat = Duration.seconds(30)
        package var grace = Duration.seconds(15)
        /// Folder of static registrations; empty: none.
        package var staticFolder = "/etc/posto/services.d"
    }

    package struct Checks: Sendable, Equatable {
        package var enabled = true
        package var interval = Duration.seconds(3)
        package var timeout = Duration.seconds(2)
        package var failures = 3
        package var successes = 2
        package var networks = [Network("127.0.0.0/8")!, Network("::1/128")!]
    }

    package struct Stream: Sendable, Equatable {
        package enum WhenFull: String, CaseIterable, Sendable {
            /// The sender is refused until the receiver has taken some; nothing unsent is ever deleted.
            case block
            /// The sender is refused; what is older than `age_max` goes, sent or not.
            case rejectNew = "reject-new"
            /// The oldest records go, sent or not.
            case dropOldest = "drop-oldest"
        }
        package var name = ""
        /// 0 audit … 5 bulk.
        package var priority = 3
        package var bytesMax: UInt64 = 1 << 30
        package var ageMax = Duration.seconds(90 * 86_400)
        package var whenFull = WhenFull.block
    }

    package struct Uplink: Sendable, Equatable {
        /// Of the receiver; empty: nothing is sent.
        package var url = ""
        /// File with the token, on one line; empty: none.
        package var tokenFile = ""
        /// File with the certificates of the authorities that are trusted; empty: the system's.
        package var caFile = ""
        package var batchRecords = 1_000
        package var batchBytes = 512 * 1_024
        package var linger = Duration.milliseconds(200)
        package var spread = Duration.seconds(120)
        package var grace = Duration.seconds(86_400)
        package var compressionLevel = 1
    }

    package struct Log: Sendable, Equatable {
        package enum Level: String, CaseIterable, Sendable { case debug, info, warning, error }
        /// `auto`: the journal when standard error is connected to it, else JSON lines.
        package enum Format: String, CaseIterable, Sendable { case auto, json, journal, text }
        package var level = Level.info
        package var format = Format.auto
    }

    package var node = Node()
    package var listen = Listen()
    package var access = Access()
    package var store = Store()
    package var registry = Registry()
    package var checks = Checks()
    package var streams: [Stream] = []
    package var uplink = Uplink()
    package var log = Log()

    /// `--dev`: every loopback caller is an administrator.
    package var isDevelopment = false

    /// Where each value that is not a default was said, by `section.key`, or `streams.NAME.key`.
    package internal(set) var origins: [String: ConfigurationOrigin] = [:]

    /// The files that were read, in order.
    package internal(set) var files: [String] = []

    /// The defaults.
    package init() {}
}

/// Where a value was said.
package enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    case builtIn
    case file(String, line: Int)
    case environment(String)
    case flag(String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let name): name
        case .flag(let name): name
        }
    }
}

import CPlatform
import Crypto
import Daemon
import Domain
import Glibc
import HTTPClient
import HTTPServer
import Store

/// What a start needs of its host: a clock, descriptors, libraries.
enum HostCheck {
    static func findings() -> [Finding] { [clock(), descriptors()] + libraries() }

    private static func clock() -> Finding {
        let now = SystemTime.wall()
        if now < SystemTime.buildFloor {
            return Finding(
                .warn, "clock", "it says \(now.rfc3339), which is before this version was made",
                hint: "set it (chronyc makestep, timedatectl); leases do not depend on it, the times of records do")
        }
        guard posto_clock_is_synchronized() == 1 else {
            return Finding(
                .warn, "clock", "\(now.rfc3339); nobody sets it", hint: "install chrony or systemd-timesyncd; leases do not depend on it")
        }
        return Finding(.ok, "clock", "\(now.rfc3339), synchronised")
    }

    private static func descriptors() -> Finding {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return Finding(.warn, "descriptors", "the limit is not known")
        }
        // The daemon raises the soft limit to the hard one by itself.
        let most = limit.rlim_max
        if most < 1_024 { return Finding(.fail, "descriptors", "at most \(most)", hint: "LimitNOFILE= in the unit; ulimit -Hn in a shell") }
        if most < UInt(Limits.httpConnectionsMax) {
            return Finding(
                .warn, "descriptors", "at most \(most): so many connections fewer than \(Limits.httpConnectionsMax)",
                hint: "LimitNOFILE=65536 in the unit; ulimit -Hn in a shell")
        }
        return Finding(.ok, "descriptors", "at most \(most)")
    }

    /// What the C libraries must be at least, for what we use of them.
    private static func libraries() -> [Finding] {
        [
            ("LMDB", StoreLibrary.version, [0, 9, 24]), ("libmicrohttpd", HTTPServerLibrary.version, [0, 9, 73]),
            ("libcurl", CurlLibrary.version, [7, 85, 0]), ("OpenSSL", CryptoLibrary.version, [3, 0, 0]),
        ].map { library($0.0, $0.1, atLeast: $0.2) }
    }

    static func library(_ name: String, _ version: String, atLeast wanted: [Int]) -> Finding {
        let parts = version.split { !("0"..."9").contains($0) }.prefix(3).compactMap { Int($0) }
        let text = wanted.map { "\($0)" }.joined(separator: ".")
        guard !parts.lexicographicallyPrecedes(wanted) else {
            return Finding(.fail, "library", "\(name) \(version) is older than \(text)", hint: "install the packages of Debian 12 or later")
        }
        return Finding(.ok, "library", "\(name) \(version)")
    }
}

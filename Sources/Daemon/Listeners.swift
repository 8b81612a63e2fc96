import Domain
import HTTPServer
import ServiceManager

/// Which sockets the daemon listens on, and in what: its own decision about what systemd handed over and what the configuration says.
///
/// What systemd listens on already is not bound again. Its TCP sockets replace the loopback addresses of `http`; addresses that speak TLS, which
/// no unit of the package has, are bound beside them.
enum Listeners {
    /// - Parameter address: where a descriptor is bound; the kernel's answer, or a test's.
    static func choose(
        _ listen: Configuration.Listen, activated: [ActivatedSocket], address: (Int32) -> HTTPAddress?
    ) throws(DaemonFailure) -> [HTTPListener] {
        var listeners: [HTTPListener] = []
        var taken: [(host: String, port: UInt16)] = []
        var hasUnix = false
        for socket in activated {
            guard socket.family == .tcp, case .tcp(let host, let port) = address(socket.descriptor), let ip = IPAddress(host) else {
                hasUnix = hasUnix || socket.family == .unix
                listeners.append(.descriptor(socket.descriptor))
                continue
            }
            taken.append((host, port))
            guard ip.isLoopback || listen.hasTLS || listen.allowPlainLAN else {
                throw DaemonFailure(
                    code: 78, message: "systemd listens on \(host):\(port), which is not loopback, and there is no certificate",
                    hint: "set listen.tls_certificate and listen.tls_key, or change posto.socket, or set listen.allow_plain_lan = true")
            }
            listeners.append(listen.requiresTLS(ip) ? .tls(.descriptor(socket.descriptor)) : .descriptor(socket.descriptor))
        }
        for own in listen.http {
            let isThere = taken.contains { $0.host == "\(own.address)" && $0.port == own.port }
            let listener = HTTPListener.tcp(host: "\(own.address)", port: own.port)
            if listen.requiresTLS(own.address) {
                if !isThere { listeners.append(.tls(listener)) }
            } else if taken.isEmpty {
                listeners.append(listener)
            }
        }
        if !hasUnix, !listen.socket.isEmpty { listeners.append(.unix(path: listen.socket)) }
        return listeners
    }
}

import CPlatform
import Daemon
import Domain
import Glibc

/// Whether the daemon could listen where it is told to.
enum AddressCheck {
    static func findings(_ listen: Configuration.Listen) -> [Finding] {
        var findings = listen.http.map(tcp)
        if !listen.socket.isEmpty { findings.append(unix(listen.socket)) }
        return findings
    }

    private static func tcp(_ address: SocketAddress) -> Finding {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo("\(address.address)", "\(address.port)", &hints, &found) == 0, let found else {
            return Finding(.fail, "address", "\(address) is no address")
        }
        defer { freeaddrinfo(found) }
        let probe = socket(found.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return Finding(.fail, "address", "\(address): \(String(cString: strerror(errno)))") }
        defer { close(probe) }
        var one: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if bind(probe, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 { return Finding(.ok, "address", "\(address) is free") }
        let hint =
            switch errno {
            case EADDRINUSE: "ss -ltnp shows who has it; or choose another in listen.http"
            case EADDRNOTAVAIL: "this host does not have that address (ip address)"
            case EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE"
            default: "choose another in listen.http"
            }
        return Finding(.fail, "address", "\(address): \(String(cString: strerror(errno)))", hint: hint)
    }

    private static func unix(_ path: String) -> Finding {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return Finding(
                .fail, "socket", "\(path) is longer than the 107 bytes of a socket's path", hint: "choose a shorter one in listen.socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        if access(path, F_OK) == 0 {
            let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(probe) }
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
            if code == 0 {
                return Finding(.fail, "socket", "somebody listens at \(path)", hint: "stop it, or choose another in listen.socket")
            }
            guard errno == ECONNREFUSED else {
                return Finding(
                    .fail, "socket", "\(path): \(String(cString: strerror(errno)))",
                    hint: "move it away, or choose another in listen.socket")
            }
        }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if access(folder, W_OK | X_OK) == 0 { return Finding(.ok, "socket", "\(path) is free") }
        if access(folder, F_OK) != 0 {
            return Finding(
                .warn, "socket", "the folder \(folder) is not there",
                hint: "systemd makes it (RuntimeDirectory=posto); by hand: mkdir \(folder)")
        }
        return Finding(
            .fail, "socket", "\(folder) cannot be written by this user",
            hint: "run it as the daemon's user, or choose another in listen.socket")
    }
}

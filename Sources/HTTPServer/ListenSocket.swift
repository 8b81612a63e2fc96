import CPlatform
import Glibc

/// A socket that connections come in on.
struct ListenSocket {
    let descriptor: Int32
    var address: HTTPAddress
    /// Removed at the end because we made it.
    let ownPath: String?
    /// Connections that wait in the queue of a socket from activation belong to the next process.
    let isActivated: Bool
    var isTLS = false
    /// In the configuration.
    var place = 0

    /// What one try to accept came to.
    enum Arrival {
        case connection(descriptor: Int32, peer: HTTPPeer, key: AddressKey?)
        /// Who called has hung up already; another may wait.
        case gone
        /// Nobody waits.
        case none
        /// The process or the machine has no descriptor left: who waits must wait on.
        case noDescriptors
    }

    /// Takes up one connection; does not wait. Any thread, one at a time.
    func accept(group: UInt32?, countsLoopback: Bool) -> Arrival {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = posto_accept(self.descriptor, &storage, &length)
        guard descriptor >= 0 else {
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .noDescriptors
            case ECONNABORTED, EINTR, EPROTO, EPERM: return .gone
            default: return .none
            }
        }
        guard let (peer, key) = SocketAddress.peer(&storage, descriptor, group: group, countsLoopback: countsLoopback) else {
            close(descriptor)
            return .gone
        }
        return .connection(descriptor: descriptor, peer: peer, key: key)
    }

    static func open(_ listener: HTTPListener) throws(HTTPServerError) -> ListenSocket {
        switch listener {
        case .tcp(let host, let port): try tcp(host, port)
        case .unix(let path, let mode): try unix(path, mode)
        case .descriptor(let descriptor): try adopt(descriptor)
        case .tls(let inner): try tls(inner)
        }
    }

    private static func tls(_ inner: HTTPListener) throws(HTTPServerError) -> ListenSocket {
        var socket = try open(inner)
        guard case .tcp(let host, let port) = socket.address else {
            close(socket.descriptor)
            throw HTTPServerError(.badDescriptor, "speak TLS on \(inner)")
        }
        socket.isTLS = true
        socket.address = .tls(host: host, port: port)
        return socket
    }

    private static func tcp(_ host: String, _ port: UInt16) throws(HTTPServerError) -> ListenSocket {
        let doing = "listen on \(host):\(port)"
        var name = host == "localhost" ? "127.0.0.1" : host
        if name.first == "[", name.last == "]" { name = String(name.dropFirst().dropLast()) }
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, "\(port)", &hints, &found) == 0, let found else { throw HTTPServerError(.badAddress, doing) }
        defer { freeaddrinfo(found) }
        let descriptor = try make(found.pointee.ai_family, doing)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if found.pointee.ai_family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4) }
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, 4_096) == 0 else {
            throw fail(descriptor, doing)
        }
        return ListenSocket(
            descriptor: descriptor, address: SocketAddress.local(of: descriptor) ?? .tcp(host: host, port: port), ownPath: nil,
            isActivated: false)
    }

    private static func unix(_ path: String, _ mode: UInt32) throws(HTTPServerError) -> ListenSocket {
        let doing = "listen on \(path)"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room, !path.isEmpty else { throw HTTPServerError(.badAddress, doing) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // A file that refuses connections was left behind by a process that died.
        let probe = try make(AF_UNIX, doing)
        let connected = withAddress(&address) { connect(probe, $0, $1) }
        let reason = errno
        close(probe)
        if connected == 0 || reason == EAGAIN { throw HTTPServerError(.addressInUse, doing) }
        if reason == ECONNREFUSED { unlink(path) }
        let descriptor = try make(AF_UNIX, doing)
        guard withAddress(&address, { bind(descriptor, $0, $1) }) == 0, chmod(path, mode) == 0, listen(descriptor, 4_096) == 0 else {
            throw fail(descriptor, doing)
        }
        return ListenSocket(descriptor: descriptor, address: .unix(path: path), ownPath: path, isActivated: false)
    }

    private static func adopt(_ descriptor: Int32) throws(HTTPServerError) -> ListenSocket {
        let doing = "use descriptor \(descriptor) of socket activation"
        var type: Int32 = 0
        var listening: Int32 = 0
        var length = socklen_t(4)
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0,
            getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0,
            type == Int32(SOCK_STREAM.rawValue), listening == 1, let address = SocketAddress.local(of: descriptor)
        else { throw HTTPServerError(.badDescriptor, doing) }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return ListenSocket(descriptor: descriptor, address: address, ownPath: nil, isActivated: true)
    }

    private static func make(_ family: Int32, _ doing: String) throws(HTTPServerError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        if descriptor < 0 { throw HTTPServerError(.system(errno: errno), doing) }
        return descriptor
    }

    private static func fail(_ descriptor: Int32, _ doing: String) -> HTTPServerError {
        let reason = errno
        close(descriptor)
        return switch reason {
        case EADDRINUSE: HTTPServerError(.addressInUse, doing)
        case EADDRNOTAVAIL, ENOTDIR, ENOENT: HTTPServerError(.badAddress, doing)
        case EACCES, EPERM: HTTPServerError(.notPermitted, doing)
        default: HTTPServerError(.system(errno: reason), doing)
        }
    }

    private static func withAddress<R>(_ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}

// Both bring sockaddr_storage in; which of them the compiler takes for its home depends on the kind of build.
import CMicroHTTPD
import CPlatform
import Glibc

/// Socket addresses as text and as keys.
enum SocketAddress {
    /// The literal form of an `in_addr` or `in6_addr`.
    static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard inet_ntop(family, address, buffer.baseAddress!, socklen_t(buffer.count)) != nil else { return "" }
            return String(cString: buffer.baseAddress!)
        }
    }

    /// The address that a socket is bound to, or that a connection came in on; IPv4 in its own form even on an IPv6 socket.
    static func local(of descriptor: Int32) -> HTTPAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        if Int32(storage.ss_family) == AF_UNIX { return .unix(path: unixPath(&storage, length)) }
        guard let (host, port, _) = internet(&storage) else { return nil }
        return .tcp(host: host, port: port)
    }

    /// The host of `local`; empty if it has none.
    static func localHost(of descriptor: Int32) -> String {
        guard case .tcp(let host, _) = local(of: descriptor) else { return "" }
        return host
    }

    /// Who connected, from what accept(2) told.
    ///
    /// - Parameter group: shown as the peer's group if it is among its supplementary ones.
    static func peer(_ storage: inout sockaddr_storage, _ descriptor: Int32, group: UInt32?, countsLoopback: Bool) -> (
        HTTPPeer, AddressKey?
    )? {
        if Int32(storage.ss_family) == AF_UNIX {
            var pid = pid_t()
            var uid = uid_t()
            var gid = gid_t()
            guard posto_peer_credentials(descriptor, &pid, &uid, &gid) == 0 else { return nil }
            if let group, posto_peer_is_in_group(descriptor, group) == 1 { gid = group }
            return (.local(uid: uid, gid: gid, pid: pid), nil)
        }
        guard let (host, port, key) = internet(&storage) else { return nil }
        let isLoopback = host == "::1" || host.hasPrefix("127.")
        return isLoopback ? (.loopback(port: port), countsLoopback ? key : nil) : (.network(address: host, port: port), key)
    }

    private static func internet(_ storage: inout sockaddr_storage) -> (host: String, port: UInt16, key: AddressKey)? {
        switch Int32(storage.ss_family) {
        case AF_INET:
            withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { v4 in
                    var address = v4.pointee.sin_addr
                    let key = AddressKey(high: 0, low: 0xffff_0000_0000 | UInt64(UInt32(bigEndian: address.s_addr)))
                    return (text(AF_INET, &address), UInt16(bigEndian: v4.pointee.sin_port), key)
                }
            }
        case AF_INET6:
            withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { v6 in
                    var address = v6.pointee.sin6_addr
                    let words = withUnsafeBytes(of: &address) {
                        ($0.load(as: UInt64.self).bigEndian, $0.load(fromByteOffset: 8, as: UInt64.self).bigEndian)
                    }
                    let isMapped = words.0 == 0 && words.1 >> 32 == 0xffff
                    let host = withUnsafeBytes(of: &address) {
                        isMapped ? text(AF_INET, $0.baseAddress! + 12) : text(AF_INET6, $0.baseAddress!)
                    }
                    return (host, UInt16(bigEndian: v6.pointee.sin6_port), AddressKey(high: words.0, low: words.1))
                }
            }
        default: nil
        }
    }

    private static func unixPath(_ storage: inout sockaddr_storage, _ length: socklen_t) -> String {
        withUnsafeBytes(of: &storage) { bytes in
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
            let path = bytes[min(start, Int(length))..<Int(length)].prefix { $0 != 0 }
            return String(decoding: path, as: UTF8.self)
        }
    }
}

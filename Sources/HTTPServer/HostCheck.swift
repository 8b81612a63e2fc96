import CPlatform
import Glibc

/// Decides whether `Host` and `Origin` are ours, so that a web page in a browser on this host cannot use the daemon: neither from a foreign
/// origin, nor by a name of its own that it lets point at us (DNS rebinding).
struct HostCheck {
    private let ownHosts: Set<String>
    /// Names that our certificate proves to be ours, in lower case; the first label may be `*`.
    var certificateNames: [String] = []
    /// The last `Host` that was ours by name or as loopback; most requests repeat it.
    private var accepted: [UInt8] = []

    init(ownHosts: Set<String>) { self.ownHosts = Set(ownHosts.map { $0.lowercased() }) }

    mutating func check(_ connection: ConnectionPointer) -> HTTPRefusal? {
        let head = connection.pointee.head
        if !connection.pointee.peer.isLocal {
            if let host = head.host {
                if !isAccepted(host) {
                    guard isOwn(host, connection) else { return .foreignHost }
                }
            } else if !connection.pointee.isHTTP10 {
                return .missingHost
            }
        }
        if let origin = head.origin, !isSame(origin, head.host, isTLS: connection.pointee.overTLS != nil) { return .foreignOrigin }
        return nil
    }

    private func isCertified(_ name: String) -> Bool {
        certificateNames.contains { known in
            if known == name { return true }
            guard known.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
            return known.dropFirst() == name[dot...]
        }
    }

    private func isAccepted(_ host: Bytes) -> Bool {
        accepted.withUnsafeBufferPointer {
            $0.count == host.count && memcmp($0.baseAddress ?? host.baseAddress!, host.baseAddress!, host.count) == 0
        }
            && host.count > 0
    }

    private mutating func isOwn(_ host: Bytes, _ connection: ConnectionPointer) -> Bool {
        guard host.count > 0, host.count <= 255, let name = Self.name(of: host) else { return false }
        if name == "localhost" || ownHosts.contains(name) || Self.isLoopback(name) || isCertified(name) {
            accepted = Array(host)
            return true
        }
        guard let literal = Self.canonical(name) else { return false }
        return literal == connection.pointee.overTLS ?? SocketAddress.localHost(of: connection.pointee.descriptor)
    }

    /// `http://` or, over TLS, `https://`, and the `Host` of the same request.
    private func isSame(_ origin: Bytes, _ host: Bytes?, isTLS: Bool) -> Bool {
        let scheme: StaticString = isTLS ? "https://" : "http://"
        let start = scheme.utf8CodeUnitCount
        guard let host, origin.hasPrefixIgnoringCase(scheme), origin.count == host.count + start else { return false }
        for i in 0..<host.count where ASCII.lower(origin[i + start]) != ASCII.lower(host[i]) { return false }
        return true
    }

    /// The host in lower case without port, brackets and trailing dot; nil if it is malformed.
    static func name(of host: Bytes) -> String? {
        var text = Substring(host.text.lowercased())
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || (rest.first == ":" && rest.dropFirst().allSatisfy(\.isASCIIDigit)) else { return nil }
            return String(text[text.index(after: text.startIndex)..<end])
        }
        if let colon = text.firstIndex(of: ":") {
            guard text[text.index(after: colon)...].allSatisfy(\.isASCIIDigit) else { return nil }
            text = text[..<colon]
        }
        if text.last == "." { text = text.dropLast() }
        return text.isEmpty ? nil : String(text)
    }

    private static func isLoopback(_ name: String) -> Bool {
        guard let address = canonical(name) else { return false }
        return address == "::1" || address.hasPrefix("127.")
    }

    /// The usual spelling of a literal address; nil if it is none.
    private static func canonical(_ name: String) -> String? {
        var v4 = in_addr()
        if inet_pton(AF_INET, name, &v4) == 1 { return SocketAddress.text(AF_INET, &v4) }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, name, &v6) == 1 { return SocketAddress.text(AF_INET6, &v6) }
        return nil
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { self >= "0" && self <= "9" }
}

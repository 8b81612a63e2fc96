import Domain

/// Where the command line finds a daemon: `https://HOST:PORT`, `http://HOST:PORT`, or `unix:PATH`.
package enum ServerAddress: Equatable, Sendable, CustomStringConvertible {
    case tcp(host: HostName, port: UInt16)
    case tls(host: HostName, port: UInt16)
    case unix(path: String)

    /// nil if it is none of them. `HOST:PORT` alone is taken for HTTP, port 8500 if none is said.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            var path = text.dropFirst(5)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard path.hasPrefix("/"), (2...107).contains(path.utf8.count), !path.utf8.contains(0) else { return nil }
            self = .unix(path: String(path))
            return
        }
        var rest = text[...]
        let isSecure = rest.hasPrefix("https://")
        if isSecure { rest = rest.dropFirst(8) } else if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        if rest.last == "/" { rest = rest.dropLast() }
        var port: UInt16 = 8_500
        if let colon = rest.lastIndex(of: ":"), rest.last != "]" {
            let digits = rest[rest.index(after: colon)...]
            guard digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let number = UInt16(digits), number > 0 else { return nil }
            port = number
            rest = rest[..<colon]
        }
        let isBracketed = rest.first == "[" && rest.last == "]"
        if isBracketed { rest = rest.dropFirst().dropLast() }
        guard let host = HostName(String(rest)), rest.contains(":") == isBracketed else { return nil }
        self = isSecure ? .tls(host: host, port: port) : .tcp(host: host, port: port)
    }

    package var description: String {
        switch self {
        case .tcp(let host, let port): "http://\(host.inURL):\(port)"
        case .tls(let host, let port): "https://\(host.inURL):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// What stands before the path in a request's URL.
    var origin: String {
        switch self {
        case .tcp, .tls: description
        case .unix: "http://localhost"
        }
    }

    var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(.address(let address), _), .tls(.address(let address), _): address.isLoopback
        case .tcp(.name(let name), _), .tls(.name(let name), _): name == "localhost"
        }
    }
}

extension HostName {
    /// With the brackets that IPv6 needs (RFC 3986 §3.2.2).
    var inURL: String {
        if case .address(let address) = self, !address.isIPv4 { return "[\(address)]" }
        return description
    }
}

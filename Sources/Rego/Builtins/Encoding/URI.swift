/// A URI cut into its parts as Go's `url.Parse` cuts it (RFC 3986, with what browsers and people write).
struct URI {
    private(set) var scheme: [UInt8] = []
    private(set) var hostname: [UInt8] = []
    private(set) var port: [UInt8] = []
    private(set) var path: [UInt8] = []
    /// The path as written where it differs from the usual coding of `path`, else `path`.
    private(set) var rawPath: [UInt8] = []
    private(set) var rawQuery: [UInt8] = []
    private(set) var fragment: [UInt8] = []

    /// - Throws: with Go's text, `parse "…": why`.
    init(_ text: [UInt8]) throws(BuiltinFailure) {
        let hash = text.firstIndex(of: UInt8(ascii: "#"))
        let beforeHash = Array(text[..<(hash ?? text.count)])
        do throws(BuiltinFailure) {
            try read(beforeHash)
        } catch {
            throw Self.failure(beforeHash, error)
        }
        guard let hash else { return }
        do throws(BuiltinFailure) {
            fragment = try URLCoding.unescape(Array(text[(hash + 1)...]), in: .fragment)
        } catch {
            throw Self.failure(text, error)
        }
    }

    private static func failure(_ text: [UInt8], _ reason: BuiltinFailure) -> BuiltinFailure {
        BuiltinFailure("parse \(String(decoding: GoQuote.quoted(text), as: UTF8.self)): \(reason.message)")
    }

    private mutating func read(_ text: [UInt8]) throws(BuiltinFailure) {
        if text.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw BuiltinFailure("net/url: invalid control character in URL")
        }
        if text == [UInt8(ascii: "*")] {
            path = text
            rawPath = text
            return
        }
        var rest = try readScheme(text)
        if let question = rest.firstIndex(of: UInt8(ascii: "?")) {
            rawQuery = Array(rest[(question + 1)...])
            rest = Array(rest[..<question])
        }
        if rest.first != UInt8(ascii: "/") {
            // "mailto:user@example.com" is opaque: there is nothing to cut.
            if !scheme.isEmpty { return }
            if rest.prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: ":")) {
                throw BuiltinFailure("first path segment in URL cannot contain colon")
            }
        }
        if !scheme.isEmpty || !rest.starts(with: Array("///".utf8)), rest.starts(with: Array("//".utf8)) {
            let authority = rest[2...].prefix { $0 != UInt8(ascii: "/") }
            rest = Array(rest[authority.endIndex...])
            try readAuthority(Array(authority))
        }
        path = try URLCoding.unescape(rest, in: .path)
        rawPath = URLCoding.escape(path, in: .path) == rest ? path : rest
    }

    private mutating func readScheme(_ text: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        for (index, byte) in text.enumerated() {
            if ASCII.isLetter(byte) { continue }
            if ASCII.isDigit(byte) || "+-.".utf8.contains(byte) {
                if index == 0 { return text }
                continue
            }
            if byte == UInt8(ascii: ":") {
                if index == 0 { throw BuiltinFailure("missing protocol scheme") }
                scheme = text[..<index].map { byte in byte >= 0x41 && byte <= 0x5A ? byte + 32 : byte }
                return Array(text[(index + 1)...])
            }
            return text
        }
        return text
    }

    private mutating func readAuthority(_ authority: [UInt8]) throws(BuiltinFailure) {
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let host = try Self.readHost(Array(authority[(at.map { $0 + 1 } ?? 0)...]))
        if let at {
            let user = Array(authority[..<at])
            guard user.allSatisfy({ ASCII.isAlphanumeric($0) || "-._:~!$&'()*+,;=%@".utf8.contains($0) }) else {
                throw BuiltinFailure("net/url: invalid userinfo")
            }
            _ = try URLCoding.unescape(user, in: .userPassword)
        }
        hostname = host
        if let colon = host.lastIndex(of: UInt8(ascii: ":")), Self.isOptionalPort(host[colon...]) {
            port = Array(host[(colon + 1)...])
            hostname = Array(host[..<colon])
        }
        if hostname.first == UInt8(ascii: "["), hostname.last == UInt8(ascii: "]") {
            hostname = Array(hostname.dropFirst().dropLast())
        }
    }

    private static func isOptionalPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first else { return true }
        return first == UInt8(ascii: ":") && text.dropFirst().allSatisfy(ASCII.isDigit)
    }

    private static func readHost(_ host: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        func badPort(_ text: ArraySlice<UInt8>) -> BuiltinFailure {
            BuiltinFailure("invalid port \(String(decoding: GoQuote.quoted(Array(text)), as: UTF8.self)) after host")
        }
        if host.first == UInt8(ascii: "[") {
            guard let end = host.lastIndex(of: UInt8(ascii: "]")) else { throw BuiltinFailure("missing ']' in host") }
            guard isOptionalPort(host[(end + 1)...]) else { throw badPort(host[(end + 1)...]) }
            if let zone = ByteText.find(Array("%25".utf8), in: Array(host[..<end])) {
                return try URLCoding.unescape(Array(host[..<zone]), in: .host)
                    + URLCoding.unescape(Array(host[zone..<end]), in: .zone) + URLCoding.unescape(Array(host[end...]), in: .host)
            }
        } else if let colon = host.lastIndex(of: UInt8(ascii: ":")), !isOptionalPort(host[colon...]) {
            throw badPort(host[colon...])
        }
        return try URLCoding.unescape(host, in: .host)
    }
}

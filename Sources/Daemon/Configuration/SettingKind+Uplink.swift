import Domain

extension SettingKind<String> {
    /// The receiver's address: https, or http to this host itself.
    static let uplinkURL = quoted(
        "an address such as \"https://central.example/uplink\", or \"\" for none",
        parse: { (text) throws(SettingFault) -> String in
            guard !text.isEmpty else { return text }
            let isSecure = text.hasPrefix("https://")
            guard isSecure || text.hasPrefix("http://") else {
                throw SettingFault(message: "\"\(text)\" begins with neither https:// nor http://", hint: "write https://host")
            }
            let rest = text.dropFirst(isSecure ? 8 : 7)
            let authority = rest.prefix { $0 != "/" }
            guard !authority.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.contains("@"), !text.contains("?"),
                !text.contains("#")
            else {
                throw SettingFault(
                    message: "\"\(text)\" is not the address of a receiver",
                    hint: "write a host, a port if need be, and a path; a token belongs into token_file")
            }
            guard isSecure || isLoopback(authority) else {
                throw SettingFault(
                    message: "\"\(text)\" would send over the network without TLS", hint: "use https://; http:// is for this host itself")
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }, write: { $0 })

    private static func isLoopback(_ authority: Substring) -> Bool {
        if authority == "localhost" || authority.hasPrefix("localhost:") { return true }
        let text = String(authority)
        return SocketAddress(text)?.address.isLoopback ?? SocketAddress(text + ":80")?.address.isLoopback ?? false
    }
}

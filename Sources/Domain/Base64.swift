/// Base 64 with padding (RFC 4648 §4), as the byte sequences of HTTP's structured fields are written (RFC 8941 §3.3.5).
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return String(decoding: text + [UInt8](repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4), as: UTF8.self)
    }
}

/// `Content-Digest` with SHA-256 (RFC 9530 §2).
package enum ContentDigest {
    package static func header(sha256 digest: [UInt8]) -> String { "sha-256=:\(Base64.encode(digest)):" }

    /// The member `sha-256` of a header that may hold others; nil if there is none.
    package static func sha256(in header: String) -> String? {
        for member in header.split(separator: ",") {
            let text = member.drop { $0 == " " }
            if text.hasPrefix("sha-256=:"), let end = text.dropFirst(9).firstIndex(of: ":") { return String(text[...end]) }
        }
        return nil
    }
}

import Crypto

/// The tokens that a receiver knows, as digests. Without any it asks for none.
package struct ReceiverTokens: Sendable {
    private let digests: [[UInt8]]

    /// - Parameter text: of the token file: one token a line; empty lines and lines that begin with `#` are passed over.
    package init(text: String?) {
        let lines = (text ?? "").split(separator: "\n").map { $0.filter { $0 != "\r" && $0 != " " && $0 != "\t" } }
        digests = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map { SHA256.digest(Array($0.utf8)) }
    }

    package var isEmpty: Bool { digests.isEmpty }

    /// Digests are compared, all of them and whole: the time tells nothing about a token.
    func accept(_ authorization: String?) -> Bool {
        guard !digests.isEmpty else { return true }
        guard let authorization, authorization.lowercased().hasPrefix("bearer ") else { return false }
        let given = SHA256.digest(Array(authorization.dropFirst(7).utf8))
        var isKnown = false
        for digest in digests {
            let difference = zip(digest, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            if difference == 0 { isKnown = true }
        }
        return isKnown
    }
}

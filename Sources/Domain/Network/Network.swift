/// A range of addresses that share their first bits: `10.0.0.0/8`, `::1/128` (RFC 4632, RFC 4291 §2.3). A single address is a range of one.
package struct Network: Hashable, Sendable, CustomStringConvertible {
    /// The first address.
    package let address: IPAddress
    package let prefixLength: Int

    /// nil if it is no range, or if bits after the prefix are set: then one of the two was not meant.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var prefixLength = width
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ $0 &- 48 < 10 }), let number = Int(parts[1]),
                number <= width, String(number) == parts[1]
            else { return nil }
            prefixLength = number
        }
        guard address.bits & Self.hostMask(width: width, prefixLength: prefixLength) == 0 else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    package func contains(_ candidate: IPAddress) -> Bool {
        guard candidate.isIPv4 == address.isIPv4 else { return false }
        let mask = Self.hostMask(width: address.isIPv4 ? 32 : 128, prefixLength: prefixLength)
        return candidate.bits & ~mask == address.bits
    }

    package var description: String { "\(address)/\(prefixLength)" }

    private static func hostMask(width: Int, prefixLength: Int) -> UInt128 {
        // A shift by 128 gives 0 in Swift, so that `/0` needs no case of its own.
        ((1 as UInt128) << (width - prefixLength)) &- 1
    }
}

/// A network: an address and how many of its leading bits count.
struct CIDR: Equatable {
    let address: IPAddress
    let prefix: Int

    /// The address is masked: "192.168.1.1/24" is the network 192.168.1.0/24.
    init(address: IPAddress, prefix: Int) {
        self.prefix = prefix
        self.address = IPAddress(isIPv4: address.isIPv4, value: address.value & Self.mask(bits: address.bits, prefix: prefix))
    }

    /// - Throws: with Go's text, `invalid CIDR address: …`.
    init(_ text: String) throws(BuiltinFailure) {
        let failure = BuiltinFailure("invalid CIDR address: \(text)")
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { throw failure }
        let length = text.utf8[text.utf8.index(after: slash)...]
        guard let address = IPAddress(text[..<slash]), !length.isEmpty, length.count < 6, length.allSatisfy(ASCII.isDigit),
            let prefix = Int(Substring(length)), prefix <= (text[..<slash].utf8.contains(UInt8(ascii: ":")) ? 128 : 32)
        else { throw failure }
        // An IPv4 address written in IPv6 counts its prefix from there.
        let written = text[..<slash].utf8.contains(UInt8(ascii: ":")) && address.isIPv4 ? prefix - 96 : prefix
        guard written >= 0 else { throw failure }
        self.init(address: address, prefix: written)
    }

    private static func mask(bits: Int, prefix: Int) -> UInt128 {
        prefix == 0 ? 0 : (UInt128.max << UInt128(128 - prefix)) >> UInt128(128 - bits)
    }

    var first: UInt128 { address.value }
    var last: UInt128 {
        let hostBits = address.bits - prefix
        return hostBits == 128 ? .max : address.value | ((1 << UInt128(hostBits)) - 1)
    }

    func contains(_ other: IPAddress) -> Bool {
        other.isIPv4 == address.isIPv4 && other.value >= first && other.value <= last
    }

    func contains(_ other: CIDR) -> Bool {
        other.address.isIPv4 == address.isIPv4 && other.first >= first && other.last <= last
    }

    func intersects(_ other: CIDR) -> Bool {
        other.address.isIPv4 == address.isIPv4 && other.first <= last && other.last >= first
    }

    var text: String { "\(address.text)/\(prefix)" }

    /// All addresses, in order.
    func expanded() throws(BuiltinFailure) -> [String] {
        guard last - first < UInt128(BuiltinLimits.elementsMax) else {
            throw .tooLarge("addresses of \(text)", BuiltinLimits.elementsMax)
        }
        return (first...last).map { IPAddress(isIPv4: address.isIPv4, value: $0).text }
    }

    /// The element of `net.cidr_merge`: a network, or an IPv4 address that stands for its class' network (RFC 791), as in Go.
    static func mergeable(_ text: String) throws(BuiltinFailure) -> CIDR {
        guard let address = IPAddress(text) else { return try CIDR(text) }
        guard address.isIPv4 else { throw BuiltinFailure("IPv6 invalid: needs prefix length") }
        let prefix = address.value >> 24 < 128 ? 8 : address.value >> 24 < 192 ? 16 : 24
        return CIDR(address: address, prefix: prefix)
    }

    /// The fewest networks that hold exactly the addresses of all, IPv4 before IPv6.
    static func merged(_ networks: [CIDR]) -> [CIDR] {
        var result: [CIDR] = []
        for isIPv4 in [true, false] {
            var ranges: [(first: UInt128, last: UInt128)] = []
            let top: UInt128 = isIPv4 ? 0xFFFF_FFFF : .max
            for network in networks.filter({ $0.address.isIPv4 == isIPv4 }).sorted(by: { ($0.first, $0.last) < ($1.first, $1.last) }) {
                if let previous = ranges.last, previous.last == top || network.first <= previous.last + 1 {
                    ranges[ranges.count - 1].last = max(previous.last, network.last)
                } else {
                    ranges.append((network.first, network.last))
                }
            }
            for range in ranges { append(range.first, range.last, isIPv4: isIPv4, to: &result) }
        }
        return result
    }

    private static func append(_ first: UInt128, _ last: UInt128, isIPv4: Bool, to result: inout [CIDR]) {
        let bits = isIPv4 ? 32 : 128
        var first = first
        while true {
            // The largest network that begins here and does not pass the end.
            var hostBits = min(first.trailingZeroBitCount, bits)
            while hostBits > 0, hostBits == 128 ? last != .max : (first | ((1 << UInt128(hostBits)) - 1)) > last { hostBits -= 1 }
            let network = CIDR(address: IPAddress(isIPv4: isIPv4, value: first), prefix: bits - hostBits)
            result.append(network)
            if network.last >= last { return }
            first = network.last + 1
        }
    }
}

/// An IP address as Go's `net` reads and writes it; an IPv4 address in IPv6 form counts as IPv4.
struct IPAddress: Equatable {
    let isIPv4: Bool
    /// The address as a number; for IPv4 the low 32 bits.
    let value: UInt128

    var bits: Int { isIPv4 ? 32 : 128 }

    init(isIPv4: Bool, value: UInt128) {
        self.isIPv4 = isIPv4
        self.value = value
    }

    /// Reads "192.0.2.1" or "2001:db8::1" (no zone); nil for anything else. IPv4 parts have no leading zeros.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if let four = Self.readIPv4(bytes[...]) {
            self.init(isIPv4: true, value: UInt128(four))
        } else if let six = Self.readIPv6(bytes) {
            if six >> 32 == 0xFFFF {
                self.init(isIPv4: true, value: six & 0xFFFF_FFFF)
            } else {
                self.init(isIPv4: false, value: six)
            }
        } else {
            return nil
        }
    }

    private static func readIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(ASCII.isDigit), part.count == 1 || part.first != 0x30 else { return nil }
            let number = part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) }
            guard number < 256 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func readIPv6(_ bytes: [UInt8]) -> UInt128? {
        var groups: [UInt16] = []
        var gap: Int?
        var index = 0
        if bytes.starts(with: Array("::".utf8)) {
            gap = 0
            index = 2
        }
        while index < bytes.count {
            guard groups.count < 8 else { return nil }
            let start = index
            var group: UInt32 = 0
            while index < bytes.count, index - start < 5, let digit = ASCII.hexValue(bytes[index]) {
                group = group << 4 | UInt32(digit)
                index += 1
            }
            if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
                guard groups.count <= 6, gap != nil || groups.count == 6, let four = readIPv4(bytes[start...]) else { return nil }
                groups += [UInt16(four >> 16), UInt16(truncatingIfNeeded: four)]
                index = bytes.count
                break
            }
            guard (1...4).contains(index - start) else { return nil }
            groups.append(UInt16(group))
            if index == bytes.count { break }
            guard bytes[index] == UInt8(ascii: ":"), index + 1 < bytes.count else { return nil }
            index += 1
            if bytes[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    var text: String {
        if isIPv4 { return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: value >> $0)) }.joined(separator: ".") }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
        // The longest run of two or more zero groups, the first of equals, becomes "::" (RFC 5952).
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index >= 2, end - index > best.count { best = index..<end }
            index = max(end, index + 1)
        }
        func joined(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }
}

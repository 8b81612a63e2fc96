/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`) is the IPv4 address: the kernel connects to the same place.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address, most significant bit first; an IPv4 address lies in the low 32 bits.
    package let bits: UInt128
    package let isIPv4: Bool

    package init(ipv4: UInt32) {
        bits = UInt128(ipv4)
        isIPv4 = true
    }

    package init(ipv6: UInt128) {
        let isMapped = ipv6 >> 32 == 0xffff
        bits = isMapped ? ipv6 & 0xffff_ffff : ipv6
        isIPv4 = isMapped
    }

    /// Reads four decimal numbers without leading zeros (some readers take those for octal), or RFC 4291 §2.2 without a zone.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if let value = Self.ipv4(bytes[...]) {
            self.init(ipv4: value)
        } else if let value = Self.ipv6(bytes) {
            self.init(ipv6: value)
        } else {
            return nil
        }
    }

    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool { isIPv4 ? bits >> 24 == 127 : bits == 1 }

    /// 0.0.0.0 or ::, which listen on every address.
    package var isUnspecified: Bool { bits == 0 }

    /// IPv6 as RFC 5952 wants it: lower case, the first longest run of at least two zero groups shortened.
    package var description: String {
        if isIPv4 { return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
        var run = 0..<0
        var start = 0
        for i in 0...8 where i == 8 || groups[i] != 0 {
            if i - start > max(run.count, 1) { run = start..<i }
            start = i + 1
        }
        let words = groups.map { String($0, radix: 16) }
        if run.isEmpty { return words.joined(separator: ":") }
        return words[..<run.lowerBound].joined(separator: ":") + "::" + words[run.upperBound...].joined(separator: ":")
    }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var number: UInt32 = 0
            for digit in part {
                guard digit &- 48 < 10 else { return nil }
                number = number * 10 + UInt32(digit - 48)
            }
            guard number < 256 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func ipv6(_ bytes: [UInt8]) -> UInt128? {
        let colon = UInt8(ascii: ":")
        guard (2...45).contains(bytes.count) else { return nil }
        // The `::` splits the text in two; without it there is only a left half, which then must be whole.
        var gap: Int?
        for i in 0..<bytes.count - 1 where bytes[i] == colon && bytes[i + 1] == colon {
            guard gap == nil else { return nil }
            gap = i
        }
        guard let left = groups(bytes[..<(gap ?? bytes.count)], mayEndInIPv4: gap == nil) else { return nil }
        guard let gap else {
            return left.count == 8 ? join(left) : nil
        }
        guard let right = groups(bytes[(gap + 2)...], mayEndInIPv4: true), left.count + right.count <= 7 else { return nil }
        return join(left + [UInt16](repeating: 0, count: 8 - left.count - right.count) + right)
    }

    private static func join(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    private static func groups(_ bytes: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var result: [UInt16] = []
        for (i, part) in parts.enumerated() {
            if mayEndInIPv4, i == parts.count - 1, let tail = ipv4(part) {
                result += [UInt16(tail >> 16), UInt16(truncatingIfNeeded: tail)]
                continue
            }
            guard (1...4).contains(part.count), part.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
                let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            result.append(value)
        }
        return result
    }
}

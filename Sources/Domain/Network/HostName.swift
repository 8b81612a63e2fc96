/// Where an instance is reached: an address, or a name as RFC 1123 §2.1 has it.
package enum HostName: Hashable, Sendable, CustomStringConvertible {
    case address(IPAddress)
    /// As it was written; compare it without regard to case.
    case name(String)

    /// IPv6 is taken without brackets. What looks like a wrong IPv4 address (its last label is a number) is not a name (RFC 1123 §2.1).
    package init?(_ text: String) {
        if let address = IPAddress(text) {
            self = .address(address)
            return
        }
        guard Self.isValid(text) else { return nil }
        self = .name(text)
    }

    /// Whether `text` is a name by RFC 1123; an address is none.
    package static func isValid(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count), label.first!.isASCIILetterOrDigit, label.last!.isASCIILetterOrDigit,
                label.allSatisfy({ $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") })
            else { return false }
        }
        return !labels.last!.allSatisfy { $0 &- 48 < 10 }
    }

    package var description: String {
        switch self {
        case .address(let address): address.description
        case .name(let name): name
        }
    }
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool { self &- 48 < 10 || (self | 0x20) &- 97 < 26 }
}

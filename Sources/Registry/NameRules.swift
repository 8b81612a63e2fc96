import Domain

/// A rule for a piece of text: what it is called, who passes, and what to tell who does not.
package struct NameRule: Sendable {
    package let title: String
    package let message: String
    package let expected: String
    package let accepts: @Sendable (String) -> Bool
    /// A value that passes, near to what was given where that can be guessed.
    package let example: @Sendable (String) -> String

    fileprivate init(
        _ title: String, _ message: String, expected: String, example: @escaping @Sendable (String) -> String,
        accepts: @escaping @Sendable (String) -> Bool
    ) {
        self.title = title
        self.message = message
        self.expected = expected
        self.accepts = accepts
        self.example = example
    }
}

/// The rules for every name that a caller chooses (REGISTRY.md's fields).
package enum NameRules {
    package static let serviceName = NameRule(
        "Service name", "Service name must match ^[a-z0-9][a-z0-9_-]{2,63}$", expected: "^[a-z0-9][a-z0-9_-]{2,63}$",
        example: suggestedServiceName
    ) { text in
        (3...64).contains(text.utf8.count) && text.utf8.first!.isLowercaseOrDigit
            && text.utf8.allSatisfy { $0.isLowercaseOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    package static let tenant = NameRule(
        "Tenant", "Tenant must match ^[a-z0-9][a-z0-9_-]{0,63}$", expected: "^[a-z0-9][a-z0-9_-]{0,63}$", example: { _ in "default" }
    ) { text in
        (1...Limits.tenantBytesMax).contains(text.utf8.count) && text.utf8.first!.isLowercaseOrDigit
            && text.utf8.allSatisfy { $0.isLowercaseOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    /// What can stand in a path without escapes, and begins so that it is no relative path.
    package static let instanceID = NameRule(
        "Instance id", "Instance id must match ^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$", expected: "^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$",
        example: { _ in "teller-1" }
    ) { text in
        (1...Limits.instanceIDBytesMax).contains(text.utf8.count) && text.utf8.first!.isAlphanumeric
            && text.utf8.allSatisfy { $0.isAlphanumeric || "._:@~-".utf8.contains($0) }
    }

    package static let host = NameRule(
        "Host", "Host must be an IPv4 or IPv6 address or an RFC 1123 host name",
        expected: "an IPv4 or IPv6 address or an RFC 1123 host name",
        example: { _ in "10.20.0.10" }
    ) { text in IPAddress(text) != nil || HostName.isValid(text) }

    package static let healthEndpoint = NameRule(
        "Health endpoint", "Health endpoint must start with / and hold only characters of a URL's path and query",
        expected: "a path that starts with /, at most \(Limits.healthEndpointBytesMax) bytes",
        example: { text in suggestedPath(text) }
    ) { text in isPath(text) }

    package static let version = NameRule(
        "Version", "Version must be SemVer 2.0", expected: "MAJOR.MINOR.PATCH, SemVer 2.0", example: { _ in "1.2.3" }
    ) { text in text.utf8.count <= Limits.versionBytesMax && SemanticVersion(text) != nil }

    package static let transport = NameRule(
        "Protocol", "Protocol must be http, https, grpc or tcp", expected: "http, https, grpc or tcp", example: { _ in "http" }
    ) { text in ServiceProtocol(rawValue: text) != nil }

    package static let tag = NameRule(
        "Tag", "A tag is a string of 1 to \(Limits.tagBytesMax) bytes", expected: "1 to \(Limits.tagBytesMax) bytes",
        example: { _ in "prod" }
    ) { text in (1...Limits.tagBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }

    package static let capability = NameRule(
        "Capability", "A capability is a string of 1 to \(Limits.capabilityBytesMax) bytes",
        expected: "1 to \(Limits.capabilityBytesMax) bytes",
        example: { _ in "payments.read" }
    ) { text in (1...Limits.capabilityBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }

    private static func isPath(_ text: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= Limits.healthEndpointBytesMax else { return false }
        return text.utf8.allSatisfy { $0.isAlphanumeric || "/-._~!$&'()*+,;=:@%?".utf8.contains($0) }
    }

    private static func suggestedPath(_ text: String) -> String {
        let rooted = "/" + text
        return !text.isEmpty && isPath(rooted) ? rooted : "/health"
    }

    /// `MyService-123!` → `my-service-123`.
    private static func suggestedServiceName(_ given: String) -> String {
        var name: [UInt8] = []
        var previous: UInt8 = 0
        for byte in given.utf8.prefix(80) {
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
                if previous.isLowercaseOrDigit { name.append(UInt8(ascii: "-")) }
                name.append(byte | 0x20)
            } else if byte.isLowercaseOrDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") {
                name.append(byte)
            } else if name.last != UInt8(ascii: "-") {
                name.append(UInt8(ascii: "-"))
            }
            previous = byte
        }
        while let first = name.first, !first.isLowercaseOrDigit { name.removeFirst() }
        name = Array(name.prefix(64))
        while let last = name.last, !last.isLowercaseOrDigit { name.removeLast() }
        return name.count >= 3 ? String(decoding: name, as: UTF8.self) : "my-service"
    }
}

extension UInt8 {
    fileprivate var isLowercaseOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
    fileprivate var isAlphanumeric: Bool { isLowercaseOrDigit || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
}

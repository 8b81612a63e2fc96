/// The values of `format`; an unknown one accepts everything.
enum SchemaFormat {
    static func accepts(_ text: [UInt8], as format: String, _ context: BuiltinContext) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        switch format {
        case "date": return time(text, "2006-01-02")
        case "time":
            return ["15:04:05", "15:04:05Z07:00"].contains { time(text, $0) }
        case "date-time":
            return ["15:04:05", "15:04:05Z07:00", "2006-01-02", TimeLayout.rfc3339, TimeLayout.rfc3339Nano].contains { time(text, $0) }
        case "ipv4": return IPAddress(string)?.isIPv4 ?? false && text.contains(UInt8(ascii: "."))
        case "ipv6": return IPAddress(string) != nil && text.contains(UInt8(ascii: ":"))
        case "hostname": return isHostname(text)
        case "email", "idn-email": return isEmail(text)
        case "uuid": return isUUID(text)
        case "regex": return text.isEmpty || (try? Pattern.compile(text, context)) != nil
        case "uri", "iri":
            return (try? URI(text)).map { !$0.scheme.isEmpty } ?? false && !text.contains(UInt8(ascii: "\\"))
        case "uri-reference", "iri-reference": return (try? URI(text)) != nil && !text.contains(UInt8(ascii: "\\"))
        case "uri-template": return isTemplate(text)
        case "json-pointer": return isPointer(text[...])
        case "relative-json-pointer":
            let digits = text.prefix(while: ASCII.isDigit)
            guard !digits.isEmpty, digits.count == 1 || digits.first != 0x30 else { return false }
            let rest = text[digits.endIndex...]
            return rest.elementsEqual("#".utf8) || isPointer(rest)
        default: return true
        }
    }

    private static func time(_ text: [UInt8], _ layout: String) -> Bool { (try? TimeLayout(layout).parse(text)) != nil }

    private static func isHostname(_ text: [UInt8]) -> Bool {
        let labels = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return text.count < 256
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    /// Something before an "@" and something behind it, without blanks.
    private static func isEmail(_ text: [UInt8]) -> Bool {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")), at > 0, at + 1 < text.count else { return false }
        return !text.contains { $0 <= 0x20 || $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: ",") }
            && !text[..<at].contains(UInt8(ascii: "@"))
    }

    private static func isUUID(_ text: [UInt8]) -> Bool {
        text.count == 36
            && text.enumerated().allSatisfy { index, byte in
                [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : ASCII.hexValue(byte) != nil
            }
    }

    /// Braces in pairs, which do not nest.
    private static func isTemplate(_ text: [UInt8]) -> Bool {
        var isOpen = false
        for byte in text where byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") {
            if isOpen == (byte == UInt8(ascii: "{")) { return false }
            isOpen.toggle()
        }
        return !isOpen
    }

    private static func isPointer(_ text: ArraySlice<UInt8>) -> Bool {
        if text.isEmpty { return true }
        guard text.first == UInt8(ascii: "/") else { return false }
        for (index, byte) in zip(text.indices, text) where byte == UInt8(ascii: "~") {
            guard index + 1 < text.endIndex, text[index + 1] == 0x30 || text[index + 1] == 0x31 else { return false }
        }
        return true
    }
}

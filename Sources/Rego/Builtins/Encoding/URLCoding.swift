/// Percent coding by the rules of Go's `net/url`, which differ by the part of the URL.
enum URLCoding {
    enum Part { case path, userPassword, host, zone, queryComponent, fragment }

    static func shouldEscape(_ byte: UInt8, in part: Part) -> Bool {
        if ASCII.isAlphanumeric(byte) { return false }
        if part == .host || part == .zone {
            if #"!$&'()*+,;=:[]<>""#.utf8.contains(byte) { return false }
        }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
            return false
        case UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "@"):
            switch part {
            case .path: return byte == UInt8(ascii: "?")
            case .userPassword: return "@/?:".utf8.contains(byte)
            case .queryComponent: return true
            case .fragment: return false
            case .host, .zone: return true
            }
        default:
            return !(part == .fragment && "!()*".utf8.contains(byte))
        }
    }

    static func escape(_ bytes: [UInt8], in part: Part) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte == 0x20 && part == .queryComponent {
                result.append(UInt8(ascii: "+"))
            } else if shouldEscape(byte, in: part) {
                result += [UInt8(ascii: "%"), ASCII.upperHex[Int(byte >> 4)], ASCII.upperHex[Int(byte & 15)]]
            } else {
                result.append(byte)
            }
        }
        return result
    }

    static func unescape(_ bytes: [UInt8], in part: Part) throws(BuiltinFailure) -> [UInt8] {
        func badEscape(_ index: Int) -> BuiltinFailure {
            let shown = Array(bytes[index..<min(index + 3, bytes.count)])
            return BuiltinFailure("invalid URL escape \(String(decoding: GoQuote.quoted(shown), as: UTF8.self))")
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, let high = ASCII.hexValue(bytes[index + 1]), let low = ASCII.hexValue(bytes[index + 2])
                else {
                    throw badEscape(index)
                }
                let value = high << 4 | low
                let isPercent = value == UInt8(ascii: "%")
                // RFC 6874 allows "%25" for a zone in a host, and Go any byte that is no ASCII; in a zone, also a space.
                if part == .host && high < 8 && !isPercent { throw badEscape(index) }
                if part == .zone && !isPercent && value != 0x20 && shouldEscape(value, in: .host) { throw badEscape(index) }
                result.append(value)
                index += 3
                continue
            }
            if byte == UInt8(ascii: "+") && part == .queryComponent {
                result.append(0x20)
            } else {
                if (part == .host || part == .zone) && byte < 0x80 && shouldEscape(byte, in: part) {
                    let shown = String(decoding: GoQuote.quoted([byte]), as: UTF8.self)
                    throw BuiltinFailure("invalid character \(shown) in host name")
                }
                result.append(byte)
            }
            index += 1
        }
        return result
    }

    /// The pairs of a query in order, as Go's `url.ParseQuery`; a pair that cannot be read fails the whole.
    static func parseQuery(_ text: [UInt8]) throws(BuiltinFailure) -> [(key: [UInt8], value: [UInt8])] {
        var pairs: [(key: [UInt8], value: [UInt8])] = []
        for piece in text.split(separator: UInt8(ascii: "&")) {
            if piece.contains(UInt8(ascii: ";")) { throw BuiltinFailure("invalid semicolon separator in query") }
            let equals = piece.firstIndex(of: UInt8(ascii: "="))
            let key = try unescape(Array(piece[..<(equals ?? piece.endIndex)]), in: .queryComponent)
            let value = try unescape(equals.map { Array(piece[($0 + 1)...]) } ?? [], in: .queryComponent)
            pairs.append((key, value))
        }
        return pairs
    }
}

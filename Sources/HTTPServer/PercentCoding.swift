/// Percent-encoding (RFC 3986 §2.1) on raw bytes.
enum PercentCoding {
    /// Decodes into `output`, which has room for `bytes.count`.
    ///
    /// - Returns: the number of bytes, or nil if an escape is malformed.
    static func decode(_ bytes: Bytes, plusIsSpace: Bool, into output: UnsafeMutablePointer<UInt8>) -> Int? {
        var count = 0
        var i = 0
        while i < bytes.count {
            var byte = bytes[i]
            if byte == 0x25 {
                guard i + 2 < bytes.count else { return nil }
                let high = ASCII.hexValue(bytes[i + 1])
                let low = ASCII.hexValue(bytes[i + 2])
                guard high < 16, low < 16 else { return nil }
                byte = high &<< 4 | low
                i += 2
            } else if plusIsSpace, byte == 0x2b {
                byte = 0x20
            }
            output[count] = byte
            count += 1
            i += 1
        }
        return count
    }

    static func string(_ bytes: Bytes) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(1, bytes.count)) { buffer in
            let count = decode(bytes, plusIsSpace: true, into: buffer.baseAddress!) ?? 0
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// Whether `bytes` are UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF.
    static func isUTF8(_ bytes: Bytes) -> Bool {
        var i = 0
        let count = bytes.count
        while i < count {
            let lead = bytes[i]
            if lead < 0x80 {
                i += 1
                continue
            }
            let length: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xbf
            switch lead {
            case 0xc2...0xdf: length = 1
            case 0xe0: (length, low) = (2, 0xa0)
            case 0xed: (length, high) = (2, 0x9f)
            case 0xe1...0xef: length = 2
            case 0xf0: (length, low) = (3, 0x90)
            case 0xf1...0xf3: length = 3
            case 0xf4: (length, high) = (3, 0x8f)
            default: return false
            }
            guard i + length < count, bytes[i + 1] >= low, bytes[i + 1] <= high else { return false }
            for k in 1..<length where bytes[i + 1 + k] & 0xc0 != 0x80 { return false }
            i += length + 1
        }
        return true
    }
}

/// `name=value&…` of a target whose escapes were checked.
struct QueryString {
    let bytes: Bytes

    func first(_ name: StaticString) -> String? {
        var found: String?
        forEach { key, value in
            guard found == nil, matches(key, name) else { return }
            found = PercentCoding.string(value)
        }
        return found
    }

    func items() -> [(name: String, value: String)] {
        var items: [(name: String, value: String)] = []
        forEach { items.append((PercentCoding.string($0), PercentCoding.string($1))) }
        return items
    }

    private func matches(_ key: Bytes, _ name: StaticString) -> Bool {
        if key.equals(name) { return true }
        guard key.contains(0x25) || key.contains(0x2b) else { return false }
        return PercentCoding.string(key) == "\(name)"
    }

    private func forEach(_ body: (Bytes, Bytes) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x26) ?? bytes.count
            if end > start {
                let equals = bytes[start..<end].firstIndex(of: 0x3d) ?? end
                body(Bytes(rebasing: bytes[start..<equals]), Bytes(rebasing: bytes[min(equals + 1, end)..<end]))
            }
            start = end + 1
        }
    }
}

/// UTF-8 read as Go reads it: a byte that begins no valid sequence is one U+FFFD of width 1.
///
/// Rego strings hold bytes (base64.decode may yield any), so the built-ins count and cut runes by these rules and never by `Character`.
enum Runes {
    /// What Go calls `utf8.RuneError`.
    static let replacement: UInt32 = 0xFFFD

    /// The rune that begins at `index`, and how many bytes it takes. `index` is within the bytes.
    static func decode(_ bytes: [UInt8], at index: Int) -> (rune: UInt32, width: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        let left = bytes.count - index
        func continuation(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> UInt32? {
            guard offset < left else { return nil }
            let byte = bytes[index + offset]
            return byte >= low && byte <= high ? UInt32(byte & 0x3F) : nil
        }
        switch first {
        case 0xC2...0xDF:
            if let second = continuation(1) { return (UInt32(first & 0x1F) << 6 | second, 2) }
        case 0xE0...0xEF:
            let low: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = first == 0xED ? 0x9F : 0xBF
            if let second = continuation(1, low, high), let third = continuation(2) {
                return (UInt32(first & 0x0F) << 12 | second << 6 | third, 3)
            }
        case 0xF0...0xF4:
            let low: UInt8 = first == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = first == 0xF4 ? 0x8F : 0xBF
            if let second = continuation(1, low, high), let third = continuation(2), let fourth = continuation(3) {
                return (UInt32(first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
            }
        default:
            break
        }
        return (replacement, 1)
    }

    /// Appends `rune`; what is no Unicode scalar becomes U+FFFD.
    static func append(_ rune: UInt32, to bytes: inout [UInt8]) {
        switch rune {
        case 0..<0x80:
            bytes.append(UInt8(rune))
        case 0x80..<0x800:
            bytes.append(0xC0 | UInt8(rune >> 6))
            bytes.append(0x80 | UInt8(rune & 0x3F))
        case 0x800..<0xD800, 0xE000..<0x10000:
            bytes.append(0xE0 | UInt8(rune >> 12))
            bytes.append(0x80 | UInt8(rune >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(rune & 0x3F))
        case 0x10000...0x10FFFF:
            bytes.append(0xF0 | UInt8(rune >> 18))
            bytes.append(0x80 | UInt8(rune >> 12 & 0x3F))
            bytes.append(0x80 | UInt8(rune >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(rune & 0x3F))
        default:
            append(replacement, to: &bytes)
        }
    }

    /// All runes, in order.
    static func all(_ bytes: [UInt8]) -> [UInt32] {
        var runes: [UInt32] = []
        runes.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let (rune, width) = decode(bytes, at: index)
            runes.append(rune)
            index += width
        }
        return runes
    }

    static func count(_ bytes: [UInt8]) -> Int {
        var index = 0
        var count = 0
        while index < bytes.count {
            index += bytes[index] < 0x80 ? 1 : decode(bytes, at: index).width
            count += 1
        }
        return count
    }

    /// The width of the rune that ends just before `end` (which is above zero), as Go's `DecodeLastRune` finds it.
    static func lastRune(_ bytes: [UInt8], before end: Int) -> (rune: UInt32, width: Int) {
        if bytes[end - 1] < 0x80 { return (UInt32(bytes[end - 1]), 1) }
        var start = end - 1
        let limit = max(0, end - 4)
        while start >= limit {
            if bytes[start] & 0xC0 != 0x80 {
                let (rune, width) = decode(bytes, at: start)
                return start + width == end ? (rune, width) : (replacement, 1)
            }
            start -= 1
        }
        return (replacement, 1)
    }

    /// Whether the bytes are UTF-8 without any error.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            let (rune, width) = decode(bytes, at: index)
            if rune == replacement && width == 1 { return false }
            index += width
        }
        return true
    }

    static func bytes(_ runes: some Sequence<UInt32>) -> [UInt8] {
        var bytes: [UInt8] = []
        for rune in runes { append(rune, to: &bytes) }
        return bytes
    }

    /// Every rune replaced; ASCII, which is most text, byte by byte.
    static func mapped(_ bytes: [UInt8], _ map: (UInt32) -> UInt32) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let (rune, width) = decode(bytes, at: index)
            append(map(rune), to: &result)
            index += width
        }
        return result
    }

    /// Go's `unicode.IsSpace`.
    static func isSpace(_ rune: UInt32) -> Bool {
        switch rune {
        case 0x09...0x0D, 0x20, 0x85, 0xA0: true
        case 0..<0x100: false
        default: Unicode.Scalar(rune)?.properties.isWhitespace ?? false
        }
    }

    /// Go's `unicode.ToUpper`: the simple mapping, one rune for one rune ("ß" stays).
    static func upper(_ rune: UInt32) -> UInt32 {
        if rune < 0x80 { return rune >= 0x61 && rune <= 0x7A ? rune - 32 : rune }
        guard let scalar = Unicode.Scalar(rune) else { return rune }
        // The full mapping may be longer; the title case of those has the simple one where there is one (Greek iota subscript).
        return only(scalar.properties.uppercaseMapping) ?? only(scalar.properties.titlecaseMapping) ?? rune
    }

    /// Go's `unicode.ToLower`.
    static func lower(_ rune: UInt32) -> UInt32 {
        if rune < 0x80 { return rune >= 0x41 && rune <= 0x5A ? rune + 32 : rune }
        if rune == 0x130 { return 0x69 }  // the full mapping of "İ" is two scalars, the simple one is "i"
        guard let scalar = Unicode.Scalar(rune) else { return rune }
        return only(scalar.properties.lowercaseMapping) ?? rune
    }

    private static func only(_ mapping: String) -> UInt32? {
        let scalars = mapping.unicodeScalars
        return scalars.count == 1 ? scalars.first!.value : nil
    }
}

extension JSONParser {
    /// A string from its opening quote. Plain ones stay in the source; one with escapes is decoded beside it.
    @inline(__always)
    mutating func string(isKey: Bool) throws(JSONError) {
        let start = at + 1
        var p = start
        while true {
            p = plainEnd(from: p)
            guard p < end else { throw unexpectedEnd() }
            let byte = base[p]
            if byte == UInt8(ascii: "\"") { break }
            if byte >= 0x80 {
                p = try sequenceEnd(p)
                continue
            }
            at = p
            guard byte == UInt8(ascii: "\\") else { throw error(.syntax, "a control character in a string; write it as an escape") }
            return try escapedString(openedAt: start - 1)
        }
        let length = p - start
        let fingerprint = isKey ? JSONFingerprint.of(base + start, length) : 0
        tape.append(JSONNode(.string, offset: start - 1, low: length, high: fingerprint))
        at = p + 1
    }

    /// The first byte from `p` on that is not plain ASCII text. Eight bytes at a time ("SWAR"): a byte's high bit is set in
    /// `special` if it is a quote, a backslash, below 0x20 or above 0x7f. The lowest such bit is right; higher ones may be carries.
    @inline(__always)
    private func plainEnd(from start: Int) -> Int {
        var p = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while p + 8 <= end {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + p).loadUnaligned(as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            let low = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
            let special = (low | word) & highs
            if special != 0 { return p + special.trailingZeroBitCount / 8 }
            p += 8
        }
        while p < end, base[p] >= 0x20, base[p] < 0x80, base[p] != UInt8(ascii: "\""), base[p] != UInt8(ascii: "\\") { p += 1 }
        return p
    }

    /// Past the well-formed UTF-8 sequences from `start` on (The Unicode Standard, table 3-7).
    private mutating func sequenceEnd(_ start: Int) throws(JSONError) -> Int {
        var p = start
        while p < end, base[p] >= 0x80 {
            let lead = base[p]
            var second: ClosedRange<UInt8> = 0x80...0xbf
            let length: Int
            switch lead {
            case 0xc2...0xdf: length = 2
            case 0xe0:
                length = 3
                second = 0xa0...0xbf
            case 0xed:
                length = 3
                second = 0x80...0x9f
            case 0xe1...0xef: length = 3
            case 0xf0:
                length = 4
                second = 0x90...0xbf
            case 0xf1...0xf3: length = 4
            case 0xf4:
                length = 4
                second = 0x80...0x8f
            default: length = 0
            }
            guard length > 0, p + length <= end, second.contains(base[p + 1]), length < 3 || base[p + 2] & 0xc0 == 0x80,
                length < 4 || base[p + 3] & 0xc0 == 0x80
            else {
                at = p
                throw error(.notUnicode, "this is not UTF-8")
            }
            p += length
        }
        return p
    }

    /// The rest of a string whose first backslash is at `at`.
    private mutating func escapedString(openedAt opening: Int) throws(JSONError) {
        let textStart = decoded.count
        decoded.append(contentsOf: bytes[opening + 1..<at])
        while true {
            guard at < end else { throw unexpectedEnd() }
            let byte = base[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                try escape()
                continue
            }
            guard byte >= 0x20 else { throw error(.syntax, "a control character in a string; write it as an escape") }
            let next = byte >= 0x80 ? try sequenceEnd(at) : plainEnd(from: at)
            decoded.append(contentsOf: bytes[at..<next])
            at = next
        }
        at += 1
        tape.append(
            JSONNode(.string, offset: opening, extra: 1, low: decoded.count - textStart, high: UInt32(truncatingIfNeeded: textStart)))
    }

    private mutating func escape() throws(JSONError) {
        guard at + 1 < end else { throw unexpectedEnd() }
        let plain: UInt8
        switch base[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = base[at + 1]
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0c
        case UInt8(ascii: "n"): plain = 0x0a
        case UInt8(ascii: "r"): plain = 0x0d
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error(.syntax, "unknown escape in a string")
        }
        decoded.append(plain)
        at += 2
    }

    private mutating func unicodeEscape() throws(JSONError) {
        var scalar = try hexQuad(at + 2)
        var length = 6
        if 0xd800...0xdbff ~= scalar, at + 7 < end, base[at + 6] == UInt8(ascii: "\\"), base[at + 7] == UInt8(ascii: "u") {
            let low = try hexQuad(at + 8)
            if 0xdc00...0xdfff ~= low {
                scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
                length = 12
            }
        }
        guard let character = Unicode.Scalar(scalar) else { throw error(.notUnicode, "half of a surrogate pair") }
        decoded.append(contentsOf: UTF8.encode(character)!)
        at += length
    }

    private func hexQuad(_ start: Int) throws(JSONError) -> UInt32 {
        guard start + 4 <= end else { throw unexpectedEnd() }
        var value: UInt32 = 0
        for i in start..<start + 4 {
            guard let digit = Character(Unicode.Scalar(base[i])).hexDigitValue, base[i] < 0x80 else {
                throw error(.syntax, "\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

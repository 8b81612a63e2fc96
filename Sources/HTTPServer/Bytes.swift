import Glibc

typealias Bytes = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && (count == 0 || memcmp(baseAddress!, text.utf8Start, count) == 0)
    }

    /// Without regard to the case of ASCII letters; `text` is in lower case.
    @inline(__always)
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let other = text.utf8Start
        for i in 0..<count where ASCII.lower(self[i]) != other[i] { return false }
        return true
    }

    @inline(__always)
    func hasPrefixIgnoringCase(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && Bytes(rebasing: self[..<text.utf8CodeUnitCount]).equalsIgnoringCase(text)
    }

    /// Without the spaces and tabs around it (RFC 9110 §5.5).
    var trimmed: Bytes {
        var low = 0
        var high = count
        while low < high, self[low] == 0x20 || self[low] == 0x09 { low += 1 }
        while high > low, self[high - 1] == 0x20 || self[high - 1] == 0x09 { high -= 1 }
        return Bytes(rebasing: self[low..<high])
    }

    /// Calls `body` for each part between `separator`s, trimmed.
    func split(_ separator: UInt8, _ body: (Bytes) -> Void) {
        var start = 0
        for i in 0...count where i == count || self[i] == separator {
            body(Bytes(rebasing: self[start..<i]).trimmed)
            start = i + 1
        }
    }

    var text: String { String(decoding: self, as: UTF8.self) }
}

/// Classes of ASCII characters as bit sets, two words each: a shift instead of a table.
enum ASCII {
    @inline(__always)
    static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// A character of a method or a header name: `tchar` of RFC 9110 §5.6.2.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        // ! # $ % & ' * + - . 0-9
        let low: UInt64 = 0x03ff_6cfa_0000_0000
        // A-Z ^ _ ` a-z | ~
        let high: UInt64 = 0x57ff_ffff_c7ff_fffe
        return byte < 128 && ((byte < 64 ? low &>> UInt64(byte) : high &>> UInt64(byte & 63)) & 1) != 0
    }

    /// What a header's value may hold: visible characters, space, tab, and bytes beyond ASCII.
    @inline(__always)
    static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    @inline(__always)
    static func isRequestID(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) &- 97 < 26 || byte == 0x2e || byte == 0x5f || byte == 0x2d
    }

    /// 0…15, or 255 if it is not a hexadecimal digit.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8 {
        if byte &- 48 < 10 { return byte &- 48 }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? letter &+ 10 : 255
    }
}

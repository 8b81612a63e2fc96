/// Base64 (RFC 4648) with Go's rules: line breaks are skipped, stray bits at the end are allowed, an error names the byte.
struct Base64 {
    /// "+" and "/", padded.
    static let standard = Base64("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", padded: true)
    /// "-" and "_", padded.
    static let url = Base64("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", padded: true)
    /// "-" and "_" without padding, as in a JWT.
    static let rawURL = Base64("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", padded: false)

    private let alphabet: [UInt8]
    private let values: [UInt8]
    private let padded: Bool
    private static let padding = UInt8(ascii: "=")

    private init(_ alphabet: String, padded: Bool) {
        self.alphabet = Array(alphabet.utf8)
        self.padded = padded
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in self.alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            for position in 0..<4 {
                if position <= left {
                    result.append(alphabet[Int(group >> UInt32(18 - 6 * position) & 63)])
                } else if padded {
                    result.append(Self.padding)
                }
            }
            index += 3
        }
        return result
    }

    func decode(_ text: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var index = 0
        func isBreak(_ index: Int) -> Bool { text[index] == 0x0A || text[index] == 0x0D }
        func corrupt(_ at: Int) -> BuiltinFailure { BuiltinFailure("illegal base64 data at input byte \(at)") }

        while true {
            var group: UInt32 = 0
            var filled = 0
            var last = false
            while filled < 4 {
                guard index < text.count else {
                    if filled == 0 { return result }
                    if filled == 1 || padded { throw corrupt(index - filled) }
                    last = true
                    break
                }
                let byte = text[index]
                index += 1
                let value = values[Int(byte)]
                if value != 0xFF {
                    group |= UInt32(value) << UInt32(18 - 6 * filled)
                    filled += 1
                    continue
                }
                if byte == 0x0A || byte == 0x0D { continue }
                guard padded, byte == Self.padding, filled >= 2 else { throw corrupt(index - 1) }
                if filled == 2 {
                    while index < text.count, isBreak(index) { index += 1 }
                    guard index < text.count else { throw corrupt(text.count) }
                    guard text[index] == Self.padding else { throw corrupt(index - 1) }
                    index += 1
                }
                while index < text.count, isBreak(index) { index += 1 }
                guard index == text.count else { throw corrupt(index) }
                last = true
                break
            }
            for position in 0..<(filled - 1) { result.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * position))) }
            if last { return result }
        }
    }

    /// Decodes Base64url with or without its padding, as `base64url.decode` takes it.
    static func decodeURL(_ text: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        var text = text
        if text.last != padding {
            switch text.count % 4 {
            case 0: break
            case 2: text += [padding, padding]
            case 3: text.append(padding)
            default: throw BuiltinFailure("illegal base64url string: \(String(decoding: text, as: UTF8.self))")
            }
        }
        return try url.decode(text)
    }
}

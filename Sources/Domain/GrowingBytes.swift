/// Bytes that are written one after the other: an array's memory without an array's checks at each byte.
///
/// Owned by one holder; what it lends is valid until the next change.
// SAFETY: `count` bytes of `base` are initialised, `capacity` allocated; nobody else has the address.
package struct GrowingBytes: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int) {
        self.capacity = max(16, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Empties it and keeps the memory.
    package mutating func removeAll() { count = 0 }

    package func array() -> [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Where the next `more` bytes go; the caller writes them and then calls `wrote`.
    @inline(__always)
    private mutating func room(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if count + more > capacity { grow(more) }
        return base + count
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        room(1).pointee = byte
        count += 1
    }

    @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(room(bytes.count)).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    package mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// `text` between two bytes, as in `"name":` without the colon.
    package mutating func append(_ text: StaticString, between byte: UInt8) {
        let length = text.utf8CodeUnitCount
        let start = room(length + 2)
        start[0] = byte
        UnsafeMutableRawPointer(start + 1).copyMemory(from: text.utf8Start, byteCount: length)
        start[length + 1] = byte
        count += length + 2
    }

    package mutating func append(decimal value: UInt64) {
        let start = room(20)
        var length = 1
        var bound: UInt64 = 10
        while value >= bound {
            length += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = value
        var at = length
        while at > 0 {
            at -= 1
            let quotient = rest / 10
            start[at] = UInt8(truncatingIfNeeded: 48 &+ rest &- quotient &* 10)
            rest = quotient
        }
        count += length
    }

    package mutating func append(decimal value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    /// RFC 3339 with milliseconds, 24 characters.
    package mutating func append(_ time: Timestamp) {
        time.writeRFC3339(into: UnsafeMutableBufferPointer(start: room(24), count: 24))
        count += 24
    }

    /// The JSON string with this content, quotes included. `utf8` must be valid UTF-8.
    package mutating func append(json utf8: UnsafeBufferPointer<UInt8>) {
        guard JSONText.isPlain(utf8) else { return append(escaping: utf8) }
        let start = room(utf8.count + 2)
        start[0] = UInt8(ascii: "\"")
        if let text = utf8.baseAddress { (start + 1).update(from: text, count: utf8.count) }
        start[utf8.count + 1] = UInt8(ascii: "\"")
        count += utf8.count + 2
    }

    package mutating func append(json text: String) {
        var text = text
        text.withUTF8 { append(json: $0) }
    }

    @inline(never)
    private mutating func append(escaping utf8: UnsafeBufferPointer<UInt8>) {
        append(UInt8(ascii: "\""))
        for byte in utf8 {
            guard !JSONText.isPlain(byte) else {
                append(byte)
                continue
            }
            append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
            case 0x0a: append(UInt8(ascii: "n"))
            case 0x0d: append(UInt8(ascii: "r"))
            case 0x09: append(UInt8(ascii: "t"))
            default:
                let hex: StaticString = "0123456789abcdef"
                append("u00")
                append(hex.utf8Start[Int(byte >> 4)])
                append(hex.utf8Start[Int(byte & 15)])
            }
        }
        append(UInt8(ascii: "\""))
    }
}

/// Which bytes of a text stand in a JSON string as they are.
enum JSONText {
    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0x7f
    }

    /// Eight bytes at a time, as in `JSONParser.plainEnd`.
    static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = text.baseAddress else { return true }
        let ones: UInt64 = 0x0101_0101_0101_0101
        var at = 0
        while at + 8 <= text.count {
            let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            let delete = word ^ (ones &* 0x7f)
            let low =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((delete &- ones) & ~delete)
                | ((word &- (ones &* 0x20)) & ~word)
            if low & 0x8080_8080_8080_8080 != 0 { return false }
            at += 8
        }
        while at < text.count {
            guard isPlain(base[at]) else { return false }
            at += 1
        }
        return true
    }
}

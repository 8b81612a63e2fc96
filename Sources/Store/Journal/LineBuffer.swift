import Domain

/// The line of the record being written: bytes one after the other, in memory that is kept from record to record.
///
/// The envelope is the same few members each time, so it is copied and not encoded; only texts from outside are looked through.
// Not Sendable: the writer's thread alone has it.
final class LineBuffer {
    // SAFETY: owned by this object alone, freed in `deinit`; `count` bytes of it are initialised.
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    func reset() { count = 0 }

    private func room(_ more: Int) -> UnsafeMutableRawPointer {
        if count + more > capacity {
            let grown = max(capacity * 2, count + more)
            let moved = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
            moved.copyMemory(from: base, byteCount: count)
            base.deallocate()
            base = moved
            capacity = grown
        }
        return base + count
    }

    func append(_ text: StaticString) {
        room(text.utf8CodeUnitCount).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            room(bytes.count).copyMemory(from: start, byteCount: bytes.count)
        }
        count += bytes.count
    }

    /// A decimal number.
    func append(_ value: UInt64) {
        let destination = room(20)
        var digits = 1
        var bound = value / 10
        while bound > 0 {
            digits += 1
            bound /= 10
        }
        var rest = value
        for i in stride(from: digits - 1, through: 0, by: -1) {
            destination.storeBytes(of: UInt8(truncatingIfNeeded: 48 + rest % 10), toByteOffset: i, as: UInt8.self)
            rest /= 10
        }
        count += digits
    }

    func append(_ time: Timestamp) {
        let destination = room(24).assumingMemoryBound(to: UInt8.self)
        time.writeRFC3339(into: UnsafeMutableBufferPointer(start: destination, count: 24))
        count += 24
    }

    /// A JSON string, quotes included.
    func append(json text: String) {
        var text = text
        text.withUTF8 { utf8 in
            let isPlain = utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 != 0x7F }
            guard isPlain else {
                // Rare: let the one place that knows how to escape do it.
                var escaped: [UInt8] = []
                escaped.appendJSONString(utf8)
                return append(escaped)
            }
            let destination = room(utf8.count + 2)
            destination.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            if let start = utf8.baseAddress { (destination + 1).copyMemory(from: start, byteCount: utf8.count) }
            destination.storeBytes(of: UInt8(ascii: "\""), toByteOffset: utf8.count + 1, as: UInt8.self)
            count += utf8.count + 2
        }
    }
}

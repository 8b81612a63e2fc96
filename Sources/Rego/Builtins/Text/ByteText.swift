/// Searching and cutting of bytes, as Go's package `strings` does it: positions are byte offsets, the empty needle is found everywhere.
enum ByteText {
    /// Where `needle` begins first at or after `start`.
    static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
        let last = bytes.count - needle.count
        guard start <= last else { return nil }
        guard let first = needle.first else { return start }
        return bytes.withUnsafeBufferPointer { hay in
            needle.withUnsafeBufferPointer { needle in
                var index = start
                while index <= last {
                    if hay[index] == first {
                        var offset = 1
                        while offset < needle.count, hay[index + offset] == needle[offset] { offset += 1 }
                        if offset == needle.count { return index }
                    }
                    index += 1
                }
                return nil
            }
        }
    }

    /// Whether `needle` occurs, without copying either.
    static func contains(_ needle: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first else { return true }
        let last = bytes.count - needle.count
        var index = 0
        while index <= last {
            if bytes[index] == first {
                var offset = 1
                while offset < needle.count, bytes[index + offset] == needle[offset] { offset += 1 }
                if offset == needle.count { return true }
            }
            index += 1
        }
        return false
    }

    static func hasPrefix(_ bytes: [UInt8], _ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }

    static func hasSuffix(_ bytes: [UInt8], _ suffix: [UInt8]) -> Bool {
        bytes.count >= suffix.count && bytes[(bytes.count - suffix.count)...].elementsEqual(suffix)
    }

    /// How often `needle` occurs without overlap; the empty needle, once more than there are runes.
    static func count(_ needle: [UInt8], in bytes: [UInt8]) -> Int {
        if needle.isEmpty { return Runes.count(bytes) + 1 }
        var count = 0
        var index = 0
        while let found = find(needle, in: bytes, from: index) {
            count += 1
            index = found + needle.count
        }
        return count
    }

    /// The parts between the separators; an empty separator splits into runes.
    ///
    /// - Parameter limit: at most so many parts, the last one holding the rest; nil for all.
    static func split(_ bytes: [UInt8], by separator: [UInt8], limit: Int? = nil) -> [[UInt8]] {
        if limit == 0 { return [] }
        var parts: [[UInt8]] = []
        if separator.isEmpty {
            var index = 0
            while index < bytes.count {
                if let limit, parts.count == limit - 1 {
                    parts.append(Array(bytes[index...]))
                    return parts
                }
                let width = Runes.decode(bytes, at: index).width
                parts.append(Array(bytes[index..<index + width]))
                index += width
            }
            return parts
        }
        var start = 0
        while limit.map({ parts.count < $0 - 1 }) ?? true, let found = find(separator, in: bytes, from: start) {
            parts.append(Array(bytes[start..<found]))
            start = found + separator.count
        }
        parts.append(Array(bytes[start...]))
        return parts
    }

    /// Every `old` becomes `new`; an empty `old` matches before each rune and at the end.
    static func replace(_ bytes: [UInt8], _ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        if old == new { return bytes }
        var result: [UInt8] = []
        if old.isEmpty {
            var index = 0
            while index < bytes.count {
                result += new
                let width = Runes.decode(bytes, at: index).width
                result += bytes[index..<index + width]
                index += width
            }
            return result + new
        }
        var start = 0
        while let found = find(old, in: bytes, from: start) {
            result += bytes[start..<found]
            result += new
            start = found + old.count
        }
        return result + bytes[start...]
    }

    static func join(_ parts: [[UInt8]], by separator: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { result += separator }
            result += part
        }
        return result
    }
}

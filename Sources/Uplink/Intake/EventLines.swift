import Domain

/// Events as they came: one JSON object, or one a line. Checked, kept as they are, ready to become the `data` of records.
package struct EventLines: Sendable {
    /// Without line feeds inside an event.
    package let bytes: [UInt8]
    /// Where each event lies.
    package let ranges: [Range<Int>]

    /// What is wrong with a body.
    package enum Fault: Error, Equatable, Sendable {
        /// `line` counts from 1; 0 for a body that is one object.
        case notJSON(line: Int, reason: String)
        case notAnObject(line: Int)
        case empty
        case tooMany
    }

    /// One JSON object. Its line feeds become spaces: they stand between tokens only (RFC 8259 §7 allows none inside strings).
    package static func object(_ body: UnsafeRawBufferPointer) throws(Fault) -> EventLines {
        let text = body.assumingMemoryBound(to: UInt8.self)
        try check(text, line: 0)
        var bytes = Array(text)
        for index in bytes.indices where bytes[index] == 10 || bytes[index] == 13 { bytes[index] = 32 }
        let range = trimmed(0..<bytes.count, in: bytes)
        return EventLines(bytes: bytes, ranges: [range])
    }

    /// NDJSON: an object a line; empty lines are passed over.
    package static func lines(_ body: UnsafeRawBufferPointer) throws(Fault) -> EventLines {
        let text = body.assumingMemoryBound(to: UInt8.self)
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(text.count / 256 + 1)
        var at = 0
        var number = 0
        while at < text.count {
            number += 1
            let end = lineEnd(text, from: at)
            let range = trimmed(at..<end, in: text)
            if !range.isEmpty {
                guard ranges.count < Limits.eventsPerRequestMax else { throw .tooMany }
                try check(UnsafeBufferPointer(rebasing: text[range]), line: number)
                ranges.append(range)
            }
            at = end + 1
        }
        guard !ranges.isEmpty else { throw .empty }
        return EventLines(bytes: Array(text), ranges: ranges)
    }

    private static func check(_ text: UnsafeBufferPointer<UInt8>, line: Int) throws(Fault) {
        let isObject: Bool
        do throws(JSONError) {
            isObject = try JSONDocument.isObject(text)
        } catch {
            throw .notJSON(line: line, reason: "\(error)")
        }
        guard isObject else { throw .notAnObject(line: line) }
    }

    /// Eight bytes at a time.
    private static func lineEnd(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        let base = UnsafeRawPointer(text.baseAddress!)
        while at + 8 <= text.count {
            let word = base.loadUnaligned(fromByteOffset: at, as: UInt64.self) ^ 0x0a0a_0a0a_0a0a_0a0a
            if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { break }
            at += 8
        }
        while at < text.count, text[at] != 10 { at += 1 }
        return at
    }

    private static func trimmed(_ range: Range<Int>, in text: some RandomAccessCollection<UInt8>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        func byte(_ at: Int) -> UInt8 { text[text.index(text.startIndex, offsetBy: at)] }
        while lower < upper, byte(lower) == 32 || byte(lower) == 9 || byte(lower) == 13 { lower += 1 }
        while lower < upper, byte(upper - 1) == 32 || byte(upper - 1) == 9 || byte(upper - 1) == 13 { upper -= 1 }
        return lower..<upper
    }
}

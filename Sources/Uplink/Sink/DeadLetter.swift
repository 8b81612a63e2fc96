import Domain
import Store

/// A record that a receiver refused for good, kept whole with why (table `deadletters`; Documentation/FORMATS.md §4).
package struct DeadLetter: Equatable, Sendable {
    private static let version: UInt8 = 1
    private static let headSize = 48

    package var id: UInt64
    package var sink: String
    package var stream: String
    package var seq: UInt64
    package var code: String
    package var buried: Timestamp
    /// When somebody had it sent again; nil: never. Once only.
    package var redriven: Timestamp?
    /// Of the record.
    package var length: Int

    static func key(_ id: UInt64, part: Int = 0) -> StoreKey {
        var key = StoreKey(.deadLetters, id)
        if part > 0 { key.append(UInt16(part)) }
        return key
    }

    private var words: [UInt8] { Array(sink.utf8) + Array(stream.utf8) + Array(code.utf8) }

    /// Part 0: head, words, and as much of the record as fits.
    func encode(_ line: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headSize)
        bytes.withUnsafeMutableBytes { raw in
            raw[0] = Self.version
            raw[1] = UInt8(sink.utf8.count)
            raw[2] = UInt8(stream.utf8.count)
            raw[3] = UInt8(code.utf8.count)
            raw.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: seq.littleEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: buried.milliseconds.littleEndian, toByteOffset: 16, as: Int64.self)
            raw.storeBytes(of: (redriven?.milliseconds ?? 0).littleEndian, toByteOffset: 24, as: Int64.self)
        }
        bytes += words
        bytes += line.prefix(Limits.payloadBytesMax - bytes.count)
        return bytes
    }

    /// - Returns: the letter and the part of the record in this value; nil if it is none.
    static func decode(_ id: UInt64, _ raw: UnsafeRawBufferPointer) -> (letter: DeadLetter, start: [UInt8])? {
        guard raw.count >= headSize, raw[0] == version else { return nil }
        let ends = [Int(raw[1]), Int(raw[2]), Int(raw[3])]
        guard raw.count >= headSize + ends.reduce(0, +) else { return nil }
        var at = headSize
        func word(_ count: Int) -> String {
            defer { at += count }
            return String(decoding: raw[at..<(at + count)], as: UTF8.self)
        }
        let sink = word(ends[0])
        let stream = word(ends[1])
        let code = word(ends[2])
        let redriven = Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 24, as: Int64.self))
        let letter = DeadLetter(
            id: id, sink: sink, stream: stream, seq: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            code: code, buried: Timestamp(milliseconds: Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 16, as: Int64.self))),
            redriven: redriven == 0 ? nil : Timestamp(milliseconds: redriven),
            length: Int(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))))
        return (letter, Array(raw[at...]))
    }
}

extension StoreReading where Self: ~Copyable {
    /// All dead letters, oldest first, without their records.
    package borrowing func deadLetters() throws(StoreError) -> [DeadLetter] {
        var letters: [DeadLetter] = []
        try scan(.deadLetters, prefix: StoreKey(.deadLetters)) { (key, payload, _) throws(StoreError) in
            guard key.count == 9 else { return true }
            let id = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            if let (letter, _) = DeadLetter.decode(id, payload) { letters.append(letter) }
            return true
        }
        return letters
    }

    /// One letter with its record; nil if there is none of that number.
    package borrowing func deadLetter(_ id: UInt64) throws(StoreError) -> (letter: DeadLetter, line: [UInt8])? {
        var found: (letter: DeadLetter, line: [UInt8])?
        try scan(.deadLetters, prefix: StoreKey(.deadLetters, id)) { (key, payload, _) throws(StoreError) in
            if key.count == 9 {
                guard let (letter, start) = DeadLetter.decode(id, payload) else { return false }
                found = (letter, start)
            } else {
                found?.line.append(contentsOf: payload)
            }
            return true
        }
        return found
    }
}

extension WriteTransaction {
    borrowing func putDeadLetter(_ letter: DeadLetter, _ line: [UInt8], revision: UInt64) throws(StoreError) {
        let head = letter.encode(line)
        try put(.deadLetters, DeadLetter.key(letter.id), head, revision: revision)
        var at = min(line.count, Limits.payloadBytesMax - letter.overhead)
        var part = 1
        while at < line.count {
            let end = min(at + Limits.payloadBytesMax, line.count)
            try put(.deadLetters, DeadLetter.key(letter.id, part: part), Array(line[at..<end]), revision: revision)
            at = end
            part += 1
        }
    }

    borrowing func deleteDeadLetter(_ letter: DeadLetter) throws(StoreError) {
        try delete(.deadLetters, DeadLetter.key(letter.id))
        var part = 1
        while try delete(.deadLetters, DeadLetter.key(letter.id, part: part)) { part += 1 }
    }
}

extension DeadLetter {
    /// Bytes of part 0 before the record.
    var overhead: Int { Self.headSize + words.count }
}

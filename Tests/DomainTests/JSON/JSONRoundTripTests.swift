import Domain
import TestSupport
import Testing

@Suite("Reading what was written")
struct JSONRoundTripTests {
    @Test("a random document comes back byte for byte", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            var writer = JSONWriter()
            Self.writeRandom(into: &writer, depth: 0, random: &random)
            let bytes = writer.finish()
            let document = try JSONDocument.parse(bytes)
            var copy = JSONWriter()
            Self.write(document.root, into: &copy)
            #expect(copy.finish() == bytes, "seed \(seed)")
            #expect(Array(document.root.rawBytes) == bytes)
        }
    }

    @Test("damaged documents are refused or read, never anything worse", arguments: [11, 12, 13, 14] as [UInt64])
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            var writer = JSONWriter()
            Self.writeRandom(into: &writer, depth: 0, random: &random)
            var bytes = writer.finish()
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(Array("\"\\{}[],:u0-.e\n".utf8).randomElement(using: &random)!, at: at)
                default: bytes.removeSubrange(at...)
                }
            }
            guard let document = try? JSONDocument.parse(bytes) else { continue }
            // What is taken can be walked to its end, and what it says of itself is taken again.
            var copy = JSONWriter()
            Self.write(document.root, into: &copy)
            _ = try JSONDocument.parse(copy.finish())
            _ = try JSONDocument.parse(Array(document.root.rawBytes))
        }
    }

    static func write(_ value: JSONValue, into writer: inout JSONWriter) {
        switch value.kind {
        case .null: writer.null()
        case .bool: writer.bool(value.bool!)
        case .integer: writer.integer(value.int64!)
        case .double: writer.double(value.double!)
        case .bigNumber: writer.raw(json: value.rawBytes)
        case .string: writer.string(value.string!)
        case .array:
            writer.beginArray()
            for element in value.elements { write(element, into: &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            for member in value.members {
                writer.key(dynamic: member.name)
                write(member.value, into: &writer)
            }
            writer.endObject()
        }
    }

    private static func writeRandom(into writer: inout JSONWriter, depth: Int, random: inout SeededRandom) {
        switch Int.random(in: 0..<(depth > 5 ? 6 : 8), using: &random) {
        case 0: writer.null()
        case 1: writer.bool(Bool.random(using: &random))
        case 2: writer.integer(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
        case 3: writer.double(Double.random(in: -1e20...1e20, using: &random) + 0.5)
        case 4, 5: writer.string(text(&random))
        case 6:
            writer.beginArray()
            for _ in 0..<Int.random(in: 0..<6, using: &random) { writeRandom(into: &writer, depth: depth + 1, random: &random) }
            writer.endArray()
        default:
            writer.beginObject()
            for i in 0..<Int.random(in: 0..<24, using: &random) {
                writer.key(dynamic: "\(i)\(text(&random))")
                writeRandom(into: &writer, depth: depth + 3, random: &random)
            }
            writer.endObject()
        }
    }

    private static func text(_ random: inout SeededRandom) -> String {
        var result = ""
        for _ in 0..<Int.random(in: 0..<20, using: &random) {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: result.unicodeScalars.append(Unicode.Scalar(UInt8.random(in: 0..<32, using: &random)))
            case 1: result += "\"\\"
            case 2: result.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0x80...0xd7ff, using: &random))!)
            case 3: result.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0xe000...0x10ffff, using: &random))!)
            default: result.unicodeScalars.append(Unicode.Scalar(UInt8.random(in: 32..<127, using: &random)))
            }
        }
        return result
    }
}

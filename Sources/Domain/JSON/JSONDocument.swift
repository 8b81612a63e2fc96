/// A parsed JSON document (RFC 8259): its source and a flat tape of 16 bytes a value. Immutable; shared by threads freely.
///
/// Strings stay in the source and are made when asked for, so that a body costs two or three allocations whatever it holds.
/// Refused beyond the grammar: duplicate keys, lone surrogates, text that is not UTF-8, more depth or bytes than the limits.
// SAFETY: the tape is written before the initialiser ends, never after, and freed by `deinit`.
package final class JSONDocument: @unchecked Sendable {
    /// What was parsed.
    package let source: [UInt8]
    /// The text of the strings that had escapes.
    let decoded: [UInt8]
    let nodes: UnsafeBufferPointer<JSONNode>

    private init(source: [UInt8], decoded: [UInt8], nodes: UnsafeBufferPointer<JSONNode>) {
        self.source = source
        self.decoded = decoded
        self.nodes = nodes
    }

    deinit { nodes.deallocate() }

    /// - Throws: `JSONError` with line and column of the first fault.
    package static func parse(
        _ source: [UInt8], bytesMax: Int = Limits.jsonBytesMax, depthMax: Int = Limits.jsonDepthMax
    ) throws(JSONError) -> JSONDocument {
        let (decoded, nodes) = try source.withUnsafeBufferPointer {
            (bytes) throws(JSONError) -> ([UInt8], UnsafeBufferPointer<JSONNode>) in
            guard bytes.count <= min(bytesMax, Limits.jsonBytesMax) else {
                throw JSONError(.tooLarge, "more than \(min(bytesMax, Limits.jsonBytesMax)) bytes of JSON", at: 0, in: bytes)
            }
            var parser = JSONParser(bytes, depthMax: depthMax)
            try parser.parseDocument()
            return parser.finish()
        }
        return JSONDocument(source: source, decoded: decoded, nodes: nodes)
    }

    package var root: JSONValue { JSONValue(document: self, index: 0) }

    /// The node after the value at `index`, over all that it holds.
    func index(after index: Int) -> Int {
        let node = nodes[index]
        return node.isContainer ? node.low : index + 1
    }

    /// Lends the text of the string at `index`.
    func withText<R, E: Error>(at index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R {
        let node = nodes[index]
        let length = node.low
        if node.hasEscapes {
            let start = Int(node.high)
            return try decoded.withUnsafeBufferPointer { (b) throws(E) -> R in
                try body(UnsafeBufferPointer(rebasing: b[start..<start + length]))
            }
        }
        let start = Int(node.offset) + 1
        return try source.withUnsafeBufferPointer { (b) throws(E) -> R in
            try body(UnsafeBufferPointer(rebasing: b[start..<start + length]))
        }
    }

    /// Where the text of the value at `index` ends in the source.
    func sourceEnd(of index: Int) -> Int {
        let node = nodes[index]
        var end = Int(node.offset)
        switch node.kind {
        case .null, .truth: return end + 4
        case .falsehood: return end + 5
        case .array, .object: return Int(node.high) + 1
        case .string where !node.hasEscapes: return end + node.low + 2
        case .string:
            end += 1
            while source[end] != UInt8(ascii: "\"") { end += source[end] == UInt8(ascii: "\\") ? 2 : 1 }
            return end + 1
        case .integer, .double, .bigNumber:
            while end < source.count, source[end].continuesJSONNumber { end += 1 }
            return end
        }
    }
}

extension UInt8 {
    fileprivate var continuesJSONNumber: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }
}

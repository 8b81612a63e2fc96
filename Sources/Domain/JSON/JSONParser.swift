/// Reads JSON onto a tape in one pass, without recursion: an open container keeps its parent in its own node.
///
/// Lives for one call on the stack of `JSONDocument.parse`; `base` is lent for that long.
struct JSONParser: ~Copyable {
    let bytes: UnsafeBufferPointer<UInt8>
    let base: UnsafePointer<UInt8>
    let end: Int
    private let depthMax: Int
    var at = 0
    var tape: JSONTape
    var decoded: [UInt8] = []
    private var keys = JSONKeyCheck()

    init(_ bytes: UnsafeBufferPointer<UInt8>, depthMax: Int) {
        self.bytes = bytes
        // An empty buffer may have no address; nothing is read through this one, because `end` is 0.
        base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
        end = bytes.count
        self.depthMax = depthMax
        // One value in eight bytes is what services and policy data have; more grows.
        tape = JSONTape(capacity: bytes.count / 8 + 16)
    }

    consuming func finish() -> ([UInt8], UnsafeBufferPointer<JSONNode>) { (decoded, tape.release()) }

    mutating func parseDocument() throws(JSONError) {
        // The container being read, how many values it has so far, how many containers are open.
        var parent = -1
        var inObject = false
        var count = 0
        var depth = 0

        value: while true {
            skipSpace()
            guard at < end else { throw unexpectedEnd() }
            let opening = base[at]
            switch opening {
            case UInt8(ascii: "\""):
                try string(isKey: false)
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                try number()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < depthMax else { throw error(.tooDeep, "nested deeper than \(depthMax)") }
                inObject = opening == UInt8(ascii: "{")
                tape.append(JSONNode(inObject ? .object : .array, offset: at, low: count, high: UInt32(bitPattern: Int32(parent))))
                parent = tape.count - 1
                count = 0
                depth += 1
                at += 1
                skipSpace()
                guard at < end else { throw unexpectedEnd() }
                // `]` is two after `[` and `}` two after `{` in ASCII.
                if base[at] != opening + 2 {
                    if inObject { try key() }
                    continue value
                }
                count = -1  // the loop below counts a value that is not there
            case UInt8(ascii: "t"): try literal("true", .truth)
            case UInt8(ascii: "f"): try literal("false", .falsehood)
            case UInt8(ascii: "n"): try literal("null", .null)
            default: throw error(.syntax, "expected a value, found \(found)")
            }

            // A value is complete: what comes next belongs to the container around it.
            while depth > 0 {
                count += 1
                skipSpace()
                guard at < end else { throw unexpectedEnd() }
                if base[at] == UInt8(ascii: ","), count > 0 {
                    at += 1
                    if inObject {
                        skipSpace()
                        try key()
                    }
                    continue value
                }
                guard base[at] == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw error(.syntax, "expected ',' or '\(inObject ? "}" : "]")', found \(found)")
                }
                let open = tape.nodes[parent]
                if inObject, count > 1, let twin = keys.duplicate(in: tape, object: parent, count: count, bytes: bytes, decoded: decoded) {
                    at = Int(tape.nodes[twin].offset)
                    throw error(.duplicateKey, "this key is in the object twice")
                }
                tape.nodes[parent] = JSONNode(open.kind, offset: Int(open.offset), extra: count, low: tape.count, high: UInt32(at))
                at += 1
                parent = Int(Int32(bitPattern: open.high))
                count = open.low
                depth -= 1
                inObject = parent >= 0 && tape.nodes[parent].kind == .object
            }
            break
        }
        skipSpace()
        if at < end { throw error(.syntax, "expected the end of the document, found \(found)") }
    }

    @inline(__always)
    mutating func skipSpace() {
        while at < end, base[at] <= 0x20 {
            switch base[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at += 1
            default: return
            }
        }
    }

    /// A key and its colon.
    @inline(__always)
    private mutating func key() throws(JSONError) {
        guard at < end else { throw unexpectedEnd() }
        guard base[at] == UInt8(ascii: "\"") else { throw error(.syntax, "expected a key in quotes, found \(found)") }
        try string(isKey: true)
        skipSpace()
        guard at < end else { throw unexpectedEnd() }
        guard base[at] == UInt8(ascii: ":") else { throw error(.syntax, "expected ':' after a key, found \(found)") }
        at += 1
    }

    private mutating func literal(_ word: StaticString, _ kind: JSONNode.Kind) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard at + length <= end else { throw error(.syntax, "expected \(word)") }
        for i in 0..<length where base[at + i] != word.utf8Start[i] { throw error(.syntax, "expected \(word)") }
        tape.append(JSONNode(kind, offset: at))
        at += length
    }

    func error(_ code: JSONError.Code, _ message: String) -> JSONError { JSONError(code, message, at: at, in: bytes) }

    func unexpectedEnd() -> JSONError { JSONError(.syntax, "the document ends too early", at: end, in: bytes) }

    /// The byte at the place of an error, for people.
    var found: String {
        let byte = base[at]
        if byte == 0xef, at == 0 { return "a byte order mark" }
        return byte > 0x20 && byte < 0x7f ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    }
}

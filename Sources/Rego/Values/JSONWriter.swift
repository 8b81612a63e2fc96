/// Writes values as JSON: keys in Rego's order, sets as arrays, numbers in the digits they were written with.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []
    /// Writes `<`, `>`, `&`, U+2028 and U+2029 as escapes, as Go's encoder does unless told otherwise.
    public var escapesHTML = false
    /// Blanks for each level; nil writes one line.
    public var indent: Int?
    private var level = 0

    public init(indent: Int? = nil, escapesHTML: Bool = false) {
        self.indent = indent
        self.escapesHTML = escapesHTML
    }

    public static func text(_ value: Value, indent: Int? = nil) -> String {
        var writer = JSONWriter(indent: indent)
        writer.write(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    public mutating func write(raw text: String) { bytes.append(contentsOf: text.utf8) }

    public mutating func write(_ value: Value) {
        switch value.kind {
        case .undefined, .null: write(raw: "null")
        case .boolean: write(raw: value.isTrue ? "true" : "false")
        case .number: writeNumber(value)
        case .string: write(string: value.utf8)
        case .array, .set: list(value.count, "[", "]") { writer, index in writer.write(value.slot(index)) }
        case .object:
            let keys = value.keys
            // Go sorts the keys of a map by their text; keys that are no strings are written as JSON in a string.
            let areStrings = (0..<value.count).allSatisfy { keys.slot($0).isString }
            let order: [Int] =
                areStrings
                ? Array(0..<value.count)
                : (0..<value.count).map { ($0, JSONWriter.keyText(keys.slot($0))) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
            list(value.count, "{", "}") { writer, index in
                writer.key(keys.slot(order[index]))
                writer.write(value.slot(order[index]))
            }
        }
    }

    private static func keyText(_ key: Value) -> [UInt8] { key.isString ? Array(key.utf8) : Array(JSONWriter.text(key).utf8) }

    private mutating func key(_ key: Value) {
        if key.isString {
            write(string: key.utf8)
        } else {
            JSONWriter.keyText(key).withUnsafeBytes { write(string: $0) }
        }
        bytes.append(UInt8(ascii: ":"))
        if indent != nil { bytes.append(0x20) }
    }

    private mutating func list(_ count: Int, _ open: String, _ close: String, _ element: (inout JSONWriter, Int) -> Void) {
        write(raw: open)
        if count > 0 {
            level += 1
            for index in 0..<count {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                newline()
                element(&self, index)
            }
            level -= 1
            newline()
        }
        write(raw: close)
    }

    private mutating func newline() {
        guard let indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * level))
    }

    private mutating func writeNumber(_ value: Value) {
        guard let text = value.numberText else { return }
        if text.utf8.first == UInt8(ascii: ".") { bytes.append(0x30) }
        bytes.append(contentsOf: text.utf8)
    }

    public mutating func write(string text: UnsafeRawBufferPointer) {
        bytes.append(UInt8(ascii: "\""))
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""): write(raw: "\\\"")
            case UInt8(ascii: "\\"): write(raw: "\\\\")
            case 0x0A: write(raw: "\\n")
            case 0x0D: write(raw: "\\r")
            case 0x09: write(raw: "\\t")
            case 0x08: write(raw: "\\b")
            case 0x0C: write(raw: "\\f")
            case 0..<0x20: writeEscape(UInt32(byte))
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                if escapesHTML { writeEscape(UInt32(byte)) } else { bytes.append(byte) }
            case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8:
                writeEscape(0x2000 | UInt32(text[index + 2] & 0x3F))
                index += 2
            default: bytes.append(byte)
            }
            index += 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func writeEscape(_ code: UInt32) {
        let digits = String(code, radix: 16)
        write(raw: "\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
    }
}

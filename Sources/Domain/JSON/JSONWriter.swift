/// Writes JSON (RFC 8259) into bytes, without a tree and without a copy.
///
/// The caller keeps the nesting right; the writer puts the commas. A precondition stops an object left open.
package struct JSONWriter: ~Copyable, Sendable {
    private var out: GrowingBytes
    private var needsComma = false
    private var depth = 0

    package init(capacity: Int = 256) {
        out = GrowingBytes(capacity: capacity)
    }

    /// What was written, until the next change.
    package var bytes: UnsafeRawBufferPointer { out.bytes }

    /// Empties it for the next document and keeps the memory.
    package mutating func reset() {
        out.removeAll()
        needsComma = false
        depth = 0
    }

    /// The finished document.
    package consuming func finish() -> [UInt8] {
        precondition(depth == 0, "a JSON object or array was left open")
        return out.array()
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    /// A key that needs no escaping: every name of ours.
    package mutating func key(_ name: StaticString) {
        separate()
        out.append(name, between: UInt8(ascii: "\""))
        out.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A key that came from outside.
    package mutating func key(dynamic name: String) {
        separate()
        out.append(json: name)
        out.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ value: String) {
        separate()
        out.append(json: value)
        needsComma = true
    }

    package mutating func string(_ value: StaticString) {
        separate()
        out.append(value, between: UInt8(ascii: "\""))
        needsComma = true
    }

    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        out.append(decimal: Int64(value))
        needsComma = true
    }

    package mutating func unsigned(_ value: UInt64) {
        separate()
        out.append(decimal: value)
        needsComma = true
    }

    /// A finite number in the shortest form that reads back the same; null for what JSON cannot say.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        if value == value.rounded(), abs(value) < 1e15 {
            out.append(decimal: Int64(value))
        } else {
            append(Array("\(value)".utf8))
        }
        needsComma = true
    }

    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }
    package mutating func null() { raw("null") }

    package mutating func timestamp(_ value: Timestamp) {
        separate()
        out.append(UInt8(ascii: "\""))
        out.append(value)
        out.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A value that is JSON already.
    package mutating func raw(json: some Sequence<UInt8>) {
        separate()
        append(json)
        needsComma = true
    }

    /// The inside of an object that is JSON already (`"a":1,"b":2`); nothing if it is empty.
    package mutating func members(json: some Collection<UInt8>) {
        guard !json.isEmpty else { return }
        separate()
        append(json)
        needsComma = true
    }

    /// Ends a line of NDJSON.
    package mutating func newline() {
        precondition(depth == 0)
        out.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func raw(_ text: StaticString) {
        separate()
        out.append(text)
        needsComma = true
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        out.append(byte)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        precondition(depth > 0, "a JSON object or array was closed twice")
        out.append(byte)
        depth -= 1
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { out.append(UInt8(ascii: ",")) }
    }

    private mutating func append(_ bytes: some Sequence<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ out.append(UnsafeRawBufferPointer($0)) }) == nil {
            for byte in bytes { out.append(byte) }
        }
    }
}

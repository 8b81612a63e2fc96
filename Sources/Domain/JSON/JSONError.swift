/// Why bytes are not a JSON document that we take, and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// Not JSON (RFC 8259).
        case syntax
        /// Nested beyond the limit.
        case tooDeep
        /// More bytes than the limit.
        case tooLarge
        /// A string that is not UTF-8, or half of a surrogate pair.
        case notUnicode
        /// An object says the same key twice, so that two readers could understand it in two ways.
        case duplicateKey
    }

    package let code: Code
    /// A sentence without its end, for people: `expected ',' or '}'`.
    package let message: String
    /// Bytes before the place.
    package let offset: Int
    /// From 1.
    package let line: Int
    /// From 1, in bytes.
    package let column: Int

    package init(_ code: Code, _ message: String, at offset: Int, in source: UnsafeBufferPointer<UInt8>) {
        self.code = code
        self.message = message
        self.offset = offset
        (line, column) = Self.position(of: offset, in: source)
    }

    package var description: String { "line \(line), column \(column): \(message)" }

    static func position(of offset: Int, in source: UnsafeBufferPointer<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var lineStart = 0
        for i in 0..<min(offset, source.count) where source[i] == UInt8(ascii: "\n") {
            line += 1
            lineStart = i + 1
        }
        return (line, offset - lineStart + 1)
    }
}

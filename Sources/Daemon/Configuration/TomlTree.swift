import CToml

/// A value of a TOML file with the line that a person looks for.
struct TomlNode {
    enum Value {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        case array([TomlNode])
        case table([(key: String, node: TomlNode)])
        /// A date or a time; no setting of ours is one.
        case other
    }

    let line: Int
    var value: Value

    /// What it is, for people.
    var kind: String {
        switch value {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a number with a fraction"
        case .boolean: "true or false"
        case .array: "a list"
        case .table: "a table"
        case .other: "a date or time"
        }
    }
}

/// Why a file is not TOML 1.0.
struct TomlError: Error {
    let message: String
    let line: Int
}

extension TomlNode {
    /// The table at the top of `text`.
    static func parse(_ text: [UInt8]) throws(TomlError) -> TomlNode {
        var builder = TomlBuilder()
        var message = [CChar](repeating: 0, count: 512)
        var line: Int32 = 0
        var column: Int32 = 0
        let status = withUnsafeMutablePointer(to: &builder) { builder in
            text.withUnsafeBytes { bytes in
                posto_toml_visit(
                    bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count, visitTomlNode, builder, &message, message.count,
                    &line,
                    &column)
            }
        }
        guard status == 0 else {
            let end = message.firstIndex(of: 0) ?? message.count
            throw TomlError(message: String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self), line: Int(line))
        }
        return builder.finish()
    }
}

/// Builds the tree from visits in document order: a deeper visit belongs to the last shallower one.
private struct TomlBuilder {
    private var open: [(key: String, node: TomlNode)] = []

    mutating func visit(depth: Int, key: String, line: Int, value: TomlNode.Value) {
        close(to: depth)
        open.append((key, TomlNode(line: line, value: value)))
    }

    mutating func finish() -> TomlNode {
        close(to: 1)
        return open.first?.node ?? TomlNode(line: 1, value: .table([]))
    }

    private mutating func close(to depth: Int) {
        while open.count > max(depth, 1) {
            let child = open.removeLast()
            let parent = open.count - 1
            switch open[parent].node.value {
            case .array(var elements):
                elements.append(child.node)
                open[parent].node.value = .array(elements)
            case .table(var members):
                members.append(child)
                open[parent].node.value = .table(members)
            default: preconditionFailure("a TOML value inside \(open[parent].node.kind)")
            }
        }
    }
}

private func visitTomlNode(
    context: UnsafeMutableRawPointer?, depth: Int32, key: UnsafePointer<CChar>?, keyLength: Int, kind: PostoTomlKind,
    text: UnsafePointer<CChar>?, textLength: Int, integer: Int64, number: Double, line: Int32, column: Int32
) {
    func string(_ start: UnsafePointer<CChar>?, _ length: Int) -> String {
        guard let start, length > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
    let value: TomlNode.Value =
        switch kind {
        case POSTO_TOML_STRING: .string(string(text, textLength))
        case POSTO_TOML_INTEGER: .integer(integer)
        case POSTO_TOML_FLOAT: .float(number)
        case POSTO_TOML_BOOLEAN: .boolean(integer != 0)
        case POSTO_TOML_ARRAY: .array([])
        case POSTO_TOML_TABLE: .table([])
        default: .other
        }
    // SAFETY: `context` is the builder that `TomlNode.parse` lends for the length of the call; nothing else touches it meanwhile.
    context!.assumingMemoryBound(to: TomlBuilder.self).pointee.visit(
        depth: Int(depth), key: string(key, keyLength), line: Int(line), value: value)
}

/// One Rego text as it was read: its name and its bytes.
///
/// Shared by the module, its errors and its formatter; immutable, so it may cross threads.
public final class SourceText: Sendable {
    /// What errors call it: a file name, or empty for a query typed by a person.
    public let name: String
    /// UTF-8, exactly as read.
    public let bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    public convenience init(name: String, text: String) {
        self.init(name: name, bytes: Array(text.utf8))
    }

    /// The text of a place; invalid UTF-8 is replaced.
    public func text(of location: Location) -> String {
        String(decoding: self[location], as: UTF8.self)
    }

    /// The bytes of a place; empty when it is not of this text.
    public subscript(location: Location) -> ArraySlice<UInt8> {
        let start = Int(location.offset)
        let end = Int(location.end)
        guard start <= end, end <= bytes.count else { return [] }
        return bytes[start..<end]
    }
}

/// Where a node stands in its `SourceText`.
///
/// The file is the module's (`Module.source`): a node is 16 bytes smaller for not repeating it.
/// Offsets are 32 bits; `SyntaxLimits.sourceBytesMax` keeps texts far below that.
public struct Location: Equatable, Hashable, Sendable {
    /// Bytes from the start of the text.
    public var offset: UInt32
    /// The byte after the node's last one.
    public var end: UInt32
    /// Counted from 1; 0 means that the node was not read from a text.
    public var row: UInt32
    /// Counted from 1, in Unicode scalars, as OPA counts.
    public var column: UInt32

    public init(offset: UInt32, end: UInt32, row: UInt32, column: UInt32) {
        self.offset = offset
        self.end = end
        self.row = row
        self.column = column
    }

    /// The place of what was made rather than read.
    public static let none = Location(offset: 0, end: 0, row: 0, column: 0)
}

/// One value or key on the tape: 16 bytes, so that four lie in a cache line.
struct JSONNode {
    enum Kind: UInt8 { case null, falsehood, truth, integer, double, bigNumber, string, array, object }

    /// Where its text begins in the source: the first digit, the opening quote or bracket.
    let offset: UInt32
    /// The kind in the low 8 bits. Above them, of a container: how many members or elements, held at `countMax`;
    /// of a string: 1 if it had escapes and its text therefore lies in `JSONDocument.decoded`.
    private let meta: UInt32
    /// integer, double: the bits. bigNumber: the length of its text. A plain string: length, fingerprint. One with escapes: length,
    /// offset in `decoded`. A container: the node after it, and the offset of its closing bracket.
    let payload: UInt64

    static let countMax = 0xff_ffff

    init(_ kind: Kind, offset: Int, extra: Int = 0, payload: UInt64 = 0) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.meta = UInt32(kind.rawValue) | UInt32(truncatingIfNeeded: min(extra, Self.countMax)) << 8
        self.payload = payload
    }

    init(_ kind: Kind, offset: Int, extra: Int = 0, low: Int, high: UInt32) {
        self.init(kind, offset: offset, extra: extra, payload: UInt64(high) << 32 | UInt64(UInt32(truncatingIfNeeded: low)))
    }

    // SAFETY: `meta` is only ever made from a `Kind`.
    var kind: Kind { unsafeBitCast(UInt8(truncatingIfNeeded: meta), to: Kind.self) }
    var extra: Int { Int(meta >> 8) }
    var low: Int { Int(UInt32(truncatingIfNeeded: payload)) }
    var high: UInt32 { UInt32(truncatingIfNeeded: payload >> 32) }
    var isContainer: Bool { UInt8(truncatingIfNeeded: meta) >= Kind.array.rawValue }
    var hasEscapes: Bool { extra == 1 }
}

/// The growing memory of the nodes: an array without its checks, because it is written once for each value of a document.
struct JSONTape: ~Copyable {
    private(set) var nodes: UnsafeMutablePointer<JSONNode>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        nodes = .allocate(capacity: capacity)
    }

    @inline(__always)
    mutating func append(_ node: JSONNode) {
        if count == capacity { grow() }
        (nodes + count).initialize(to: node)
        count += 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<JSONNode>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: nodes, count: count)
        nodes.deallocate()
        nodes = larger
        capacity *= 2
    }

    /// Gives the memory to a document, which frees it.
    consuming func release() -> UnsafeBufferPointer<JSONNode> {
        let result = UnsafeBufferPointer(start: nodes, count: count)
        discard self
        return result
    }

    deinit { nodes.deallocate() }
}

/// 32 bits of a key's text, kept beside its length so that most comparisons need one word. Not a defence: equal ones are compared in full.
enum JSONFingerprint {
    @inline(__always)
    static func of(_ text: UnsafePointer<UInt8>, _ length: Int) -> UInt32 {
        let raw = UnsafeRawPointer(text)
        if length >= 4 {
            let head = raw.loadUnaligned(as: UInt32.self)
            let tail = (raw + length - 4).loadUnaligned(as: UInt32.self)
            return head &* 0x9e37_79b1 ^ tail
        }
        if length == 0 { return 0 }
        return UInt32(text[0]) | UInt32(text[length / 2]) << 8 | UInt32(text[length - 1]) << 16
    }
}

/// Finds a key that an object says twice.
struct JSONKeyCheck {
    /// Open addressing over node numbers; kept for the next large object.
    private var table: [UInt32] = []

    /// The node of the second of two equal keys; nil if all differ. `object` is still open and ends the tape.
    @inline(__always)
    mutating func duplicate(
        in tape: borrowing JSONTape, object: Int, count: Int, bytes: UnsafeBufferPointer<UInt8>, decoded: [UInt8]
    ) -> Int? {
        let source = Source(nodes: tape.nodes, bytes: bytes, decoded: decoded)
        if count <= Limits.jsonPairwiseKeysMax { return Self.pairwise(source, first: object + 1, count: count) }
        return hashed(source, first: object + 1, count: count)
    }

    private struct Source {
        let nodes: UnsafeMutablePointer<JSONNode>
        let bytes: UnsafeBufferPointer<UInt8>
        let decoded: [UInt8]

        func keyAfter(_ key: Int) -> Int {
            let value = nodes[key + 1]
            return value.isContainer ? value.low : key + 2
        }

        func isEqual(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (nodes[a], nodes[b])
            guard x.low == y.low else { return false }
            if !x.hasEscapes, !y.hasEscapes, x.high != y.high { return false }
            return withText(a) { p in withText(b) { q in p.isEqual(to: q) } }
        }

        func withText<R>(_ key: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
            let node = nodes[key]
            if node.hasEscapes {
                let start = Int(node.high)
                return decoded.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start..<start + node.low])) }
            }
            let start = Int(node.offset) + 1
            return body(UnsafeBufferPointer(rebasing: bytes[start..<start + node.low]))
        }
    }

    /// Most objects end after one look at each key: a bit of its length and fingerprint that no key before it had.
    @inline(__always)
    private static func pairwise(_ source: Source, first: Int, count: Int) -> Int? {
        var seen: UInt64 = 0
        var key = first
        for i in 0..<count {
            let node = source.nodes[key]
            // A key with escapes has no fingerprint; it is compared with all, and all after it with it.
            let bit: UInt64 = node.hasEscapes ? .max : 1 << ((node.payload &* 0x9e37_79b9_7f4a_7c15) >> 58)
            if seen & bit != 0 || (node.hasEscapes && i > 0) {
                var other = first
                for _ in 0..<i {
                    if source.isEqual(key, other) { return key }
                    other = source.keyAfter(other)
                }
            }
            seen |= bit
            key = source.keyAfter(key)
        }
        return nil
    }

    /// Hashed with Swift's seeded hash, so that nobody can send keys that collide.
    @inline(never)
    private mutating func hashed(_ source: Source, first: Int, count: Int) -> Int? {
        var capacity = 64
        while capacity < count * 2 { capacity *= 2 }
        let none = UInt32.max
        table.removeAll(keepingCapacity: true)
        table.append(contentsOf: repeatElement(none, count: capacity))
        var key = first
        for _ in 0..<count {
            var hasher = Hasher()
            source.withText(key) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            var slot = hasher.finalize() & (capacity - 1)
            while table[slot] != none {
                if source.isEqual(key, Int(table[slot])) { return key }
                slot = (slot + 1) & (capacity - 1)
            }
            table[slot] = UInt32(key)
            key = source.keyAfter(key)
        }
        return nil
    }
}

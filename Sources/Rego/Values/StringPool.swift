/// The strings that a program and its data know, each once: two pooled strings are equal when their pointers are.
///
/// Values of two pools never meet in one evaluation. A frozen pool may be read by many threads.
///
/// A pool may stand on another one, which is frozen then: a query's pool on its policy's.
// SAFETY: written by the one who builds it, before it is shared; `Program` only keeps pools that nobody writes any more.
public final class StringPool: @unchecked Sendable {
    private let below: StringPool?
    private let arena = Arena()
    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    public private(set) var count = 0

    /// 16 bytes, so that a look-up touches one cache line: the hash, the length, and where the bytes are.
    struct Slot {
        var hash: UInt32
        var length: UInt32
        var bytes: UnsafeRawPointer?
    }

    public init(on below: StringPool? = nil) {
        precondition(below?.below == nil, "a pool stands on a policy's pool, not on a query's")
        self.below = below
        mask = 63
        slots = .allocate(capacity: 64)
        slots.initialize(repeating: Slot(hash: 0, length: 0, bytes: nil), count: 64)
    }

    deinit { slots.deallocate() }

    /// The pooled string of these bytes, if there is one.
    @inline(__always) func find(_ bytes: UnsafeRawBufferPointer, hash: UInt32) -> Value? {
        if let below, let found = below.own(bytes, hash: hash) { return found }
        return own(bytes, hash: hash)
    }

    @inline(__always) private func own(_ bytes: UnsafeRawBufferPointer, hash: UInt32) -> Value? {
        if count == 0 { return nil }
        var at = Int(hash) & mask
        while true {
            let slot = slots[at]
            guard let found = slot.bytes else { return nil }
            if slot.hash == hash, Int(slot.length) == bytes.count,
                Value.compareBytes(UnsafeRawBufferPointer(start: found, count: bytes.count), bytes) == 0
            {
                return Value(pointer: found, tag: Value.Tag.pooledString, count: bytes.count)
            }
            at = (at &+ 1) & mask
        }
    }

    /// The tables alone, for a reader that counts no references. Valid until a string is added, and as long as the pool.
    struct View {
        let slots: UnsafePointer<Slot>
        let mask: Int
        let slotsBelow: UnsafePointer<Slot>?
        let maskBelow: Int
    }

    var view: View {
        View(
            slots: UnsafePointer(slots), mask: mask, slotsBelow: (below?.slots).map { UnsafePointer($0) }, maskBelow: below?.mask ?? 0)
    }

    /// The pooled string of these bytes, which is added when it is new.
    func intern(_ bytes: UnsafeRawBufferPointer) -> Value {
        let hash = Value.hash(bytes)
        if let found = find(bytes, hash: hash) { return found }
        if (count + 1) * 5 > (mask + 1) * 3 { grow() }
        let copy = arena.string(bytes)
        insert(Slot(hash: hash, length: copy.length, bytes: copy.pointer))
        count += 1
        return Value(pointer: copy.pointer, tag: Value.Tag.pooledString, count: bytes.count)
    }

    func intern(_ text: String) -> Value {
        var copy = text
        return copy.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
    }

    private func insert(_ slot: Slot) {
        var at = Int(slot.hash) & mask
        while slots[at].bytes != nil { at = (at &+ 1) & mask }
        slots[at] = slot
    }

    private func grow() {
        let old = slots
        let size = mask + 1
        mask = size * 2 - 1
        slots = .allocate(capacity: size * 2)
        slots.initialize(repeating: Slot(hash: 0, length: 0, bytes: nil), count: size * 2)
        for index in 0..<size where old[index].bytes != nil { insert(old[index]) }
        old.deallocate()
    }
}

import Glibc

/// Rego's order: null, booleans, numbers, strings, arrays, objects, sets; each kind in its own order.
extension Value: Equatable, Comparable {
    @inline(__always) public static func == (left: Value, right: Value) -> Bool {
        if left.bits == right.bits && left.meta == right.meta { return true }
        if max(left.tag, right.tag) <= Tag.pooledString { return false }
        return equalSlow(left, right)
    }

    @inline(never) private static func equalSlow(_ left: Value, _ right: Value) -> Bool {
        switch (left.kind, right.kind) {
        case (.string, .string):
            return left.length == right.length && left.hash == right.hash && compareBytes(left.textBytes, right.textBytes) == 0
        case (.number, .number): return compareNumbers(left, right) == 0
        case (.array, .array), (.set, .set):
            guard left.length == right.length else { return false }
            for index in 0..<Int(left.length) where !(left.slot(index) == right.slot(index)) { return false }
            return true
        case (.object, .object):
            guard left.length == right.length else { return false }
            let (mine, theirs) = (left.keys, right.keys)
            if mine.bits != theirs.bits {
                for index in 0..<Int(left.length) where !(mine.slot(index) == theirs.slot(index)) { return false }
            }
            for index in 0..<Int(left.length) where !(left.slot(index) == right.slot(index)) { return false }
            return true
        default: return false
        }
    }

    public static func < (left: Value, right: Value) -> Bool { compare(left, right) < 0 }

    /// Negative, zero or positive.
    public static func compare(_ left: Value, _ right: Value) -> Int {
        if left.tag == Tag.integer && right.tag == Tag.integer {
            let (a, b) = (Int64(bitPattern: left.bits), Int64(bitPattern: right.bits))
            return a < b ? -1 : (a == b ? 0 : 1)
        }
        let (mine, theirs) = (left.kind, right.kind)
        if mine != theirs { return mine < theirs ? -1 : 1 }
        switch mine {
        case .undefined, .null: return 0
        case .boolean: return Int(left.bits) - Int(right.bits)
        case .number: return compareNumbers(left, right)
        case .string: return left.bits == right.bits ? 0 : compareBytes(left.textBytes, right.textBytes)
        case .array, .set: return compareSlots(left, right)
        case .object:
            // As OPA: key against key and value against value, entry by entry; then the one with fewer.
            let (keys, otherKeys) = (left.keys, right.keys)
            for index in 0..<min(left.count, right.count) {
                let byKey = compare(keys.slot(index), otherKeys.slot(index))
                if byKey != 0 { return byKey }
                let byValue = compare(left.slot(index), right.slot(index))
                if byValue != 0 { return byValue }
            }
            return left.count - right.count
        }
    }

    private static func compareSlots(_ left: Value, _ right: Value) -> Int {
        for index in 0..<min(left.count, right.count) {
            let order = compare(left.slot(index), right.slot(index))
            if order != 0 { return order }
        }
        return left.count - right.count
    }

    /// The order of two strings of an arena or a pool, whose memory ends no sooner than the word that their last byte is in.
    @inline(__always) static func compareText(_ left: Value, _ right: Value) -> Int {
        let (mine, theirs) = (firstBytes(left), firstBytes(right))
        if mine != theirs { return mine < theirs ? -1 : 1 }
        if left.length <= 8 || right.length <= 8 { return Int(left.length) &- Int(right.length) }
        return compareBytes(left.textBytes, right.textBytes)
    }

    /// The first eight bytes as a number that has the order of the text.
    @inline(__always) private static func firstBytes(_ text: Value) -> UInt64 {
        let word = UInt64(bigEndian: text.pointer.load(as: UInt64.self))
        return text.length >= 8 ? word : word & ~(~0 &>> (UInt64(text.length) &* 8))
    }

    static func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let shared = min(left.count, right.count)
        if shared > 0 {
            let order = Int(memcmp(left.baseAddress!, right.baseAddress!, shared))
            if order != 0 { return order }
        }
        return left.count - right.count
    }

    private static func compareNumbers(_ left: Value, _ right: Value) -> Int {
        if left.tag == Tag.integer && right.tag == Tag.integer {
            let (a, b) = (Int64(bitPattern: left.bits), Int64(bitPattern: right.bits))
            return a < b ? -1 : (a == b ? 0 : 1)
        }
        return left.withNumberText { mine in right.withNumberText { NumberText.compare(mine, $0) } }
    }

    /// Lends the text of a number, whichever way it is held.
    private func withNumberText<R>(_ body: (NumberText) -> R) -> R {
        if tag == Tag.number { return body(NumberText(textBytes)) }
        var text = String(Int64(bitPattern: bits))
        return text.withUTF8 { body(NumberText(UnsafeRawBufferPointer($0))) }
    }
}

extension Value: Hashable {
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    /// Equal for equal values; the same in every process, as images hold tables of it.
    @inline(__always) var hash: UInt32 {
        tag == Tag.pooledString || tag == Tag.string ? (pointer - 8).load(as: UInt32.self) : slowHash
    }

    @inline(never) private var slowHash: UInt32 {
        switch kind {
        case .undefined: return 1
        case .null: return 2
        case .boolean: return 3 + UInt32(truncatingIfNeeded: bits)
        case .number: return Value.mix((asDouble ?? 0).bitPattern, 0x9E37_79B9)
        case .string: return (pointer - 8).load(as: UInt32.self)
        case .array, .set:
            var hash: UInt32 = kind == .set ? 7 : 5
            for index in 0..<Int(length) { hash = Value.mix(UInt64(slot(index).hash), hash) }
            return hash
        case .object:
            var hash: UInt32 = 11
            let keys = self.keys
            for index in 0..<Int(length) {
                hash = Value.mix(UInt64(keys.slot(index).hash) << 32 | UInt64(slot(index).hash), hash)
            }
            return hash
        }
    }

    @inline(__always) static func mix(_ word: UInt64, _ seed: UInt32) -> UInt32 {
        let product = (word ^ UInt64(seed) &* 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        let folded = product.high ^ product.low
        return UInt32(truncatingIfNeeded: folded ^ folded >> 32)
    }

    /// The hash of a string's bytes, eight at a time. The reader of JSON calculates the same while it looks for the end of a string.
    @inline(__always) static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var state = hashStart
        var left = bytes.count
        guard var at = bytes.baseAddress else { return hashEnd(state, 0) }
        while left >= 8 {
            state = step(state, at.loadUnaligned(as: UInt64.self))
            at += 8
            left &-= 8
        }
        if left > 0 { state = step(state, lastWord(at, left)) }
        return hashEnd(state, bytes.count)
    }

    /// Fewer than eight bytes, the first one lowest.
    @inline(__always) static func lastWord(_ at: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var last: UInt64 = 0
        for index in 0..<count { last |= UInt64(at.load(fromByteOffset: index, as: UInt8.self)) &<< UInt64(index &* 8) }
        return last
    }

    static let hashStart: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always) static func step(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (state ^ word) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ mixed &>> 29
    }

    @inline(__always) static func hashEnd(_ state: UInt64, _ count: Int) -> UInt32 {
        let mixed = step(state, UInt64(truncatingIfNeeded: count))
        return UInt32(truncatingIfNeeded: mixed ^ mixed &>> 32)
    }
}

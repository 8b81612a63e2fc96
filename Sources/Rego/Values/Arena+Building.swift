/// Making values: strings, numbers, arrays, sets and objects.
extension Arena {
    /// A string of bytes that are UTF-8.
    public func string(_ bytes: UnsafeRawBufferPointer) -> Value { text(bytes, tag: Value.Tag.string) }

    public func string(_ text: some StringProtocol) -> Value {
        var copy = String(text)
        return copy.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    public func string(_ bytes: [UInt8]) -> Value { bytes.withUnsafeBytes { string($0) } }

    private func text(_ bytes: UnsafeRawBufferPointer, tag: UInt32) -> Value { text(bytes, tag: tag, hash: Value.hash(bytes)) }

    /// A string whose hash is known.
    func string(_ bytes: UnsafeRawBufferPointer, hash: UInt32) -> Value { text(bytes, tag: Value.Tag.string, hash: hash) }

    @inline(__always) private func text(_ bytes: UnsafeRawBufferPointer, tag: UInt32, hash: UInt32) -> Value {
        let block = take(bytes.count &+ 8)
        block.storeBytes(of: hash, as: UInt32.self)
        (block + 4).storeBytes(of: UInt32(truncatingIfNeeded: bytes.count), as: UInt32.self)
        if let start = bytes.baseAddress { (block + 8).copyMemory(from: start, byteCount: bytes.count) }
        return Value(pointer: block + 8, tag: tag, count: bytes.count)
    }

    /// The number that a text says. The caller has checked that it is a number; integers of `Int64` in their usual form are held as such.
    public func number(text bytes: UnsafeRawBufferPointer) -> Value {
        if let value = Arena.plainInteger(bytes) { return Value(value) }
        return text(bytes, tag: Value.Tag.number)
    }

    public func number(text: some StringProtocol) -> Value {
        var copy = String(text)
        return copy.withUTF8 { number(text: UnsafeRawBufferPointer($0)) }
    }

    /// The value of digits with or without a minus; nil for everything else, also for what does not fit and for "-0".
    static func plainInteger(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let negative = bytes.first == UInt8(ascii: "-")
        let start = negative ? 1 : 0
        guard bytes.count > start, bytes.count - start <= 19 else { return nil }
        if bytes[start] == 0x30 && (bytes.count > start + 1 || negative) { return nil }
        var value: UInt64 = 0
        for index in start..<bytes.count {
            let digit = bytes[index] &- 0x30
            if digit > 9 { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        if negative { return value <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return Int64(exactly: value)
    }

    public func array(_ elements: [Value]) -> Value { elements.withUnsafeBufferPointer { array($0) } }

    @inline(__always) func array(_ elements: UnsafeMutableBufferPointer<Value>) -> Value { array(UnsafeBufferPointer(elements)) }

    @inline(__always) func array(_ elements: UnsafeBufferPointer<Value>) -> Value {
        if elements.isEmpty { return .emptyArray }
        let block = take(elements.count &* 16)
        let start = elements.baseAddress.unsafelyUnwrapped
        if elements.count == 1 {
            block.storeBytes(of: start[0], as: Value.self)
        } else {
            block.copyMemory(from: start, byteCount: elements.count &* 16)
        }
        return Value(pointer: block, tag: Value.Tag.array, count: elements.count)
    }

    /// The set of these members, in any order and with repetitions.
    public func set(_ members: [Value]) -> Value {
        var sorted = members
        Arena.sortUnlessSorted(&sorted)
        return set(sorted: sorted)
    }

    /// The set of members that are in Rego's order already; repetitions are dropped.
    func set(sorted members: [Value]) -> Value {
        if members.isEmpty { return .emptySet }
        let block = take(members.count &* 16 &+ 16) + 16
        var count = 0
        var last = Value.undefined
        for member in members {
            if count > 0 && last == member { continue }
            (block + count &* 16).storeBytes(of: member, as: Value.self)
            last = member
            count += 1
        }
        addTable(block, count: count)
        return Value(pointer: block, tag: Value.Tag.set, count: count)
    }

    private static func sortUnlessSorted(_ values: inout [Value]) {
        for index in values.indices.dropFirst() where Value.compare(values[index - 1], values[index]) >= 0 {
            values.sort()
            return
        }
    }

    /// The object of these entries, in any order; of entries with equal keys the last one stays, as in JSON.
    public func object(_ entries: [(key: Value, value: Value)]) -> Value {
        object(entries, onConflict: { _, last in last })
    }

    /// The object of these entries; `onConflict` decides when a key comes twice.
    func object(_ entries: [(key: Value, value: Value)], onConflict: (Value, Value) -> Value) -> Value {
        if entries.isEmpty { return .emptyObject }
        var order = entries
        var isSorted = true
        for index in order.indices.dropFirst() where Value.compare(order[index - 1].key, order[index].key) >= 0 {
            isSorted = false
            break
        }
        // The library's sort is stable, so the last one of equal keys is the last one written.
        if !isSorted { order.sort { Value.compare($0.key, $1.key) < 0 } }
        let values = take(order.count &* 16 &+ 16) + 16
        let keys = take(order.count &* 16 &+ 16) + 16
        var count = 0
        for (key, value) in order {
            if count > 0, (keys + (count - 1) &* 16).load(as: Value.self) == key {
                let slot = values + (count - 1) &* 16
                slot.storeBytes(of: onConflict(slot.load(as: Value.self), value), as: Value.self)
                continue
            }
            (keys + count &* 16).storeBytes(of: key, as: Value.self)
            (values + count &* 16).storeBytes(of: value, as: Value.self)
            count += 1
        }
        (values - 8).storeBytes(of: UInt64(UInt(bitPattern: keys)), as: UInt64.self)
        addTable(keys, count: count)
        return Value(pointer: values, tag: Value.Tag.object, count: count)
    }

    /// The object of keys and values in turn; of equal keys the last one stays. The memory of `pairs` is sorted in place.
    func object(pairs: UnsafeMutableBufferPointer<Value>) -> Value {
        let count = pairs.count / 2
        guard count <= 16 else {
            return object((0..<count).map { (pairs[$0 * 2], pairs[$0 * 2 + 1]) })
        }
        if count == 0 { return .emptyObject }
        let values = take(count &* 32 &+ 32) + 16
        let keys = values + (count &* 16 &+ 16)
        var made = 0
        for index in 0..<count {
            let key = pairs[index &* 2]
            // Most objects are written in order or nearly so.
            var at = made
            while at > 0 {
                let other = (keys + (at &- 1) &* 16).load(as: Value.self)
                let order = key.isString && other.isString ? Value.compareText(other, key) : Value.compare(other, key)
                if order < 0 { break }
                if order == 0 {
                    at = -at
                    break
                }
                at &-= 1
            }
            if at < 0 {
                (values + (-at &- 1) &* 16).storeBytes(of: pairs[index &* 2 &+ 1], as: Value.self)
                continue
            }
            if at < made {
                (keys + (at &+ 1) &* 16).copyMemory(from: keys + at &* 16, byteCount: (made &- at) &* 16)
                (values + (at &+ 1) &* 16).copyMemory(from: values + at &* 16, byteCount: (made &- at) &* 16)
            }
            (keys + at &* 16).storeBytes(of: key, as: Value.self)
            (values + at &* 16).storeBytes(of: pairs[index &* 2 &+ 1], as: Value.self)
            made &+= 1
        }
        (values - 8).storeBytes(of: UInt64(UInt(bitPattern: keys)), as: UInt64.self)
        addTable(keys, count: made)
        return Value(pointer: values, tag: Value.Tag.object, count: made)
    }

    /// An object that has the keys of another, with other values in the same order; the keys are shared.
    func object(keysOf other: Value, values list: [Value]) -> Value {
        if list.isEmpty { return .emptyObject }
        precondition(other.isObject && other.count == list.count && !other.isInImage, "as many values as keys")
        let values = take(list.count &* 16 &+ 16) + 16
        list.withUnsafeBytes { values.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        (values - 8).storeBytes(of: other.keys.bits, as: UInt64.self)
        return Value(pointer: values, tag: Value.Tag.object, count: list.count)
    }

    /// Writes the 16 bytes before a block of members, and the table that a large one has.
    func addTable(_ block: UnsafeMutableRawPointer, count: Int) {
        guard count >= Value.tableMin else {
            (block - 16).storeBytes(of: 0, as: UInt64.self)
            (block - 8).storeBytes(of: 0, as: UInt64.self)
            return
        }
        var size = 32
        while size * 5 < count * 8 { size <<= 1 }
        let table = take(size &* 8)
        table.initializeMemory(as: UInt8.self, repeating: 0, count: size &* 8)
        for index in 0..<count {
            let hash = (block + index &* 16).load(as: Value.self).hash
            var at = Int(hash) & (size &- 1)
            for _ in 0..<Value.probesMax {
                if (table + at &* 8).load(as: UInt64.self) == 0 {
                    (table + at &* 8).storeBytes(of: UInt64(index &+ 1) << 32 | UInt64(hash), as: UInt64.self)
                    break
                }
                at = (at &+ 1) & (size &- 1)
            }
        }
        (block - 16).storeBytes(of: UInt64(UInt(bitPattern: table)), as: UInt64.self)
        (block - 8).storeBytes(of: UInt32(size &- 1), as: UInt32.self)
        (block - 4).storeBytes(of: 0, as: UInt32.self)
    }
}

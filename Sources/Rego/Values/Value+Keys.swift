/// Finding a member: how sets, and the keys of objects, are looked through.
///
/// A block of members has 16 bytes in front: the address of a table (0: none; a distance in an image) and the table's mask.
/// The table has slots of 8 bytes, the hash and the index + 1, probed one after another at most `probesMax` times; who is not found by then
/// is looked for by halving, so that keys which were chosen to collide cost no more than a sorted list does.
extension Value {
    static let linearMax = 8
    static let probesMax = 16
    /// Smaller blocks have no table: halving a few cache lines is as quick.
    static let tableMin = 17

    /// Where a set has the member; nil when it has not.
    public func index(of member: Value) -> Int? {
        let index = isSet ? find(member) : -1
        return index < 0 ? nil : index
    }

    /// The index of the member of a set, or -1.
    @inline(__always) func find(_ member: Value) -> Int {
        if length <= UInt32(Value.linearMax), member.tag <= Tag.pooledString { return findFew(member) }
        return findMany(member)
    }

    /// A few members: those that are the same bits need no second look.
    @inline(__always) private func findFew(_ member: Value) -> Int {
        let count = Int(length)
        var index = 0
        let start = pointer
        let relative = isInImage
        while index < count {
            let one = Value.load(start + index &* 16, relative: relative)
            if one.bits == member.bits && one.tag == member.tag { return index }
            index &+= 1
        }
        // Only strings outside of the pool and numbers as text can still be equal.
        return member.tag >= Tag.integer ? findByOrder(member) : -1
    }

    @inline(never) private func findMany(_ member: Value) -> Int {
        guard length >= UInt32(Value.tableMin) else { return findByOrder(member) }
        let header = pointer - 16
        var table = header.load(as: UInt64.self)
        guard table != 0 else { return findByOrder(member) }
        if isInImage { table &+= UInt64(UInt(bitPattern: header)) }
        let slots = UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: table)).unsafelyUnwrapped
        let mask = Int((header + 8).load(as: UInt32.self))
        let hash = member.hash
        var at = Int(hash) & mask
        for _ in 0..<Value.probesMax {
            let found = (slots + at &* 8).load(as: UInt64.self)
            if found == 0 { return -1 }
            if UInt32(truncatingIfNeeded: found) == hash {
                let index = Int(found >> 32) &- 1
                if slot(index) == member { return index }
            }
            at = (at &+ 1) & mask
        }
        return findByOrder(member)
    }

    @inline(never) private func findByOrder(_ member: Value) -> Int {
        var low = 0
        var high = Int(length)
        while low < high {
            let middle = (low &+ high) >> 1
            let order = Value.compare(slot(middle), member)
            if order == 0 { return middle }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return -1
    }

    /// Where a set has a string of this text.
    func index(ofText text: UnsafeRawBufferPointer) -> Int? {
        var low = 0
        var high = Int(length)
        while low < high {
            let middle = (low &+ high) >> 1
            let one = slot(middle)
            let order = one.isString ? Value.compareBytes(one.textBytes, text) : (one.kind < .string ? -1 : 1)
            if order == 0 { return middle }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }
}

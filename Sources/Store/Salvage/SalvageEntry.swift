/// Where a record was found, in 16 bytes, so that the index of 24 million records is a file of 384 MB.
///
/// `place`: table id (8 bits) · removal (1) · live (1) · page (34) · node (15). `prefix`: the first eight bytes of the key after the table
/// id, big-endian, which order most records without a look at the page.
struct SalvageEntry {
    let place: UInt64
    let prefix: UInt64

    init(key: UnsafeRawBufferPointer, isRemoval: Bool, isLive: Bool, page: Int, node: Int) {
        place = UInt64(key[0]) << 51 | (isRemoval ? 1 << 50 : 0) | (isLive ? 1 << 49 : 0) | UInt64(page) << 15 | UInt64(node)
        var prefix: UInt64 = 0
        for index in 1...8 { prefix = prefix << 8 | (index < key.count ? UInt64(key[index]) : 0) }
        self.prefix = prefix
    }

    var table: UInt8 { UInt8(truncatingIfNeeded: place >> 51) }
    /// A record of a stream that tells of a removal, filed under the key of the row that was removed.
    var isRemoval: Bool { place >> 50 & 1 == 1 }
    var isLive: Bool { place >> 49 & 1 == 1 }
    var page: Int { Int(place >> 15 & (1 << 34 - 1)) }
    var node: Int { Int(place & 0x7FFF) }
}

extension UnsafeMutableBufferPointer {
    /// Sorts in place and takes no memory, unlike `sort`, which keeps half of the elements aside. The order of equal elements is not kept.
    func sortInPlace(by isBefore: (Element, Element) -> Bool) {
        var (low, high) = (0, count)
        while high - low > 16 {
            let pivot = self[medianIndex(low, low + (high - low) / 2, high - 1, isBefore)]
            var (left, right) = (low, high - 1)
            while left <= right {
                while isBefore(self[left], pivot) { left += 1 }
                while isBefore(pivot, self[right]) { right -= 1 }
                guard left <= right else { break }
                swapAt(left, right)
                left += 1
                right -= 1
            }
            // The shorter part by recursion, the longer by the loop, so that the stack stays shallow.
            if right + 1 - low < high - left {
                UnsafeMutableBufferPointer(rebasing: self[low..<right + 1]).sortInPlace(by: isBefore)
                low = left
            } else {
                UnsafeMutableBufferPointer(rebasing: self[left..<high]).sortInPlace(by: isBefore)
                high = right + 1
            }
        }
        guard high - low > 1 else { return }
        for index in low + 1..<high {
            let element = self[index]
            var hole = index
            while hole > low, isBefore(element, self[hole - 1]) {
                self[hole] = self[hole - 1]
                hole -= 1
            }
            self[hole] = element
        }
    }

    private func medianIndex(_ a: Int, _ b: Int, _ c: Int, _ isBefore: (Element, Element) -> Bool) -> Int {
        if isBefore(self[a], self[b]) {
            return isBefore(self[b], self[c]) ? b : isBefore(self[a], self[c]) ? c : a
        }
        return isBefore(self[a], self[c]) ? a : isBefore(self[b], self[c]) ? c : b
    }
}

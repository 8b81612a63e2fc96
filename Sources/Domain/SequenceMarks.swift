/// Which numbers of a sequence that begins at 1 are there: all through `high` but those in `gaps`.
///
/// What a receiver has of a stream, and what a sink knows of it. A value.
package struct SequenceMarks: Equatable, Sendable {
    /// The greatest number that is there; 0: none.
    package private(set) var high: UInt64
    /// Missing below `high`: ascending, apart from each other, both ends included.
    package private(set) var gaps: [ClosedRange<UInt64>]

    /// Everything through `high`.
    package init(through high: UInt64 = 0) {
        self.high = high
        gaps = []
    }

    /// What an answer says; nil if the ranges are not ascending or not below `high`.
    package init?(high: UInt64, gaps: [ClosedRange<UInt64>]) {
        var before: UInt64 = 0
        for gap in gaps {
            guard gap.lowerBound > before, gap.upperBound < high else { return nil }
            before = gap.upperBound
        }
        self.high = high
        self.gaps = []
        for gap in gaps {
            if let last = self.gaps.last, last.upperBound + 1 == gap.lowerBound {
                self.gaps[self.gaps.count - 1] = last.lowerBound...gap.upperBound
            } else {
                self.gaps.append(gap)
            }
        }
    }

    /// The number through which everything is there.
    package var contiguous: UInt64 { gaps.first.map { $0.lowerBound - 1 } ?? high }

    package func contains(_ number: UInt64) -> Bool {
        number <= high && number > 0 && !gaps.contains { $0.contains(number) }
    }

    /// Adds a number.
    package mutating func insert(_ number: UInt64) { insert(number...number) }

    /// Adds a range, both ends included.
    package mutating func insert(_ range: ClosedRange<UInt64>) {
        precondition(range.lowerBound > 0, "sequences begin at 1")
        if range.upperBound > high {
            if range.lowerBound > high + 1 { gaps.append((high + 1)...(range.lowerBound - 1)) }
            high = range.upperBound
        }
        guard let first = gaps.firstIndex(where: { $0.upperBound >= range.lowerBound }), gaps[first].lowerBound <= range.upperBound else {
            return
        }
        var rest: [ClosedRange<UInt64>] = []
        for gap in gaps[first...] {
            if gap.lowerBound > range.upperBound || gap.upperBound < range.lowerBound {
                rest.append(gap)
                continue
            }
            if gap.lowerBound < range.lowerBound { rest.append(gap.lowerBound...(range.lowerBound - 1)) }
            if gap.upperBound > range.upperBound { rest.append((range.upperBound + 1)...gap.upperBound) }
        }
        gaps.replaceSubrange(first..., with: rest)
    }

    /// Adds everything that the other one has.
    package mutating func merge(_ other: SequenceMarks) {
        var from: UInt64 = 1
        for gap in other.gaps {
            if gap.lowerBound > from { insert(from...(gap.lowerBound - 1)) }
            from = gap.upperBound + 1
        }
        if other.high >= from { insert(from...other.high) }
    }

    /// What both have.
    package func intersection(_ other: SequenceMarks) -> SequenceMarks {
        var both = SequenceMarks(through: min(high, other.high))
        for gap in gaps + other.gaps { both.remove(gap) }
        return both
    }

    /// Takes a range out, both ends included.
    package mutating func remove(_ range: ClosedRange<UInt64>) {
        guard range.lowerBound <= high else { return }
        var rest = SequenceMarks()
        var from: UInt64 = 1
        for gap in (gaps + [range]).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if gap.lowerBound > from, from <= high { rest.insert(from...min(high, gap.lowerBound - 1)) }
            from = max(from, gap.upperBound == .max ? .max : gap.upperBound + 1)
        }
        if from <= high { rest.insert(from...high) }
        self = rest
    }

    /// What is missing through `number` will never come: it counts as there.
    package mutating func forget(through number: UInt64) {
        guard number > 0 else { return }
        insert(1...number)
    }

    // MARK: Bytes (Documentation/FORMATS.md §9)

    /// Gaps that fit into one value with the rest of a row.
    package static let storedGapsMax = 240

    package func encode(into bytes: inout [UInt8]) {
        precondition(gaps.count <= Self.storedGapsMax, "more gaps than a row holds")
        func put(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
        put(high)
        put(UInt64(gaps.count))
        for gap in gaps {
            put(gap.lowerBound)
            put(gap.upperBound)
        }
    }

    /// Reads what `encode` wrote; nil for anything else. `at` moves behind it.
    package init?(_ raw: UnsafeRawBufferPointer, at: inout Int) {
        func get() -> UInt64? {
            guard at + 8 <= raw.count else { return nil }
            defer { at += 8 }
            return UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }
        guard let high = get(), let count = get(), count <= UInt64(Self.storedGapsMax) else { return nil }
        var gaps: [ClosedRange<UInt64>] = []
        for _ in 0..<count {
            guard let lower = get(), let upper = get(), lower <= upper else { return nil }
            gaps.append(lower...upper)
        }
        self.init(high: high, gaps: gaps)
    }
}

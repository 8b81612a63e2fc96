/// How long things took, in buckets that fit from a cached look-up to a disk in trouble. Not thread-safe.
package struct Histogram: Sendable {
    /// Upper bounds in seconds.
    package static let bounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    private static let boundsNanoseconds: [UInt64] = bounds.map { UInt64($0 * 1e9) }

    package private(set) var counts = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    package private(set) var sumNanoseconds: UInt64 = 0
    package private(set) var count: UInt64 = 0

    package init() {}

    package mutating func record(nanoseconds: UInt64) {
        var bucket = 0
        while bucket < Self.boundsNanoseconds.count, nanoseconds > Self.boundsNanoseconds[bucket] { bucket += 1 }
        counts[bucket] &+= 1
        sumNanoseconds &+= nanoseconds
        count &+= 1
    }

    /// Takes over counts that were kept elsewhere, by the upper bound of their bucket there.
    package mutating func add(count more: UInt64, upTo nanoseconds: UInt64) {
        var bucket = 0
        while bucket < Self.boundsNanoseconds.count, nanoseconds > Self.boundsNanoseconds[bucket] { bucket += 1 }
        counts[bucket] &+= more
        count &+= more
    }

    package mutating func setSum(nanoseconds: UInt64) { sumNanoseconds = nanoseconds }

    package mutating func merge(_ other: Histogram) {
        for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
        sumNanoseconds &+= other.sumNanoseconds
        count &+= other.count
    }
}

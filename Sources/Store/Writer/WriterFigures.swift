import Synchronization

/// What the writer did so far and how fast, for metrics. Written by the writer, read by any thread, each figure by itself.
package final class WriterFigures: Sendable {
    /// Upper bounds of the buckets of `commitHistogram`, in microseconds; one more bucket holds the rest.
    package static let commitBucketMicroseconds: [UInt64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    ]

    package let batches = Atomic<UInt64>(0)
    package let requests = Atomic<UInt64>(0)
    package let failures = Atomic<UInt64>(0)
    /// Bytes of values and headers handed to LMDB; LMDB writes whole pages, so the disk gets more.
    package let valueBytes = Atomic<UInt64>(0)
    /// Exponentially weighted mean of a commit, in nanoseconds; a new one counts an eighth.
    package let commitNanoseconds = Atomic<UInt64>(0)
    package let commitNanosecondsMax = Atomic<UInt64>(0)
    package let commitNanosecondsSum = Atomic<UInt64>(0)
    /// CLOCK_BOOTTIME when the writer last showed that it is alive: the watchdog asks this. A sleeping writer is alive.
    package let lastAliveNanoseconds = Atomic<UInt64>(0)
    /// Whether it waits for requests: then `lastAliveNanoseconds` stands still for a good reason.
    package let isIdle = Atomic<Bool>(true)
    private let buckets: [Counter]

    private final class Counter: Sendable {
        let value = Atomic<UInt64>(0)
    }

    init() {
        buckets = (0...Self.commitBucketMicroseconds.count).map { _ in Counter() }
    }

    /// How many commits fell into each bucket (not cumulative).
    package var commitHistogram: [UInt64] { buckets.map { $0.value.load(ordering: .relaxed) } }

    func record(requests count: Int, bytes: Int, nanoseconds: UInt64) {
        batches.add(1, ordering: .relaxed)
        requests.add(UInt64(count), ordering: .relaxed)
        valueBytes.add(UInt64(bytes), ordering: .relaxed)
        commitNanosecondsSum.add(nanoseconds, ordering: .relaxed)
        let mean = commitNanoseconds.load(ordering: .relaxed)
        commitNanoseconds.store(mean == 0 ? nanoseconds : mean - mean / 8 + nanoseconds / 8, ordering: .relaxed)
        if nanoseconds > commitNanosecondsMax.load(ordering: .relaxed) { commitNanosecondsMax.store(nanoseconds, ordering: .relaxed) }
        let bounds = Self.commitBucketMicroseconds
        var bucket = 0
        while bucket < bounds.count, nanoseconds > bounds[bucket] * 1_000 { bucket += 1 }
        buckets[bucket].value.add(1, ordering: .relaxed)
    }
}

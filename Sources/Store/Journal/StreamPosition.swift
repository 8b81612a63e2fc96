import Synchronization

/// Where a stream stands after the last commit.
package struct StreamPosition: Equatable, Sendable {
    /// The last durable seq; 0: none yet.
    package var last: UInt64
    /// Everything through it was deleted.
    package var trimmed: UInt64
    package var records: UInt64
    package var bytes: UInt64
}

/// The published position of a stream: written by the writer, read by any thread, each figure by itself.
final class StreamGauge: Sendable {
    private let last = Atomic<UInt64>(0)
    private let trimmed = Atomic<UInt64>(0)
    private let records = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)

    var position: StreamPosition {
        StreamPosition(
            last: last.load(ordering: .acquiring), trimmed: trimmed.load(ordering: .relaxed), records: records.load(ordering: .relaxed),
            bytes: bytes.load(ordering: .relaxed))
    }

    /// The last durable seq alone: what a watcher asks.
    var head: UInt64 { last.load(ordering: .acquiring) }

    func publish(_ row: StreamRow) {
        trimmed.store(row.trimmed, ordering: .relaxed)
        records.store(row.records, ordering: .relaxed)
        bytes.store(row.bytes, ordering: .relaxed)
        last.store(row.last, ordering: .releasing)
    }
}

import Synchronization

/// Where a stream stands after the last commit. Written by the writer, read by any thread, each figure by itself.
package final class StreamPosition: Sendable {
    /// The last durable seq.
    package let last = Atomic<UInt64>(0)
    /// Everything through it was deleted.
    package let trimmed = Atomic<UInt64>(0)
    package let records = Atomic<UInt64>(0)
    package let bytes = Atomic<UInt64>(0)

    func publish(_ row: StreamRow) {
        last.store(row.last, ordering: .releasing)
        trimmed.store(row.trimmed, ordering: .relaxed)
        records.store(row.records, ordering: .relaxed)
        bytes.store(row.bytes, ordering: .relaxed)
    }
}

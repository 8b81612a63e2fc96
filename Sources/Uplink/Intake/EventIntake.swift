import Domain
import Store
import Synchronization

/// Where events of the branch's services come in: the streams that the configuration declares, each with its environment's writer.
///
/// Any thread. What waits for the disk is bounded in bytes, because the writer's queue counts requests only.
// SAFETY: `writers` is set once by `attach`, before the first request.
package final class EventIntake: @unchecked Sendable {
    package struct Stream: Sendable {
        package let name: String
        package let id: StreamID
        package let priority: RecordPriority
        let journal: Journal
        let isBulk: Bool

        package init(name: String, id: StreamID, priority: RecordPriority, journal: Journal, isBulk: Bool) {
            self.name = name
            self.id = id
            self.priority = priority
            self.journal = journal
            self.isBulk = isBulk
        }
    }

    private let streams: [String: Stream]
    private var writers: (state: StoreWriter, bulk: StoreWriter)?
    private let pendingBytes = Atomic<Int>(0)
    private let accepted = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)

    package init(_ streams: [Stream]) {
        self.streams = Dictionary(uniqueKeysWithValues: streams.map { ($0.name, $0) })
    }

    package func attach(state: StoreWriter, bulk: StoreWriter) { writers = (state, bulk) }

    /// The declared stream of that name.
    package func stream(_ name: String) -> Stream? { streams[name] }
    package var names: [String] { streams.keys.sorted() }

    /// Events that are on the disk, and those that were refused because there was no room, since the start.
    package var counts: (accepted: UInt64, refused: UInt64) {
        (accepted.load(ordering: .relaxed), refused.load(ordering: .relaxed))
    }

    /// Takes `bytes` of the room for what waits; false if there is none. Given back when the request is over.
    func reserve(_ bytes: Int) -> Bool {
        let (_, now) = pendingBytes.add(bytes, ordering: .relaxed)
        if now <= Limits.eventBytesPendingMax { return true }
        pendingBytes.subtract(bytes, ordering: .relaxed)
        return false
    }

    func release(_ bytes: Int) { pendingBytes.subtract(bytes, ordering: .relaxed) }
    func count(accepted events: Int) { accepted.add(UInt64(events), ordering: .relaxed) }
    func count(refused events: Int) { refused.add(UInt64(events), ordering: .relaxed) }

    /// Hands events over. `completion` is called once, on the writer's thread.
    ///
    /// - Throws: `.busy` if too much waits, `.closed` while stopping; nothing was taken then and `completion` is never called.
    package func submit(
        _ events: EventLines, to stream: Stream, draft: EventDraft, claim: IdempotencyClaim?,
        render: @escaping @Sendable (AppendOutcome) -> (status: Int, body: [UInt8]),
        completion: @escaping @Sendable (AppendOutcome) -> Void
    ) throws(StoreError) {
        guard let writers else { throw StoreError(.closed, "take events before the start") }
        guard reserve(events.bytes.count) else {
            count(refused: events.ranges.count)
            throw StoreError(.busy, "hold more events that wait for the disk")
        }
        let request = AppendEvents(events, to: stream, draft: draft, claim: claim, intake: self, render: render, completion: completion)
        do throws(StoreError) {
            try (stream.isBulk ? writers.bulk : writers.state).submit(request)
        } catch {
            release(events.bytes.count)
            count(refused: events.ranges.count)
            throw error
        }
    }
}

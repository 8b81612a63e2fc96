import Domain
import Store

/// What became of events that were handed over.
package enum AppendOutcome: Equatable, Sendable {
    case stored(first: UInt64, last: UInt64)
    /// The stream holds what it may and declares that the sender waits.
    case streamFull
    /// Answered before under the same idempotency key.
    case replayed(status: Int, body: [UInt8])
    /// The idempotency key came with another request.
    case keyReused
    case failed(StoreError)
}

/// Appends events to a stream: all of them or none, in one transaction with the answer that their idempotency key repeats.
// SAFETY: `outcome` is touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
final class AppendEvents: WriteRequest, @unchecked Sendable {
    let priority: RecordPriority
    private let events: EventLines
    private let stream: EventIntake.Stream
    private let draft: EventDraft
    private let claim: IdempotencyClaim?
    private let intake: EventIntake
    private let render: @Sendable (AppendOutcome) -> (status: Int, body: [UInt8])
    private let completion: @Sendable (AppendOutcome) -> Void
    private var outcome = AppendOutcome.streamFull

    init(
        _ events: EventLines, to stream: EventIntake.Stream, draft: EventDraft, claim: IdempotencyClaim?, intake: EventIntake,
        render: @escaping @Sendable (AppendOutcome) -> (status: Int, body: [UInt8]),
        completion: @escaping @Sendable (AppendOutcome) -> Void
    ) {
        self.events = events
        self.stream = stream
        self.draft = draft
        self.claim = claim
        self.intake = intake
        self.render = render
        self.completion = completion
        priority = stream.priority
    }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        if let claim, let stored = try context.transaction.idempotentAnswer(claim.key) {
            outcome = stored.digest == claim.digest ? .replayed(status: Int(stored.status), body: stored.body) : .keyReused
            return
        }
        let bytesMax = UInt64(events.bytes.count + events.ranges.count * Journal.recordOverheadBytes)
        if let left = context.journal.bytesLeft(stream.id), left < bytesMax {
            // Not remembered under the key: the same request may succeed once there is room.
            outcome = .streamFull
            return
        }
        var first: UInt64 = 0
        var last: UInt64 = 0
        for range in events.ranges {
            last = try context.append(stream.id, draft) { json, _ in json.raw(json: events.bytes[range]) }
            if first == 0 { first = last }
        }
        outcome = .stored(first: first, last: last)
        if let claim {
            let answer = render(outcome)
            try claim.remember(status: answer.status, body: answer.body, in: context)
        }
    }

    func committed() {
        if case .stored = outcome { intake.count(accepted: events.ranges.count) } else { intake.count(refused: events.ranges.count) }
        end(outcome)
    }

    func failed(_ error: StoreError) {
        intake.count(refused: events.ranges.count)
        end(.failed(error))
    }

    private func end(_ outcome: AppendOutcome) {
        intake.release(events.bytes.count)
        completion(outcome)
    }
}

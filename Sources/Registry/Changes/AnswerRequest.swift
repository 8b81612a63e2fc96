import Domain
import Store

/// What became of an answer that was to be remembered.
package enum AnswerOutcome: Equatable, Sendable {
    case remembered
    /// Another request with the same key was faster: this is its answer.
    case replayed(status: Int, body: [UInt8])
    case idempotencyKeyReused
    case failed(StoreError)
}

/// Remembers the answer of a request that changed nothing on the disk, as a renewal, under its idempotency key.
// SAFETY: the mutable field is touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class AnswerRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    /// A holder that lives is not to be lost for want of a page, and old keys make room.
    package let releasesSpace = true
    private let claim: IdempotencyClaim
    private let status: Int
    private let body: [UInt8]
    private let completion: @Sendable (AnswerOutcome) -> Void
    private var outcome = AnswerOutcome.remembered

    /// - Parameter body: at most `Limits.idempotencyAnswerBytesMax` bytes.
    package init(_ claim: IdempotencyClaim, status: Int, body: [UInt8], completion: @escaping @Sendable (AnswerOutcome) -> Void) {
        self.claim = claim
        self.status = status
        self.body = body
        self.completion = completion
    }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        if let stored = try context.transaction.idempotentAnswer(claim.key) {
            outcome = stored.digest == claim.digest ? .replayed(status: Int(stored.status), body: stored.body) : .idempotencyKeyReused
            return
        }
        outcome = .remembered
        try claim.remember(status: status, body: body, in: context)
    }

    package func committed() { completion(outcome) }
    package func failed(_ error: StoreError) { completion(.failed(error)) }
}

extension ServiceRegistry {
    /// The answer that was given to a request with this claim's key; nil if none is known.
    package func answer(to claim: IdempotencyClaim) throws(StoreError) -> AnswerOutcome? {
        let stored = try environment.read { (transaction) throws(StoreError) in try transaction.idempotentAnswer(claim.key) }
        return stored.map { $0.digest == claim.digest ? .replayed(status: Int($0.status), body: $0.body) : .idempotencyKeyReused }
    }
}

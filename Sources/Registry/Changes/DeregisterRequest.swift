import Domain
import Store

/// What became of a deregistration.
package enum DeregistrationOutcome: Equatable, Sendable {
    case removed(revision: UInt64)
    case unknown
    case replayed(status: Int, body: [UInt8])
    case idempotencyKeyReused
    case failed(StoreError)
}

/// Removes an instance at once.
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class DeregisterRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    package let releasesSpace = true
    private let registry: ServiceRegistry
    private let key: InstanceKey
    private let origin: Origin
    private let claim: IdempotencyClaim?
    private let isDryRun: Bool
    private let completion: @Sendable (DeregistrationOutcome) -> Void
    private var outcome = DeregistrationOutcome.unknown
    private var slot: Int?
    private var isDecided = false

    /// - Parameter isDryRun: decide as ever, and undo it: the outcome says what would have been done.
    package init(
        _ key: InstanceKey, registry: ServiceRegistry, origin: Origin, claim: IdempotencyClaim?, isDryRun: Bool = false,
        completion: @escaping @Sendable (DeregistrationOutcome) -> Void
    ) {
        self.key = key
        self.registry = registry
        self.origin = origin
        self.claim = claim
        self.isDryRun = isDryRun
        self.completion = completion
    }

    /// The fence is what undoes a dry run.
    package var isFenced: Bool { isDryRun }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        isDecided = false
        slot = nil
        if let claim, let stored = try context.transaction.idempotentAnswer(claim.key) {
            outcome = stored.digest == claim.digest ? .replayed(status: Int(stored.status), body: stored.body) : .idempotencyKeyReused
            return
        }
        guard let row = try InstanceTable.row(of: key, in: context.transaction) else {
            outcome = .unknown
            return
        }
        if isDryRun {
            isDecided = true
            outcome = .removed(revision: row.revision)
            throw StoreError(.closed, "store what was only asked")
        }
        let revision = try Removal.write(key, row, reason: "deregistered", registry: registry, origin: origin, context)
        try AuditRecord("deregister", key, status: 204, result: "removed", revision: revision).append(origin, in: context)
        if let claim { try claim.remember(status: 204, body: [], in: context) }
        slot = row.slot
        outcome = .removed(revision: revision)
    }

    package func committed() {
        if let slot {
            registry.leases.end(slot: slot)
            registry.removed(key)
        }
        completion(outcome)
    }

    package func failed(_ error: StoreError) {
        completion(isDryRun && isDecided && error.code == .closed ? outcome : .failed(error))
    }
}

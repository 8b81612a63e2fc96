import Domain
import Store

/// Records that leases lapsed while nobody could renew them: at a start, and after the daemon stood still.
///
/// The board shows them as expired already; their removal waits until their holders had a TTL and the grace to come back.
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class LapseRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    package let releasesSpace = true
    private let registry: ServiceRegistry
    private let slots: [Int]
    private var announced: [InstanceKey] = []

    package init(slots: [Int], registry: ServiceRegistry) {
        precondition(slots.count <= Limits.sweepSlotsMax)
        self.slots = slots
        self.registry = registry
    }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        announced.removeAll()
        for slot in slots {
            guard let (key, stored) = try InstanceTable.holder(ofSlot: slot, in: context.transaction), !stored.isMarkedExpired else {
                continue
            }
            var row = stored
            let status = registry.leases.status(slot: slot, generation: row.generation)
            // Renewed or registered anew since, or by a request of this very batch.
            guard status.isMarkedExpired, !registry.leases.isPromised(slot: slot) else { continue }
            let ttl = Duration.seconds(row.ttlSeconds)
            let appearance = LeaseAppearance(
                status, ttl: ttl, renewedAt: row.renewedAt, at: Moment(uptime: context.uptime, wall: context.now))
            row.isMarkedExpired = true
            row.revision = try ChangeRecord(kind: .expired, key: key, row: row, lease: appearance, reason: "restart")
                .append(.daemon, in: context)
            try InstanceTable.put(row, at: key, in: context.transaction)
            announced.append(key)
        }
    }

    package func committed() {
        for key in announced { registry.expired(key) }
    }

    /// The board shows it all the same, and the removal will be recorded.
    package func failed(_ error: StoreError) {}
}

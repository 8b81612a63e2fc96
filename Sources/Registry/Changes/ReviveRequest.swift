import Domain
import Store

/// What became of a renewal.
package enum RenewalOutcome: Equatable, Sendable {
    case renewed(expiresAt: Timestamp, id: String)
    /// Never registered, or removed. The holder must register again.
    case unknownLease
    /// The service has several instances, and none was named.
    case ambiguous(ids: [String])
    case failed(StoreError)
}

/// Brings an expired lease back: that is a change, so it is recorded.
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class ReviveRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    /// A row is written over and one record added: a holder that lives is not to be lost for want of a page.
    package let releasesSpace = true
    private let registry: ServiceRegistry
    private let key: InstanceKey
    private let origin: Origin
    private let completion: @Sendable (RenewalOutcome) -> Void
    private var lease: (slot: Int, generation: UInt16, ttl: Duration)?

    package init(_ key: InstanceKey, registry: ServiceRegistry, origin: Origin, completion: @escaping @Sendable (RenewalOutcome) -> Void) {
        self.key = key
        self.registry = registry
        self.origin = origin
        self.completion = completion
    }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        withdraw()
        guard var row = try InstanceTable.row(of: key, in: context.transaction) else { return }
        let ttl = Duration.seconds(row.ttlSeconds)
        lease = (row.slot, row.generation, ttl)
        let isLapsed = registry.leases.isLapsed(slot: row.slot, generation: row.generation)
        registry.leases.promise(slot: row.slot)
        // Revived by a request before this one.
        guard row.isMarkedExpired || isLapsed else { return }
        row.isMarkedExpired = false
        row.renewedAt = context.now
        let appearance = LeaseAppearance(
            LeaseStatus(deadline: context.uptime + ttl, isMarkedExpired: false), ttl: ttl, renewedAt: context.now,
            at: Moment(uptime: context.uptime, wall: context.now))
        row.revision = try ChangeRecord(kind: .updated, key: key, row: row, lease: appearance, reason: "renewed").append(
            origin, in: context)
        try InstanceTable.put(row, at: key, in: context.transaction)
    }

    package func committed() {
        guard let lease else { return completion(.unknownLease) }
        registry.leases.hold(slot: lease.slot, generation: lease.generation, deadline: registry.time.uptime() + lease.ttl)
        withdraw()
        registry.touched(key)
        completion(.renewed(expiresAt: registry.time.timestamp() + lease.ttl, id: key.id))
    }

    package func failed(_ error: StoreError) {
        withdraw()
        completion(.failed(error))
    }

    private func withdraw() {
        if let lease { registry.leases.withdrawPromise(slot: lease.slot) }
        lease = nil
    }
}

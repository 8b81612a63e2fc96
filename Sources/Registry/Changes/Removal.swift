import Domain
import Store

/// Takes an instance out of the store: its rows, its address, its lease, and the record that says so.
enum Removal {
    /// - Parameter keepsAddress: the address's row belongs to another instance already.
    /// - Returns: the revision of the removal.
    @discardableResult
    static func write(
        _ key: InstanceKey, _ row: InstanceRow, reason: StaticString, keepsAddress: Bool = false, registry: ServiceRegistry, origin: Origin,
        _ context: borrowing StoreWriteContext
    ) throws(StoreError) -> UInt64 {
        let (_, continuations) = row.encode()
        try InstanceTable.delete(key, partCount: UInt8(continuations.count), in: context.transaction)
        if !keepsAddress { try context.transaction.delete(.addresses, StoreKey(host: row.host, port: row.port)) }
        try context.transaction.delete(.leases, StoreKey(leaseSlot: row.slot))
        let ttl = Duration.seconds(row.ttlSeconds)
        let appearance = LeaseAppearance(
            registry.leases.status(slot: row.slot, generation: row.generation), ttl: ttl, renewedAt: row.renewedAt,
            at: Moment(uptime: context.uptime, wall: context.now))
        return try ChangeRecord(kind: .removed, key: key, row: row, lease: appearance, reason: reason).append(origin, in: context)
    }
}

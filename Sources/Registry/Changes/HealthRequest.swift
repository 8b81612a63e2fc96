import Domain
import Store

/// Records that an instance's health changed.
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class HealthRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    package let releasesSpace = true
    private let registry: ServiceRegistry
    private let key: InstanceKey
    private let host: [UInt8]
    private let port: UInt16
    private let health: Health
    private let completion: @Sendable (_ isRecorded: Bool) -> Void
    private var isWritten = false

    /// - Parameters:
    ///   - host: where it was asked; what was heard there says nothing about another place.
    package init(
        _ key: InstanceKey, host: String, port: UInt16, health: Health, registry: ServiceRegistry,
        completion: @escaping @Sendable (_ isRecorded: Bool) -> Void
    ) {
        self.key = key
        self.host = Array(host.utf8)
        self.port = port
        self.health = health
        self.registry = registry
        self.completion = completion
    }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        isWritten = false
        guard var row = try InstanceTable.row(of: key, in: context.transaction), row.health != health, row.port == port, row.host == host
        else { return }
        row.health = health
        let ttl = Duration.seconds(row.ttlSeconds)
        let appearance = LeaseAppearance(
            registry.leases.status(slot: row.slot, generation: row.generation), ttl: ttl, renewedAt: row.renewedAt,
            at: Moment(uptime: context.uptime, wall: context.now))
        row.revision = try ChangeRecord(kind: .health, key: key, row: row, lease: appearance).append(.daemon, in: context)
        try InstanceTable.put(row, at: key, in: context.transaction)
        isWritten = true
    }

    package func committed() {
        if isWritten { registry.touched(key) }
        completion(true)
    }

    package func failed(_ error: StoreError) { completion(false) }
}

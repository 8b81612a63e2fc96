import Domain
import Store

/// An instance as a walk over all of them shows it. Valid within the closure only: what it lends lies in the store's map.
package struct WalkedInstance {
    package let tenant: UnsafeRawBufferPointer
    package let service: UnsafeRawBufferPointer
    package let id: UnsafeRawBufferPointer
    package let host: UnsafeRawBufferPointer
    package let port: UInt16
    package let health: Health
    package let freshness: Freshness
    /// Whole seconds since the last renewal.
    package let ageSeconds: Int64
    /// It stands in a file, and nobody of its service is live.
    package let isStatic: Bool
}

extension ServiceRegistry {
    /// Shows every instance of every tenant, ordered by tenant, service and id; static ones where no live one has their service's name.
    ///
    /// Any thread; some 0.5 µs an instance, so not the one that answers requests.
    ///
    /// - Returns: a revision that all of it is at least as new as.
    package func walk(_ body: (WalkedInstance) -> Void) throws(StoreError) -> UInt64 {
        let revision = self.revision
        let moment = Moment(uptime: time.uptime(), wall: time.timestamp())
        var statics = statics.current.all[...]
        // The static instances of services whose name is less than that of the live one that comes next.
        func passStatics(before next: (tenant: UnsafeRawBufferPointer, service: UnsafeRawBufferPointer)?) {
            while let candidate = statics.first {
                if let next {
                    let order = Self.compare(candidate.tenant.utf8, candidate.service.utf8, next.tenant, next.service)
                    guard order <= 0 else { return }
                    statics.removeFirst()
                    guard order < 0 else { continue }
                } else {
                    statics.removeFirst()
                }
                Self.show(candidate, body)
            }
        }
        try environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: noteDamage) { (instance) throws(StoreError) in
                if !statics.isEmpty { passStatics(before: (instance.tenant, instance.service)) }
                let row = instance.row
                let lease = age(of: row, at: moment)
                body(
                    WalkedInstance(
                        tenant: instance.tenant, service: instance.service, id: instance.id, host: row.host, port: row.port,
                        health: row.health, freshness: lease.freshness, ageSeconds: lease.ageSeconds, isStatic: false))
                return true
            }
        }
        passStatics(before: nil)
        return revision
    }

    /// What `LeaseAppearance` says of freshness and age, and no more.
    private func age(of row: InstanceRowView, at moment: Moment) -> (freshness: Freshness, ageSeconds: Int64) {
        let status = leases.status(slot: row.slot, generation: row.generation)
        guard let deadline = status.deadline else {
            let appearance = appearance(of: row, at: moment)
            return (appearance.freshness, appearance.ageSeconds)
        }
        let ttl = Int64(row.ttlSeconds) * 1_000
        let age = max(0, moment.uptime.milliseconds - deadline.milliseconds + ttl)
        return (Freshness(ageMilliseconds: age, ttlMilliseconds: ttl, isMarkedExpired: status.isMarkedExpired), age / 1_000)
    }

    private static func show(_ instance: StaticInstance, _ body: (WalkedInstance) -> Void) {
        let root = try? JSONDocument.parse([UInt8(ascii: "{")] + instance.members + [UInt8(ascii: "}")]).root
        let port = UInt16(clamping: root?["port"]?.int64 ?? 0)
        Array(instance.tenant.utf8).withUnsafeBytes { tenant in
            Array(instance.service.utf8).withUnsafeBytes { service in
                Array(instance.id.utf8).withUnsafeBytes { id in
                    Array((root?["host"]?.string ?? "").utf8).withUnsafeBytes { host in
                        body(
                            WalkedInstance(
                                tenant: tenant, service: service, id: id, host: host, port: port, health: .unknown, freshness: .fresh,
                                ageSeconds: 0, isStatic: true))
                    }
                }
            }
        }
    }

    /// By tenant, then service: below zero if the first pair comes first.
    private static func compare(
        _ tenant: String.UTF8View, _ service: String.UTF8View, _ otherTenant: UnsafeRawBufferPointer, _ otherService: UnsafeRawBufferPointer
    ) -> Int {
        if !tenant.elementsEqual(otherTenant) { return tenant.lexicographicallyPrecedes(otherTenant) ? -1 : 1 }
        if service.elementsEqual(otherService) { return 0 }
        return service.lexicographicallyPrecedes(otherService) ? -1 : 1
    }
}

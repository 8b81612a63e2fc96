import Domain
import Store

extension ServiceRegistry {
    /// What a renewal can do without the writer.
    package enum Renewal: Sendable {
        case done(RenewalOutcome)
        /// The lease is expired: a `ReviveRequest` must bring it back.
        case revive(InstanceKey)
    }

    /// Renews the lease of an instance, named by its service and, if that has several, its id. Any thread; nothing is written to the disk:
    /// the new deadline is on the lease board before this returns, and survives the process there.
    package func renew(
        tenant: some Collection<UInt8>, service: some Collection<UInt8>, id: (some Collection<UInt8>)?
    ) -> Renewal {
        do throws(StoreError) {
            return try environment.read { (transaction) throws(StoreError) -> Renewal in
                if let id {
                    let key = InstanceKey(
                        tenant: String(decoding: tenant, as: UTF8.self), service: String(decoding: service, as: UTF8.self),
                        id: String(decoding: id, as: UTF8.self))
                    let found = try InstanceTable.withView(of: key, in: transaction) { (row) throws(StoreError) in
                        Lease(slot: row.slot, generation: row.generation, ttl: .seconds(row.ttlSeconds))
                    }
                    guard let found else { return .done(.unknownLease) }
                    return renew(found, key: { key }, stripe: key.stripe)
                }
                var lease: Lease?
                var first: InstanceKey?
                var ids: [String] = []
                let prefix = StoreKey(instancesOf: service, tenant: tenant)
                try InstanceTable.walk(from: prefix, prefix: prefix, in: transaction, onDamage: noteDamage) {
                    (instance) throws(StoreError) in
                    if lease == nil {
                        lease = Lease(
                            slot: instance.row.slot, generation: instance.row.generation, ttl: .seconds(instance.row.ttlSeconds))
                        first = instance.key
                    } else if ids.isEmpty {
                        ids.append(first!.id)
                    }
                    if !ids.isEmpty { ids.append(String(decoding: instance.id, as: UTF8.self)) }
                    return ids.count < Limits.listPageDefault
                }
                guard let lease, let first else { return .done(.unknownLease) }
                guard ids.isEmpty else { return .done(.ambiguous(ids: ids)) }
                return renew(lease, key: { first }, stripe: VersionStripes.hash(tenant: tenant, service: service))
            }
        } catch {
            return .done(.failed(error))
        }
    }

    /// The instance that a service's name alone means.
    package enum Resolution: Equatable, Sendable {
        case one(InstanceKey)
        case none
        case several(ids: [String])
    }

    package func resolve(tenant: String, service: String) throws(StoreError) -> Resolution {
        try environment.read { (transaction) throws(StoreError) in
            var keys: [InstanceKey] = []
            let prefix = StoreKey(instancesOf: service.utf8, tenant: tenant.utf8)
            try InstanceTable.walk(from: prefix, prefix: prefix, in: transaction, onDamage: noteDamage) { (instance) throws(StoreError) in
                keys.append(instance.key)
                return keys.count < Limits.listPageDefault
            }
            switch keys.count {
            case 0: return .none
            case 1: return .one(keys[0])
            default: return .several(ids: keys.map(\.id))
            }
        }
    }

    private struct Lease {
        let slot: Int
        let generation: UInt16
        let ttl: Duration
    }

    private func renew(_ lease: Lease, key: () -> InstanceKey, stripe: UInt64) -> Renewal {
        let now = time.uptime()
        switch leases.renew(slot: lease.slot, generation: lease.generation, deadline: now + lease.ttl) {
        case .renewed:
            stripes.bump(stripe)
            return .done(.renewed(expiresAt: time.timestamp() + lease.ttl, id: key().id))
        case .expired, .closed, .otherGeneration:
            // Closed and another generation: the row was read while the instance was being removed or replaced. The writer knows.
            return .revive(key())
        }
    }
}

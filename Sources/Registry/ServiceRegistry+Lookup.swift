import Domain
import Store

/// One service as it is answered, and how long that answer stays true.
package struct RenderedService: Sendable {
    package let body: [UInt8]
    package let revision: UInt64
    /// Ages and freshness are right until then, if `VersionStripes` does not say that something changed.
    package let validUntil: Uptime
}

extension ServiceRegistry {
    /// The revision of the last change that the disk has.
    package var revision: UInt64 { position(.state) }

    /// The revision behind which every change is kept.
    package var oldestRevision: UInt64 { oldestPosition(.state) }

    /// Renders `{"revision":…,"service_name":…,"instances":[…]}`; nil if nobody knows the service. Any thread.
    package func lookup(tenant: String, service: String) throws(StoreError) -> RenderedService? {
        // Read before the transaction begins: the answer is at least as new as the revision that it names, so a watcher who goes on from
        // there misses nothing.
        let revision = self.revision
        let moment = Moment(uptime: time.uptime(), wall: time.timestamp())
        var validUntil = moment.uptime + .seconds(60)
        var json = JSONWriter(capacity: 1_024)
        json.beginObject()
        json.key("revision"); json.unsigned(revision)
        json.key("service_name"); json.string(service)
        json.key("instances")
        json.beginArray()
        var count = 0
        try environment.read { (transaction) throws(StoreError) in
            let prefix = StoreKey(instancesOf: service.utf8, tenant: tenant.utf8)
            try InstanceTable.walk(from: prefix, prefix: prefix, in: transaction, onDamage: noteDamage) { (instance) throws(StoreError) in
                let appearance = appearance(of: instance.row, at: moment)
                validUntil = min(validUntil, appearance.validUntil)
                write(instance, appearance, to: &json)
                count += 1
                return count < Limits.lookupInstancesMax
            }
        }
        if count == 0 {
            for instance in statics.current.instances(tenant: tenant, service: service) {
                InstanceJSON.writeStatic(members: instance.members, loadedAt: instance.loadedAt, to: &json)
                count += 1
            }
        }
        guard count > 0 else { return nil }
        json.endArray()
        json.endObject()
        return RenderedService(body: json.finish(), revision: revision, validUntil: validUntil)
    }

    func appearance(of row: InstanceRowView, at moment: Moment) -> LeaseAppearance {
        LeaseAppearance(
            leases.status(slot: row.slot, generation: row.generation), ttl: .seconds(row.ttlSeconds), renewedAt: row.renewedAt, at: moment)
    }

    func write(_ instance: StoredInstance, _ appearance: LeaseAppearance, to json: inout JSONWriter) {
        InstanceJSON.write(
            members: instance.members, health: instance.row.health, lease: appearance, registeredAt: instance.row.registeredAt,
            revision: instance.row.revision, to: &json)
    }

    /// The known service whose name is nearest to one that is not known, for the answer's hint.
    ///
    /// Looks at few: those that begin with the same letter, then the first of all.
    package func nearestService(to name: String, tenant: String) -> String? {
        var names: [String] = []
        try? environment.read { (transaction) throws(StoreError) in
            var prefix = StoreKey(instancesOfTenant: tenant)
            if let first = name.utf8.first { prefix.append(first) }
            try InstanceTable.services(prefix: prefix, tenant: tenant, in: transaction, max: Limits.hintCandidatesMax, into: &names)
            let all = StoreKey(instancesOfTenant: tenant)
            try InstanceTable.services(prefix: all, tenant: tenant, in: transaction, max: Limits.hintCandidatesMax, into: &names)
        }
        return EditDistance.nearest(to: name, among: names)
    }
}

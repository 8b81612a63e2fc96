import Domain
import Store

/// Brings instances back whose rows a salvage lost: their change records, on other pages, say what they were.
///
/// | newest record of the instance | its row | → |
/// |---|---|---|
/// | `removed` | of that revision or an older one | deleted |
/// | any other | lost, or older | made anew from the record; the lease of an older row goes on, another begins as expired |
/// | any, or none | newer | stays |
///
/// A registration whose removal was lost comes back too; nobody renews it, so it is gone after its TTL and the grace. One whose last record
/// retention has deleted cannot come back.
package enum InstanceReplay {
    package struct Report: Equatable, Sendable {
        /// Rows made anew.
        package var restored = 0
        /// Rows deleted, because they had come back from the dead.
        package var removed = 0
        /// Records that say too little to make a row of.
        package var unreadable = 0
    }

    private struct Newest {
        var seq: UInt64
        var isRemoval: Bool
    }

    /// After the journal was reconciled and before `InstanceIndex.rebuild`, which makes the other tables; before the writer starts. Reads the
    /// whole stream.
    package static func run(in environment: StoreEnvironment) throws(StoreError) -> Report {
        var report = Report()
        let newest = try newestRecords(environment, &report)
        var slots = try usedSlots(environment)
        var lost: [(key: InstanceKey, seq: UInt64)] = []
        var dead: [(key: InstanceKey, parts: UInt8)] = []
        try environment.read { (transaction) throws(StoreError) in
            for (key, found) in newest {
                let row = try InstanceTable.readableRow(of: key, in: transaction)
                guard row.map({ $0.revision < found.seq || found.isRemoval && $0.revision == found.seq }) ?? true else { continue }
                if !found.isRemoval {
                    lost.append((key, found.seq))
                } else if let row {
                    dead.append((key, UInt8(row.encode().continuations.count)))
                }
            }
        }
        // In the order of their revisions, so that a replay is the same each time.
        lost.sort { $0.seq < $1.seq }
        var at = 0
        while at < lost.count {
            let end = min(at + Limits.replayRowsPerCommit, lost.count)
            try environment.write { (transaction) throws(StoreError) in
                for (key, seq) in lost[at..<end] {
                    guard try restore(key, seq, &slots, transaction) else {
                        report.unreadable += 1
                        continue
                    }
                    report.restored += 1
                }
            }
            at = end
        }
        try environment.write { (transaction) throws(StoreError) in
            for (key, parts) in dead {
                try InstanceTable.delete(key, partCount: parts, in: transaction)
                report.removed += 1
            }
        }
        return report
    }

    private static func newestRecords(_ environment: StoreEnvironment, _ report: inout Report) throws(StoreError) -> [InstanceKey: Newest] {
        var newest: [InstanceKey: Newest] = [:]
        var unreadable = 0
        _ = try environment.read { (transaction) throws(StoreError) in
            try transaction.scan(.state, after: 0, recordsMax: .max) { (entry) throws(StoreError) in
                guard let change = try? JSONDocument.parse(Array(entry.data)).root, let key = InstanceKey(change: change),
                    let kind = change["kind"]
                else {
                    unreadable += 1
                    return true
                }
                newest[key] = Newest(seq: entry.seq, isRemoval: kind.equals("removed"))
                return true
            }
        }
        report.unreadable += unreadable
        return newest
    }

    private static func usedSlots(_ environment: StoreEnvironment) throws(StoreError) -> SlotBook {
        var slots = SlotBook()
        try environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: { _ in }) { (instance) throws(StoreError) in
                slots.used.insert(instance.row.slot)
                return true
            }
        }
        return slots
    }

    /// The slots that no instance has, the lowest first.
    private struct SlotBook {
        var used: Set<Int> = []
        private var next = 0

        mutating func take() -> Int? {
            while used.contains(next) { next += 1 }
            guard next < Limits.leaseSlotsMax else { return nil }
            used.insert(next)
            return next
        }
    }

    /// False if the record does not say enough.
    private static func restore(
        _ key: InstanceKey, _ seq: UInt64, _ slots: inout SlotBook, _ transaction: borrowing WriteTransaction
    ) throws(StoreError) -> Bool {
        var data: [UInt8] = []
        try transaction.scan(.state, after: seq - 1, recordsMax: 1) { (entry) throws(StoreError) in
            data = Array(entry.data)
            return false
        }
        guard let change = try? JSONDocument.parse(data).root, let shown = ShownRegistration(change) else { return false }
        let older = try InstanceTable.readableRow(of: key, in: transaction)
        guard let slot = older?.slot ?? slots.take() else { return false }
        let row = InstanceRow(
            health: shown.health, isMarkedExpired: shown.isExpired, slot: slot, generation: older?.generation ?? 0,
            registration: shown.registration, members: shown.registration.members(), registeredAt: shown.registeredAt, revision: seq,
            renewedAt: shown.renewedAt)
        try InstanceTable.put(row, at: key, in: transaction)
        return true
    }
}

extension InstanceKey {
    /// Of a change record's `data`.
    init?(change: JSONValue) {
        guard let tenant = change["tenant"]?.string, let service = change["service_name"]?.string, let id = change["id"]?.string,
            ![tenant, service, id].contains(where: { $0.isEmpty || $0.utf8.contains(0) })
        else { return nil }
        self.init(tenant: tenant, service: service, id: id)
    }
}

/// A registration as a change record shows it.
private struct ShownRegistration {
    let registration: Registration
    let health: Health
    let isExpired: Bool
    let registeredAt: Timestamp
    let renewedAt: Timestamp

    init?(_ change: JSONValue) {
        guard let instance = change["instance"], let tenant = change["tenant"]?.string,
            let health = instance["health"]?.string.flatMap(Health.init(name:)),
            let registeredAt = instance["registered_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let expiresAt = instance["expires_at"]?.string.flatMap(Timestamp.init(rfc3339:)), let freshness = instance["freshness"]
        else { return nil }
        // What the registration itself said; the rest was added by whoever showed it.
        var members: [UInt8] = []
        for member in instance.members where RegistrationReader.fields.contains(member.name) {
            members.append(members.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            members += member.key.rawBytes
            members.append(UInt8(ascii: ":"))
            members += member.value.rawBytes
        }
        members.append(UInt8(ascii: "}"))
        guard let document = try? JSONDocument.parse(members),
            case .registration(let registration) = RegistrationReader.read(
                document.root, defaults: RegistrationReader.Defaults(tenant: tenant, ttlSeconds: Limits.ttlSecondsMin))
        else { return nil }
        self.registration = registration
        self.health = health
        isExpired = freshness.equals("expired")
        self.registeredAt = registeredAt
        renewedAt = expiresAt + .seconds(-registration.ttlSeconds)
    }
}

import Domain
import Store

/// The rows that lead to instances: addresses and leases. They say nothing that the instances do not say themselves.
package enum InstanceIndex {
    /// The highest revision that a readable instance carries: the stream of changes must go on behind it.
    package static func highestRevision(in environment: StoreEnvironment) throws(StoreError) -> UInt64 {
        var highest: UInt64 = 0
        try environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: { _ in }) { (instance) throws(StoreError) in
                highest = max(highest, instance.row.revision)
                return true
            }
        }
        return highest
    }

    /// Makes both tables anew from the instances, after a salvage that may have lost or brought back single rows.
    ///
    /// Two instances on one slot or one address cannot both be right: the one that changed last stays. Before the writer starts.
    package static func rebuild(in environment: StoreEnvironment) throws(StoreError) {
        var slots: [Int: (key: InstanceKey, revision: UInt64)] = [:]
        var addresses: [[UInt8]: (key: InstanceKey, revision: UInt64)] = [:]
        var losers: Set<InstanceKey> = []
        var parts: [InstanceKey: UInt8] = [:]
        try environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: { _ in }) { (instance) throws(StoreError) in
                let key = instance.key
                let revision = instance.row.revision
                parts[key] = instance.row.partCount
                let address = StoreKey(host: instance.row.host, port: instance.row.port).withBytes { Array($0) }
                for rival in [slots[instance.row.slot], addresses[address]].compactMap(\.self) where rival.key != key {
                    losers.insert(rival.revision < revision ? rival.key : key)
                }
                guard !losers.contains(key) else { return true }
                slots[instance.row.slot] = (key, revision)
                addresses[address] = (key, revision)
                return true
            }
        }
        try environment.write { (transaction) throws(StoreError) in
            for table in [Table.leases, .addresses] {
                var keys: [[UInt8]] = []
                try transaction.scan(table, prefix: StoreKey(table)) { (key, _, _) throws(StoreError) in
                    keys.append(Array(key))
                    return true
                }
                for key in keys { try transaction.delete(table, StoreKey(table, key.dropFirst())) }
            }
            for key in losers { try InstanceTable.delete(key, partCount: parts[key] ?? 0, in: transaction) }
            for (slot, holder) in slots where !losers.contains(holder.key) {
                try transaction.put(.leases, StoreKey(leaseSlot: slot), holder.key.bytes, revision: holder.revision)
            }
            for (address, holder) in addresses where !losers.contains(holder.key) {
                try transaction.put(.addresses, StoreKey(.addresses, address.dropFirst()), holder.key.bytes, revision: holder.revision)
            }
        }
    }
}

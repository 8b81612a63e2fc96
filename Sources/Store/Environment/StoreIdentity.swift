import Domain

/// Who the store is: rows 2 to 5 of the table `meta` (Documentation/FORMATS.md §1).
package struct StoreIdentity: Equatable, Sendable {
    /// Sixteen random bytes given at creation: two copies of a store are told apart from two stores.
    package let storeID: [UInt8]
    /// The node's name in `source` of every record.
    package let nodeID: String
    /// Part of every record's id; a restore or a change of node gives a new one, so that no id is used twice.
    package let epoch: UInt32
    package let created: Timestamp

    private enum Row: UInt8 {
        case storeID = 2
        case nodeID = 3
        case epoch = 4
        case created = 5

        var key: StoreKey { StoreKey(.meta, [rawValue]) }
    }

    /// Reads the identity, or gives the store one. Sets the epoch of the environment's new records. Before the writer starts.
    ///
    /// - Parameters:
    ///   - nodeID: nil keeps the stored one, and takes `proposedNodeID` for a new store. Another one than stored begins a new epoch.
    ///   - epoch: for an environment that follows another's epoch (`bulk.mdb`); nil keeps the stored one.
    ///   - epochMin: the epoch is at least this: what a salvage or another environment of the node says, because numbers may be given twice.
    package static func loadOrCreate(
        in environment: StoreEnvironment, nodeID: String?, proposedNodeID: String, epoch: UInt32? = nil, epochMin: UInt32 = 1,
        now: Timestamp,
        randomBytes: (Int) -> [UInt8]
    ) throws(StoreError) -> StoreIdentity {
        let stored = try environment.read { (transaction) throws(StoreError) in try read(transaction) }
        var identity: StoreIdentity
        if let stored {
            let isSameNode = nodeID == nil || nodeID == stored.nodeID
            identity = StoreIdentity(
                storeID: stored.storeID, nodeID: nodeID ?? stored.nodeID,
                epoch: epoch ?? max(epochMin, isSameNode ? stored.epoch : stored.epoch + 1),
                created: stored.created)
        } else {
            identity = StoreIdentity(storeID: randomBytes(16), nodeID: nodeID ?? proposedNodeID, epoch: epoch ?? epochMin, created: now)
        }
        if identity != stored { try environment.write { (transaction) throws(StoreError) in try identity.write(transaction) } }
        environment.setEpoch(identity.epoch)
        return identity
    }

    /// Begins a new epoch, after a restore. Before the writer starts and before the journal opens.
    package static func renewEpoch(in environment: StoreEnvironment) throws(StoreError) -> StoreIdentity {
        guard let stored = try environment.read({ (transaction) throws(StoreError) in try read(transaction) }) else {
            throw StoreError(.corrupted, "renew the epoch of a store without an identity")
        }
        let identity = StoreIdentity(storeID: stored.storeID, nodeID: stored.nodeID, epoch: stored.epoch + 1, created: stored.created)
        try environment.write { (transaction) throws(StoreError) in try identity.write(transaction) }
        environment.setEpoch(identity.epoch)
        return identity
    }

    /// The stored identity; nil if the store has none yet.
    package static func read(_ transaction: borrowing ReadTransaction) throws(StoreError) -> StoreIdentity? {
        func bytes(_ row: Row, _ transaction: borrowing ReadTransaction) throws(StoreError) -> [UInt8]? {
            try transaction.withValue(.meta, row.key) { (payload, _) throws(StoreError) in Array(payload) }
        }
        guard let storeID = try bytes(.storeID, transaction) else { return nil }
        guard storeID.count == 16, let nodeID = try bytes(.nodeID, transaction), let epoch = try bytes(.epoch, transaction),
            epoch.count == 4,
            let created = try bytes(.created, transaction), created.count == 8
        else { throw StoreError(.corrupted, "read the store's identity") }
        return StoreIdentity(
            storeID: storeID, nodeID: String(decoding: nodeID, as: UTF8.self),
            epoch: epoch.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) },
            created: Timestamp(milliseconds: created.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }))
    }

    /// Writes another epoch alone.
    static func write(epoch: UInt32, in transaction: borrowing WriteTransaction) throws(StoreError) {
        try transaction.put(.meta, Row.epoch.key, withUnsafeBytes(of: epoch.littleEndian) { Array($0) }, revision: UInt64(epoch))
    }

    private func write(_ transaction: borrowing WriteTransaction) throws(StoreError) {
        try transaction.put(.meta, Row.storeID.key, storeID, revision: UInt64(epoch))
        try transaction.put(.meta, Row.nodeID.key, Array(nodeID.utf8), revision: UInt64(epoch))
        try transaction.put(.meta, Row.epoch.key, withUnsafeBytes(of: epoch.littleEndian) { Array($0) }, revision: UInt64(epoch))
        let milliseconds = created.milliseconds.littleEndian
        try transaction.put(.meta, Row.created.key, withUnsafeBytes(of: milliseconds) { Array($0) }, revision: UInt64(epoch))
    }
}

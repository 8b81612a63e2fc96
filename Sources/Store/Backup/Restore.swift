import CPlatform
import Domain
import Glibc

/// Puts a backup in the place of a store. With the daemon stopped, or before it opens the store.
package enum Restore {
    /// Reads the whole backup and checks every byte of it. Nothing is written.
    package static func verify(_ backup: String, expecting store: Identifier16?) throws(StoreError) -> (
        header: BackupHeader, records: UInt64
    ) {
        var reader = try BackupFileReader(path: backup)
        try refuseForeign(reader.header, expecting: store)
        var records: UInt64 = 0
        try reader.readAll { (_, _, _, record) throws(StoreError) in records += record == nil ? 0 : 1 }
        return (reader.header, records)
    }

    /// Verifies the backup, builds a new environment of it, and puts that in the place of the old one, which becomes evidence.
    ///
    /// The epoch is raised above that of the backup and of the stores it replaces, because sequence numbers will be given a second time; the
    /// receiver tells them apart by it. A crash at any moment leaves the old store or the new one; between the two environments, the new bulk
    /// and the old state, whose node then begins in the new epoch.
    /// - Parameters:
    ///   - bulk: where the bulk environment goes, if the backup holds one; nil leaves what is there.
    ///   - store: the id that the backup must carry; nil takes it from any store, for a replaced device.
    /// - Throws: `.corrupted`, `.newerFormat`: the backup is not usable, with a sentence. `.locked`: the store is open. `.full`, `.system`.
    ///   The store is untouched by any of them.
    package static func run(
        _ backup: String, onto place: StoreLadder.Place, bulk: StoreLadder.Place? = nil, expecting store: Identifier16?, now: Timestamp
    ) throws(StoreError) -> BackupHeader {
        var highest: UInt32 = 0
        var isKnown = true
        for place in [place, bulk].compactMap({ $0 }) {
            _ = try StoreSwap(path: place.path).finishInterrupted()
            let present = try StoreCheck.look(path: place.path, formatVersion: place.formatVersion)
            if present.verdict == .busy { throw StoreError(.locked, "restore: the store is open; stop the daemon first") }
            isKnown = isKnown && (present.epoch != nil || present.verdict == .missing)
            highest = max(highest, present.epoch ?? 0)
        }
        let (header, records) = try verify(backup, expecting: store)
        let epochAbove = max(header.epoch, highest) + (isKnown ? 0 : Limits.epochsUnknownMax)
        // Both are built before either is put in its place, so that a full disk leaves everything as it was.
        let epoch = try build(backup, isBulk: false, at: StoreSwap(path: place.path).building, epochAbove: epochAbove)
        let bulkPlace = header.holdsBulk ? bulk : nil
        if let bulkPlace {
            _ = try build(backup, isBulk: true, at: StoreSwap(path: bulkPlace.path).building, epochAbove: epoch - 1)
        }
        for place in [bulkPlace, place].compactMap({ $0 }) {
            _ = try StoreSwap(path: place.path).perform(isReplaced: true, evidence: place.evidence, at: now) { folder throws(StoreError) in
                try Evidence.report(
                    [("name", place.name), ("outcome", "restored"), ("backupCreated", header.created.rfc3339)],
                    numbers: [("records", records), ("backupEpoch", UInt64(header.epoch))], to: folder)
            }
        }
        return header
    }

    private static func refuseForeign(_ header: BackupHeader, expecting store: Identifier16?) throws(StoreError) {
        guard store == nil || header.storeID == store else {
            throw StoreError(.corrupted, "read the backup: it is of another store; say so explicitly to restore it here")
        }
    }

    /// - Returns: the epoch that the new environment begins in.
    private static func build(_ backup: String, isBulk: Bool, at path: String, epochAbove: UInt32) throws(StoreError) -> UInt32 {
        var reader = try BackupFileReader(path: backup)
        var builder = try EnvironmentBuilder(path: path, dataBytes: reader.fileBytes)
        try reader.readAll { (isOfBulk, id, name, record) throws(StoreError) in
            guard isOfBulk == isBulk else { return }
            if let record { try builder.append(id, name, record.key, record.value) } else { try builder.make(id, name) }
        }
        let epoch = max(epochAbove, try builder.number(.epoch) ?? 0) + 1
        try builder.put(.epoch, IdentityRow.bytes(epoch), epoch: epoch, revision: UInt64(epoch))
        try builder.finish()
        return epoch
    }
}

import CLMDB

extension StoreEnvironment: BackupSource {
    package var backupTables: [(table: Table, dbi: MDB_dbi)] { openedTables }

    package func withTransaction<R>(_ body: (OpaquePointer) throws(StoreError) -> R) throws(StoreError) -> R {
        try read { (transaction) throws(StoreError) in try body(transaction.handle) }
    }
}

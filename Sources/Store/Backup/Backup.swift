import CLMDB
import CPlatform
import Domain

/// Whatever can lend a read transaction of LMDB and the tables that are open in it.
///
/// The tables are lent too, because opening one while another thread begins transactions is not allowed (lmdb.h, `mdb_dbi_open`).
package protocol BackupSource {
    associatedtype Tables: Sequence<(table: Table, dbi: MDB_dbi)>

    /// Every table that is to be kept.
    var backupTables: Tables { get }
    /// Calls `body` with one transaction, which sees one state of all tables.
    func withTransaction<R>(_ body: (OpaquePointer) throws(StoreError) -> R) throws(StoreError) -> R
}

/// What was written.
package struct BackupSummary: Equatable, Sendable {
    package let tables: UInt64
    package let records: UInt64
    package let bytes: Int
}

/// Writes a backup: our own format, because a file of LMDB must never be opened from elsewhere (Documentation/FORMATS.md §6).
package enum Backup {
    /// The name of the second environment in a backup.
    static let bulkName = "bulk.mdb"

    private struct Section {
        let transaction: OpaquePointer
        let tables: [(table: Table, dbi: MDB_dbi)]
    }

    /// Writes all records of one read transaction to `path`, which has its name only when everything is on disk.
    ///
    /// The transaction is held throughout and keeps freed pages from being used again: about a second for each 100 MB.
    /// - Throws: `.corrupted` if a record's CRC is wrong: a backup holds only what can be restored. `.full`, `.system`, `.diskFailed`: there is
    ///   no new backup, and an older one of that name stands.
    package static func write(_ source: some BackupSource, header: BackupHeader, to path: String) throws(StoreError) -> BackupSummary {
        try source.withTransaction { transaction throws(StoreError) in
            try write(transaction, tables: Array(source.backupTables), header: header, to: path)
        }
    }

    /// As above, of the state and the bulk environment, each at one moment; the two moments follow each other. `header.holdsBulk` must be true.
    package static func write(
        _ state: some BackupSource, bulk: some BackupSource, header: BackupHeader, to path: String
    ) throws(StoreError) -> BackupSummary {
        precondition(header.holdsBulk, "a header that does not tell of bulk")
        // The state first: what is moved from it into bulk, bulk committed first, is then in one of them at least.
        return try state.withTransaction { stateTransaction throws(StoreError) in
            try bulk.withTransaction { bulkTransaction throws(StoreError) in
                try write(
                    [
                        Section(transaction: stateTransaction, tables: Array(state.backupTables)),
                        Section(transaction: bulkTransaction, tables: Array(bulk.backupTables)),
                    ], header: header, to: path)
            }
        }
    }

    package static func write(_ transaction: OpaquePointer, tables: [(table: Table, dbi: MDB_dbi)], header: BackupHeader, to path: String)
        throws(StoreError) -> BackupSummary
    {
        try write([Section(transaction: transaction, tables: tables)], header: header, to: path)
    }

    private static func write(_ sections: [Section], header: BackupHeader, to path: String) throws(StoreError) -> BackupSummary {
        var file = try BackupFileWriter(path: path)
        try header.encoded.span.withUnsafeBytes { bytes throws(StoreError) in try file.write(bytes) }
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        var (tables, records) = (0, UInt64(0))
        for (index, section) in sections.enumerated() {
            if index > 0 {
                try Array(bulkName.utf8).span.withUnsafeBytes { name throws(StoreError) in
                    try file.frame(.environment, table: 0, key: name, value: empty)
                }
            }
            for (table, dbi) in section.tables.sorted(by: { $0.table.id < $1.table.id }) {
                records += try copy(table, dbi, section.transaction, to: &file)
                tables += 1
            }
        }
        var trailer = [UInt64(tables), records].flatMap { number in withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) } }
        trailer += try file.digest()
        try trailer.span.withUnsafeBytes { bytes throws(StoreError) in try file.frame(.trailer, table: 0, key: empty, value: bytes) }
        try file.finish()
        return BackupSummary(tables: UInt64(tables), records: records, bytes: file.bytesWritten)
    }

    private static func copy(_ table: Table, _ dbi: MDB_dbi, _ transaction: OpaquePointer, to file: inout BackupFileWriter)
        throws(StoreError) -> UInt64
    {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        try Array(table.name.utf8).span.withUnsafeBytes { name throws(StoreError) in
            try file.frame(.table, table: table.id, key: name, value: empty)
        }
        var status = MDB_stat()
        var cursor: OpaquePointer?
        guard mdb_stat(transaction, dbi, &status) == MDB_SUCCESS, mdb_cursor_open(transaction, dbi, &cursor) == MDB_SUCCESS else {
            throw StoreError(.system, "back up \(table.name)")
        }
        defer { mdb_cursor_close(cursor) }
        var (key, value) = (MDB_val(), MDB_val())
        var count: UInt64 = 0
        var code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
        while code == MDB_SUCCESS {
            let keyBytes = UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
            let valueBytes = UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
            count += 1
            // A damaged tree can lead in circles: never more records than it says it has.
            guard count <= status.ms_entries, keyBytes.first == table.id, valueBytes.count <= Limits.backupValueBytesMax,
                RecordHeader.read(key: keyBytes, value: valueBytes) != nil
            else { throw StoreError(.corrupted, "back up \(table.name): record \(count) has changed") }
            try file.frame(.record, table: table.id, key: keyBytes, value: valueBytes)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        guard code == MDB_NOTFOUND, count == status.ms_entries else {
            throw StoreError(.corrupted, "back up \(table.name): it ends after \(count) of \(status.ms_entries) records", number: code)
        }
        return count
    }
}

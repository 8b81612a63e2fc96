import CPlatform
import CLMDB
import Glibc

/// The version of the whole store, in the row `meta`/1 (Documentation/FORMATS.md §1).
///
/// It goes up when a reader of the version before would misunderstand the bytes. That row itself keeps record version 1 for ever, so that
/// every older binary can read that it is too old.
package enum StoreFormat {
    package static let currentVersion: UInt32 = 1
    static let versionRow: UInt8 = 1

    /// What a look at a file says.
    package enum Inspection: Equatable, Sendable {
        /// No file, an empty one, or one in which no table was ever made.
        case fresh
        case readable(version: UInt32)
        /// Made by a later version of this program, or of LMDB.
        case newer(version: UInt32)

        package var isNewer: Bool {
            if case .newer = self { true } else { false }
        }
    }

    /// Reads the version without touching anything: no lock file, no write, no change of time.
    ///
    /// - Throws: `.corrupted` for a file that is no store of ours.
    package static func inspect(_ path: String) throws(StoreError) -> Inspection {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return .fresh }
            throw StoreError(errno: "look at the store's file")
        }
        guard status.st_size > 0 else { return .fresh }
        var handle: OpaquePointer?
        try StoreError.check(mdb_env_create(&handle), "create an environment to look")
        defer { mdb_env_close(handle) }
        try StoreError.check(mdb_env_set_maxdbs(handle, 4), "set the tables to look")
        let code = mdb_env_open(handle, path, UInt32(MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NORDAHEAD), 0o600)
        if code == MDB_VERSION_MISMATCH { return .newer(version: .max) }
        try StoreError.check(code, "look into the store's file")
        var transaction: OpaquePointer?
        try StoreError.check(mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction), "begin to look")
        defer { mdb_txn_abort(transaction) }
        var table = MDB_dbi()
        let opening = mdb_dbi_open(transaction, Table.meta.name, 0, &table)
        if opening == MDB_NOTFOUND {
            // Between LMDB's first write and our first transaction a crash leaves a file with no table.
            var stat = MDB_stat()
            try StoreError.check(mdb_stat(transaction, 1, &stat), "count the tables")
            if stat.ms_entries == 0 { return .fresh }
            throw StoreError(.corrupted, "find the table `meta`: this is no store of posto")
        }
        try StoreError.check(opening, "open the table `meta`")
        let key = StoreKey(.meta, [versionRow])
        let version: UInt32? = key.withBytes { key in
            var keyValue = MDB_val(key)
            var value = MDB_val()
            guard mdb_get(transaction, table, &keyValue, &value) == 0 else { return nil }
            guard let record = RecordHeader.read(key: key, value: UnsafeRawBufferPointer(value)), record.payload.count == 4 else {
                return nil
            }
            return UInt32(littleEndian: record.payload.loadUnaligned(as: UInt32.self))
        }
        guard let version else { throw StoreError(.corrupted, "read the format version") }
        return version > currentVersion ? .newer(version: version) : .readable(version: version)
    }

    static func writeIfMissing(_ transaction: borrowing WriteTransaction) throws(StoreError) {
        let key = StoreKey(.meta, [versionRow])
        guard try transaction.withValue(.meta, key, { _, _ in true }) == nil else { return }
        var version = currentVersion.littleEndian
        try withUnsafeBytes(of: &version) { (bytes) throws(StoreError) in
            try transaction.put(.meta, key, bytes, revision: 0)
        }
    }
}

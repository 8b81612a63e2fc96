import CLMDB
import CPlatform
import Domain
import Glibc

/// Writes a new environment from records that come in the order of their tables and keys: for salvage and restore.
///
/// Commits are bounded; each is on disk before the next begins. A file that was not finished is of no use and carries a name that nobody opens.
struct EnvironmentBuilder: ~Copyable {
    // SAFETY: both handles are owned by this value alone and ended once, in `finish` or `deinit`; it is used by one thread.
    private let environment: OpaquePointer
    private var transaction: OpaquePointer?
    private var dbis: [UInt8: (dbi: MDB_dbi, name: String)] = [:]
    private var pendingRecords = 0
    private var pendingBytes = 0
    private let path: String

    /// - Parameter dataBytes: about how many bytes will be written; the map is three times that, so that it is never the limit.
    init(path: String, dataBytes: Int) throws(StoreError) {
        self.path = path
        unlink(path)
        unlink(path + "-lock")
        environment = try Self.open(path, dataBytes: dataBytes)
        transaction = nil
    }

    private static func open(_ path: String, dataBytes: Int) throws(StoreError) -> OpaquePointer {
        var handle: OpaquePointer?
        try check(mdb_env_create(&handle), "prepare a new store")
        let code = {
            let gib = 1 << 30
            let code = mdb_env_set_mapsize(handle, (3 * dataBytes / gib + 1) * gib)
            guard code == MDB_SUCCESS else { return code }
            mdb_env_set_maxdbs(handle, UInt32(Limits.checkTablesMax))
            // Without a lock file: nobody else knows the name.
            return mdb_env_open(handle, path, UInt32(MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOLOCK), 0o600)
        }()
        guard code == MDB_SUCCESS, let handle else {
            mdb_env_close(handle)
            throw error(code, "begin a new store at \(path)")
        }
        return handle
    }

    deinit {
        if let transaction { mdb_txn_abort(transaction) }
        mdb_env_close(environment)
    }

    private static func check(_ code: Int32, _ doing: String) throws(StoreError) {
        guard code == MDB_SUCCESS else { throw error(code, doing) }
    }

    private static func error(_ code: Int32, _ doing: String) -> StoreError {
        let isFull = code == ENOSPC || code == EDQUOT || code == MDB_MAP_FULL
        return StoreError(isFull ? .full : .system, doing, number: code)
    }

    private mutating func writing() throws(StoreError) -> OpaquePointer {
        if let transaction { return transaction }
        try Self.check(mdb_txn_begin(environment, nil, 0, &transaction), "begin to write")
        return transaction!
    }

    private mutating func table(_ id: UInt8, _ name: String) throws(StoreError) -> MDB_dbi {
        if let known = dbis[id] {
            guard known.name == name else { throw StoreError(.corrupted, "put two tables under the id \(id)") }
            return known.dbi
        }
        var dbi: MDB_dbi = 0
        try Self.check(mdb_dbi_open(try writing(), name, UInt32(MDB_CREATE), &dbi), "make the table \(name)")
        dbis[id] = (dbi, name)
        return dbi
    }

    /// Makes a table, if only an empty one.
    mutating func make(_ id: UInt8, _ name: String) throws(StoreError) { _ = try table(id, name) }

    /// Appends a record as it was stored.
    mutating func append(_ id: UInt8, _ name: String, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StoreError) {
        let dbi = try table(id, name)
        var keyValue = MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
        var dataValue = MDB_val(mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
        try Self.check(mdb_put(try writing(), dbi, &keyValue, &dataValue, UInt32(MDB_APPEND)), "write a record of \(name)")
        pendingRecords += 1
        pendingBytes += key.count + value.count
        guard pendingRecords >= Limits.rebuildRecordsPerCommit || pendingBytes >= Limits.rebuildBytesPerCommit else { return }
        try commit()
    }

    private mutating func commit() throws(StoreError) {
        guard let handle = transaction else { return }
        transaction = nil
        (pendingRecords, pendingBytes) = (0, 0)
        try Self.check(mdb_txn_commit(handle), "commit the new store")
    }

    /// The number in a row of `meta`; nil if it is absent.
    mutating func number(_ row: IdentityRow) throws(StoreError) -> UInt32? {
        let dbi = try table(Table.meta.id, Table.meta.name)
        return row.number(from: try writing(), dbi)
    }

    mutating func has(_ row: IdentityRow) throws(StoreError) -> Bool {
        let dbi = try table(Table.meta.id, Table.meta.name)
        return row.payload(from: try writing(), dbi) != nil
    }

    mutating func put(_ row: IdentityRow, _ payload: [UInt8], epoch: UInt32, revision: UInt64) throws(StoreError) {
        let dbi = try table(Table.meta.id, Table.meta.name)
        try Self.check(row.put(payload, epoch: epoch, revision: revision, to: try writing(), dbi), "write the store's identity")
    }

    /// Commits the rest and sees to it that all is on disk.
    mutating func finish() throws(StoreError) {
        try commit()
        try Self.check(mdb_env_sync(environment, 1), "sync the new store")
    }
}

import CLMDB
import CPlatform
import Domain
import Glibc
import Synchronization

extension StoreEnvironment {
    /// Opens a store that is there, to read it only; a daemon may have it open, or open it meanwhile.
    ///
    /// Readers take slots of LMDB's lock file, so that the writer leaves them their pages; neither the store nor a table is created. LMDB does
    /// not survive every damaged file: run `StoreCheck` before, unless a daemon that did so has it open.
    ///
    /// - Throws: `.system` with ENOENT if there is none, `.newerFormat`, `.corrupted`.
    package static func openForReading(_ path: String) throws(StoreError) -> StoreEnvironment {
        try assertLibrary()
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(errno: "open the store's file") }
        let handle: OpaquePointer
        do throws(StoreError) {
            switch try StoreFormat.inspect(path) {
            case .newer: throw StoreError(.newerFormat, "open the store")
            case .fresh: throw StoreError(.system, "open a store that was never begun", number: ENOENT)
            case .readable: break
            }
            try provideLockFile(path, like: descriptor)
            handle = try openReadingHandle(path)
        } catch {
            close(descriptor)
            throw error
        }
        // A budget is for writers.
        let environment = StoreEnvironment(handle: handle, descriptor: descriptor, options: Options(path: path, budgetBytes: 0))
        try environment.openPresentTables(Table.all)
        let rows = try environment.read { (transaction) throws(StoreError) in try transaction.streamRows() }
        try environment.openPresentTables(rows.map { .stream($0.id.number, named: $0.policy.name) })
        return environment
    }

    /// Makes a lock file that is missing, as the owner of the store would have: one of root's would keep the daemon out.
    private static func provideLockFile(_ path: String, like descriptor: Int32) throws(StoreError) {
        let lockFile = Glibc.open(path + "-lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        // It is there already, or the file system is read-only, which LMDB takes for "nobody writes"; anything else LMDB will tell.
        guard lockFile >= 0 else { return }
        defer { close(lockFile) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError(errno: "look at the store's file") }
        if geteuid() == 0, fchown(lockFile, status.st_uid, status.st_gid) != 0 {
            unlink(path + "-lock")
            throw StoreError(errno: "give the lock file to the store's owner")
        }
    }

    private static func openReadingHandle(_ path: String) throws(StoreError) -> OpaquePointer {
        var created: OpaquePointer?
        try StoreError.check(mdb_env_create(&created), "create the environment")
        let handle = created!
        do throws(StoreError) {
            // As the writer would: whoever comes first makes the table of readers. The map is as large as the writer's was.
            try StoreError.check(mdb_env_set_maxreaders(handle, Limits.readersMax), "set the readers")
            try StoreError.check(mdb_env_set_maxdbs(handle, MDB_dbi(Limits.checkTablesMax)), "set the tables")
            let flags = UInt32(MDB_NOSUBDIR | MDB_RDONLY | MDB_NOTLS | MDB_NORDAHEAD)
            try StoreError.check(mdb_env_open(handle, path, flags, 0o600), "open the environment")
        } catch {
            mdb_env_close(handle)
            throw error
        }
        return handle
    }

    /// Opens those of the tables that are there. Only before other threads use the environment.
    private func openPresentTables(_ tables: [Table]) throws(StoreError) {
        var transaction: OpaquePointer?
        try StoreError.check(mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction), "begin to open tables")
        for table in tables where handles[Int(table.id)] == 0 {
            var opening = MDB_dbi()
            let code = mdb_dbi_open(transaction, table.name, 0, &opening)
            if code == MDB_NOTFOUND { continue }
            if code != 0 {
                mdb_txn_abort(transaction)
                throw StoreError(lmdb: code, "open a table")
            }
            handles[Int(table.id)] = opening
            openedTables.append((table, opening))
            openTableCount.add(1, ordering: .relaxed)
        }
        // Only a commit keeps the handles.
        try StoreError.check(mdb_txn_commit(transaction), "open the tables")
        for table in [Table.meta, .streams, .checkpoints] where handles[Int(table.id)] == 0 {
            throw StoreError(.corrupted, "find the table `\(table.name)`")
        }
    }
}

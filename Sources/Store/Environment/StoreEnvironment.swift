import CLMDB
import Domain
import Glibc
import Synchronization

/// One LMDB file, opened once: tables, transactions, its budget and the room kept for it.
///
/// A second open of the same file for writing, by this process or another, is refused: LMDB would let it pass and then lose its locks.
/// Another process may read beside it (`openForReading`).
/// The process must not fork while it is open.
// SAFETY: `handle`, `descriptor` and `path` never change after `open`; LMDB's environment may be used by any thread. `handles` and `openedTables` are written
// by `openTables` only, which runs before other threads are given the object (documented there).
package final class StoreEnvironment: @unchecked Sendable {
    package struct Options: Sendable {
        package var path: String
        /// How much of the file may be used, in bytes; enforced by used pages before each write.
        package var budgetBytes: Int
        /// The map; nil: four budgets, at least 16 GiB, in whole GiB.
        package var mapBytes: Int?
        package var tables: [Table]
        package var maxTables: Int
        /// Keep room for the whole budget at open.
        package var preallocate: Bool
        /// The ballast, where that cannot be done; nil: a twentieth of the budget, at most `Limits.ballastBytesMax`.
        package var ballastBytes: Int?
        /// Written into every record until `StoreIdentity` sets the stored one.
        package var epoch: UInt32
        package var disk: StoreDisk
        /// Free space below which only audit is accepted.
        package var diskFreeBytesMin: Int

        package init(
            path: String, budgetBytes: Int, mapBytes: Int? = nil, tables: [Table] = Table.all, maxTables: Int = Limits.tablesMax,
            preallocate: Bool = false, ballastBytes: Int? = nil, epoch: UInt32 = 0, disk: StoreDisk = .system,
            diskFreeBytesMin: Int = Limits.diskFreeBytesMin
        ) {
            self.path = path
            self.budgetBytes = budgetBytes
            self.mapBytes = mapBytes
            self.tables = tables
            self.maxTables = maxTables
            self.preallocate = preallocate
            self.ballastBytes = ballastBytes
            self.epoch = epoch
            self.disk = disk
            self.diskFreeBytesMin = diskFreeBytesMin
        }
    }

    package static let pageBytes = 4_096

    package let path: String
    package let budgetBytes: Int
    package let diskFreeBytesMin: Int
    let handle: OpaquePointer
    /// Our own descriptor of the data file: it carries the lock, and is what fstatvfs and fallocate are asked with.
    let descriptor: Int32
    let disk: StoreDisk
    /// LMDB's handle of the table with this id; 0 = not open.
    let handles: UnsafeMutablePointer<MDB_dbi>
    package let reserve: StoreReserveKeeper
    let gate = MapGate()
    let mapGrowth = Mutex(MapGrowth())
    private let currentEpoch: Atomic<UInt32>
    /// Every open table with LMDB's handle of it, in the order of opening. Written by `openTables` and `openPresentTables`, as `handles`.
    var openedTables: [(table: Table, dbi: MDB_dbi)] = []
    let openTableCount = Atomic<Int>(0)

    /// The epoch written into new records.
    package var epoch: UInt32 { currentEpoch.load(ordering: .relaxed) }
    func setEpoch(_ epoch: UInt32) { currentEpoch.store(epoch, ordering: .relaxed) }

    /// Opens the file, creating it if there is none, with mode 0600.
    ///
    /// - Throws: `.locked` if it is open already, here or elsewhere; `.newerFormat` for a file of a later version, whose bytes stay as they
    ///   are; `.corrupted` for a file that is no store.
    package static func open(_ options: Options) throws(StoreError) -> StoreEnvironment {
        try assertLibrary()
        let isNew = !FileBytes.exists(options.path)
        let descriptor = Glibc.open(options.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreError(errno: "open the store's file") }
        let handle: OpaquePointer
        do throws(StoreError) {
            handle = try openHandle(options, descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        // From here its `deinit` closes everything, also when the next line throws.
        let environment = StoreEnvironment(handle: handle, descriptor: descriptor, options: options)
        try environment.openTables(options.tables)
        // A file that is synced may still have no name after a power cut.
        if isNew { try FileBytes.syncFolder(FileBytes.folder(of: options.path)) }
        _ = environment.checkReaders()
        return environment
    }

    private static func openHandle(_ options: Options, _ descriptor: Int32) throws(StoreError) -> OpaquePointer {
        // On an open file description of its own: it holds against other processes, and against this one.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw StoreError(.locked, "lock the store's file", number: errno) }
        // Read-only and before anything else, so that a newer store stays as it is, its lock file too.
        if try StoreFormat.inspect(options.path).isNewer { throw StoreError(.newerFormat, "open the store") }
        var created: OpaquePointer?
        try StoreError.check(mdb_env_create(&created), "create the environment")
        let handle = created!
        do throws(StoreError) {
            let gibibyte = 1 << 30
            let map = options.mapBytes ?? max(Limits.mapBytesMin, (options.budgetBytes * 4 + gibibyte - 1) / gibibyte * gibibyte)
            try StoreError.check(mdb_env_set_mapsize(handle, map), "set the map size")
            try StoreError.check(mdb_env_set_maxreaders(handle, Limits.readersMax), "set the readers")
            try StoreError.check(mdb_env_set_maxdbs(handle, MDB_dbi(options.maxTables)), "set the tables")
            let flags = UInt32(MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD)
            try StoreError.check(mdb_env_open(handle, options.path, flags, 0o600), "open the environment")
            var stat = MDB_stat()
            try StoreError.check(mdb_env_stat(handle, &stat), "ask the page size")
            guard stat.ms_psize == UInt32(pageBytes) else {
                throw StoreError(.newerFormat, "open a store whose pages are not of 4,096 bytes", number: Int32(stat.ms_psize))
            }
        } catch {
            mdb_env_close(handle)
            throw error
        }
        return handle
    }

    init(handle: OpaquePointer, descriptor: Int32, options: Options) {
        self.handle = handle
        self.descriptor = descriptor
        path = options.path
        budgetBytes = options.budgetBytes
        diskFreeBytesMin = options.diskFreeBytesMin
        disk = options.disk
        currentEpoch = Atomic(options.epoch)
        handles = .allocate(capacity: 256)
        handles.initialize(repeating: 0, count: 256)
        reserve = StoreReserveKeeper(
            descriptor: descriptor, ballastPath: options.path + ".ballast", budgetBytes: options.preallocate ? options.budgetBytes : 0,
            ballastBytesMax: options.ballastBytes ?? min(Limits.ballastBytesMax, options.budgetBytes / 20),
            diskFreeBytesMin: options.diskFreeBytesMin, disk: options.disk)
        reserve.maintain()
    }

    deinit {
        mdb_env_close(handle)
        handles.deallocate()
        close(descriptor)
    }

    /// Opens tables, creating those that are missing, and writes the format row of a new store, in one transaction.
    ///
    /// Only before other threads use the environment.
    package func openTables(_ tables: [Table]) throws(StoreError) {
        let wanted = tables.filter { handles[Int($0.id)] == 0 }
        guard !wanted.isEmpty else { return }
        var transaction: OpaquePointer?
        try StoreError.check(mdb_txn_begin(handle, nil, 0, &transaction), "begin to open tables")
        var opened: [(id: Int, handle: MDB_dbi)] = []
        for table in wanted {
            var opening = MDB_dbi()
            let code = mdb_dbi_open(transaction, table.name, UInt32(MDB_CREATE), &opening)
            if code != 0 {
                mdb_txn_abort(transaction)
                throw StoreError(lmdb: code, "open a table")
            }
            opened.append((Int(table.id), opening))
        }
        for (id, handle) in opened { handles[id] = handle }
        do throws(StoreError) {
            if wanted.contains(.meta) { try StoreFormat.writeIfMissing(WriteTransaction(transaction!, self)) }
        } catch {
            mdb_txn_abort(transaction)
            for (id, _) in opened { handles[id] = 0 }
            throw error
        }
        let code = mdb_txn_commit(transaction)
        if code != 0 {
            for (id, _) in opened { handles[id] = 0 }
            throw classify(StoreError(lmdb: code, "commit the new tables"))
        }
        openTableCount.add(opened.count, ordering: .relaxed)
        openedTables += zip(wanted, opened).map { ($0, $1.handle) }
    }

    /// 0.9.24 and later: what our limits were measured with. 1.0 has another file format.
    static func assertLibrary() throws(StoreError) {
        var major: Int32 = 0
        var minor: Int32 = 0
        var patch: Int32 = 0
        mdb_version(&major, &minor, &patch)
        guard major == 0, minor == 9, patch >= 24 else { throw StoreError(.system, "use an LMDB that is not 0.9.24 or later") }
    }
}

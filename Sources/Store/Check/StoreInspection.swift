import CLMDB
import CPlatform
import Domain
import Glibc

/// Looks at an environment's file. Only in a child process: a damaged file may end whoever reads it.
struct StoreInspection {
    /// Why the inspection ended early.
    struct Finding: Error {
        let status: Int32
        let text: String

        static func damaged(_ text: String) -> Finding { Finding(status: StoreCheck.ExitStatus.damaged, text: text) }

        /// A number of LMDB is a finding about the file, one of the system about us; but a failing disk is the file's fault.
        static func code(_ code: Int32, _ doing: String) -> Finding {
            let text = "\(doing): \(String(cString: mdb_strerror(code)))"
            guard code > 0, code != EIO else { return .damaged(text) }
            return Finding(status: StoreCheck.ExitStatus.unreadable, text: text)
        }
    }

    private let path: String
    private let formatVersion: UInt32
    private var file: Int32 = -1
    private var pages: UInt64 = 0
    private var pageSize = 0

    init(path: String, formatVersion: UInt32) {
        self.path = path
        self.formatVersion = formatVersion
    }

    /// - Returns: the epoch of the store; nil if it has none yet.
    mutating func run() throws(Finding) -> UInt32? {
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            throw errno == ENOENT ? Finding(status: StoreCheck.ExitStatus.missing, text: "") : .code(errno, "open \(path)")
        }
        try refuseIfWritten()
        let meta = try inspectMetaPages()
        try inspectRoot(meta.free, "the list of free pages")
        try inspectRoot(meta.main, "the list of tables")
        return try inspectThroughLMDB(meta)
    }

    /// Whoever may write holds the file's lock from before LMDB opens it. Those who only read do not: they must not keep a node from starting.
    private func refuseIfWritten() throws(Finding) {
        guard flock(file, LOCK_SH | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK
                ? Finding(status: StoreCheck.ExitStatus.busy, text: "") : .code(errno, "ask for the lock of \(path)")
        }
        // At once, so that a daemon that starts just now does not take us for another one.
        _ = flock(file, LOCK_UN)
    }

    // MARK: By hand

    private mutating func inspectMetaPages() throws(Finding) -> MetaPage {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .code(errno, "look at \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Finding(status: StoreCheck.ExitStatus.unreadable, text: "no plain file") }
        // A start that was cut off before LMDB wrote its first bytes.
        guard status.st_size > 0 else { throw Finding(status: StoreCheck.ExitStatus.missing, text: "") }
        let system = Int(getpagesize())
        let first = try readMeta(0, at: 0)
        pageSize = first.pageSize
        guard pageSize == system else { throw .damaged("made with pages of \(pageSize) bytes, here they have \(system)") }
        let second = try readMeta(1, at: pageSize)
        guard second.pageSize == pageSize else { throw .damaged("the meta pages name different page sizes") }
        let newest = second.transaction > first.transaction ? second : first
        let oldest = second.transaction > first.transaction ? first : second
        // Commits take the two pages in turn.
        guard newest.transaction - oldest.transaction <= 1, newest.transaction % 2 == (second.transaction > first.transaction ? 1 : 0)
        else {
            throw .damaged("the meta pages tell of transactions \(first.transaction) and \(second.transaction)")
        }
        pages = UInt64(status.st_size) / UInt64(pageSize)
        guard newest.lastPage >= 1, newest.lastPage < UInt64(Int.max) / UInt64(pageSize), oldest.lastPage <= newest.lastPage else {
            throw .damaged("the meta pages end at \(oldest.lastPage) and \(newest.lastPage)")
        }
        guard newest.lastPage < pages + UInt64(Limits.checkMissingPagesMax) else {
            throw .damaged("\(newest.lastPage + 1 - pages) pages are missing at the end")
        }
        return newest
    }

    private func readMeta(_ number: UInt64, at offset: Int) throws(Finding) -> MetaPage {
        var bytes = [UInt8](repeating: 0, count: MetaPage.size)
        let count = pread(file, &bytes, bytes.count, off_t(offset))
        guard count >= 0 else { throw .code(errno, "read meta page \(number)") }
        guard count == bytes.count else { throw .damaged("meta page \(number) is cut off") }
        switch bytes.withUnsafeBytes({ MetaPage.read($0, number: number) }) {
        case .meta(let meta): return meta
        case .version(let version) where version > PageLayout.dataVersion && version < 256:
            throw Finding(status: StoreCheck.ExitStatus.newerFormat, text: "\(version)")
        case .version, .unreadable: throw .damaged("meta page \(number) is not readable")
        }
    }

    private func inspectRoot(_ tree: TreeRecord, _ name: String) throws(Finding) {
        if tree.isEmpty {
            guard tree.entries == 0, tree.depth == 0 else { throw .damaged("\(name) has \(tree.entries) entries and no root") }
            return
        }
        guard tree.root >= 2, tree.root < pages else { throw .damaged("the root of \(name) is page \(tree.root) of \(pages)") }
        var bytes = [UInt8](repeating: 0, count: pageSize)
        guard pread(file, &bytes, pageSize, off_t(tree.root) * off_t(pageSize)) == pageSize else {
            throw .damaged("the root of \(name) cannot be read")
        }
        let kind = tree.depth == 1 ? PageLayout.leaf : PageLayout.branch
        guard bytes.withUnsafeBytes({ Page(bytes: $0).isSane(number: tree.root, kinds: [kind]) }) else {
            throw .damaged("the root of \(name) is not a page of a tree")
        }
    }

    // MARK: Through LMDB

    private func inspectThroughLMDB(_ meta: MetaPage) throws(Finding) -> UInt32? {
        var environment: OpaquePointer?
        try check(mdb_env_create(&environment), "prepare LMDB")
        mdb_env_set_maxdbs(environment, UInt32(Limits.checkTablesMax))
        mdb_env_set_assert(environment) { _, _ in _exit(StoreCheck.ExitStatus.damaged) }
        // No lock file is made or touched, and no reader is entered: nobody writes meanwhile, or we would have been refused.
        let flags = UInt32(MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NORDAHEAD)
        try check(mdb_env_open(environment, path, flags, 0o600), "open through LMDB")
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction), "begin to read")
        guard mdb_txn_id(transaction) == Int(meta.transaction) else { throw .damaged("LMDB prefers another meta page") }
        try inspectFreeList(transaction!, meta)
        let tables = try listTables(transaction!, meta)
        let hasIdentity = tables.contains { $0.name == Table.meta.name }
        let epoch = hasIdentity ? try inspectIdentity(transaction!) : nil
        for table in tables {
            try inspectRoot(table.tree, "table \(table.name)")
            try inspectTable(transaction!, table.name, entries: table.tree.entries)
        }
        // Closed by the end of the process: closing by hand would only follow more pointers.
        return epoch
    }

    private func check(_ code: Int32, _ doing: String) throws(Finding) {
        guard code == MDB_SUCCESS else { throw .code(code, doing) }
    }

    /// Calls `body` with up to `limit` entries from one end, and says how many there were.
    private func walk(
        _ transaction: OpaquePointer, _ dbi: MDB_dbi, _ name: String, limit: Int, fromEnd: Bool,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(Finding) -> Void
    ) throws(Finding) {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, dbi, &cursor), "read \(name)")
        defer { mdb_cursor_close(cursor) }
        var (key, value) = (MDB_val(), MDB_val())
        for index in 0..<limit {
            let step = fromEnd ? (index == 0 ? MDB_LAST : MDB_PREV) : (index == 0 ? MDB_FIRST : MDB_NEXT)
            let code = mdb_cursor_get(cursor, &key, &value, step)
            if code == MDB_NOTFOUND { return }
            try check(code, "read \(name)")
            try body(
                UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
                UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
        }
    }

    /// Reads the oldest free pages, which the next commits will take; all of them if pages at the end of the file are missing: they
    /// were freed by the commit that made them, or else the file was cut off.
    private func inspectFreeList(_ transaction: OpaquePointer, _ meta: MetaPage) throws(Finding) {
        var missing = meta.lastPage >= pages ? Set(pages...meta.lastPage) : []
        let limit = missing.isEmpty ? Limits.checkFreeRecords : Int(min(meta.free.entries, 10_000_000))
        try walk(transaction, 0, "the list of free pages", limit: limit, fromEnd: false) { key, value throws(Finding) in
            guard key.count == 8, value.count >= 8, value.count % 8 == 0 else { throw .damaged("the list of free pages has a wrong entry") }
            let count = UInt64(littleEndian: value.loadUnaligned(as: UInt64.self))
            guard count < UInt64(value.count / 8) else { throw .damaged("the list of free pages has a wrong length") }
            for index in 0..<Int(count) {
                let page = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8 + index * 8, as: UInt64.self))
                guard page >= 2, page <= meta.lastPage else { throw .damaged("page \(page) cannot be free") }
                if !missing.isEmpty { missing.remove(page) }
            }
        }
        guard missing.isEmpty else { throw .damaged("\(missing.count) pages are missing at the end") }
    }

    private func listTables(_ transaction: OpaquePointer, _ meta: MetaPage) throws(Finding) -> [(name: String, tree: TreeRecord)] {
        var tables: [(name: String, tree: TreeRecord)] = []
        try walk(transaction, 1, "the list of tables", limit: Limits.checkTablesMax + 1, fromEnd: false) { key, value throws(Finding) in
            guard let tree = TreeRecord(value), tables.count < Limits.checkTablesMax else {
                throw .damaged("the list of tables has a wrong entry")
            }
            tables.append((String(decoding: key, as: UTF8.self), tree))
        }
        guard UInt64(tables.count) == meta.main.entries else {
            throw .damaged("\(meta.main.entries) tables are named, \(tables.count) found")
        }
        return tables
    }

    private func inspectTable(_ transaction: OpaquePointer, _ name: String, entries: UInt64) throws(Finding) {
        var dbi: MDB_dbi = 0
        try check(mdb_dbi_open(transaction, name, 0, &dbi), "open table \(name)")
        let isStream = name.hasPrefix(Table.streamNamePrefix)
        var id = Table.all.first { $0.name == name }?.id
        let verify = { (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(Finding) in
            guard let first = key.first, id == nil || id == first, isStream == (first >= 128) else {
                throw .damaged("table \(name) holds a key of another table")
            }
            id = first
            guard RecordHeader.read(key: key, value: value) != nil else { throw .damaged("a record of table \(name) has changed") }
        }
        var count: UInt64 = 0
        let limit = isStream ? Limits.checkStreamRecords : Limits.checkTableRecords
        try walk(transaction, dbi, "table \(name)", limit: limit, fromEnd: true) { key, value throws(Finding) in
            try verify(key, value)
            count += 1
        }
        guard count == min(UInt64(limit), entries) else { throw .damaged("table \(name) ends before its \(entries) records") }
        try walk(transaction, dbi, "table \(name)", limit: Limits.checkTableRecords, fromEnd: false, verify)
    }

    /// The row of the format version comes first: of a newer store nothing else is judged.
    private func inspectIdentity(_ transaction: OpaquePointer) throws(Finding) -> UInt32? {
        var dbi: MDB_dbi = 0
        try check(mdb_dbi_open(transaction, Table.meta.name, 0, &dbi), "open table \(Table.meta.name)")
        if let found = IdentityRow.formatVersion.number(from: transaction, dbi), found > formatVersion {
            throw Finding(status: StoreCheck.ExitStatus.newerFormat, text: "\(found)")
        }
        return IdentityRow.epoch.number(from: transaction, dbi)
    }
}

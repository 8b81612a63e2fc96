import CPlatform
import CLMDB
import Glibc

/// How full an environment is.
package struct StoreUsage: Equatable, Sendable {
    /// Pages in use: those of all tables, LMDB's own and the two meta pages.
    package let usedPages: Int
    /// Pages of the file that wait to be used again.
    package let freePages: Int
    package let budgetPages: Int
    /// Size of the file.
    package let fileBytes: Int
    /// What the file takes on the disk, preallocated room included.
    package let allocatedBytes: Int
    package let reserve: StoreReserve
    /// Number of the last commit.
    package let lastTransaction: Int
    /// Commits since the oldest reader began; 0 if nobody reads.
    package let oldestReaderLag: Int
}

extension StoreEnvironment {
    /// Asks for the figures: cost by the number of tables, not by size. Any thread.
    package func usage() throws(StoreError) -> StoreUsage {
        let used = try read { (transaction) throws(StoreError) in try usedPages(transaction.handle) }
        var info = MDB_envinfo()
        // It reads the meta pages, which lie in the map.
        gate.enter()
        defer { gate.leave() }
        try StoreError.check(mdb_env_info(handle, &info), "ask for the figures")
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError(errno: "ask for the file's size") }
        let oldest = oldestReader()
        return StoreUsage(
            usedPages: used, freePages: max(0, info.me_last_pgno + 1 - used), budgetPages: budgetBytes / Self.pageBytes,
            fileBytes: Int(status.st_size), allocatedBytes: Int(status.st_blocks) * 512, reserve: reserve.current,
            lastTransaction: info.me_last_txnid, oldestReaderLag: oldest.map { max(0, info.me_last_txnid - $0) } ?? 0)
    }

    /// Pages in use as `transaction` sees them. Table 0 is LMDB's list of free pages, table 1 its table of tables.
    func usedPages(_ transaction: OpaquePointer) throws(StoreError) -> Int {
        var stat = MDB_stat()
        var pages = 2
        func add(_ table: MDB_dbi) throws(StoreError) {
            try StoreError.check(mdb_stat(transaction, table, &stat), "count pages")
            pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages
        }
        try add(0)
        try add(1)
        for id in 0..<256 where handles[id] != 0 { try add(handles[id]) }
        return pages
    }

    /// Bytes that may still be written on the file system below; nil if it does not say.
    package var diskFreeBytes: Int? { disk.freeBytes(descriptor) }

    /// Tries again to keep the room that was not there before.
    package func maintainReserve() { reserve.maintain() }

    /// Frees the slots of readers that died, whose pages could never be used again. At open and each minute.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func checkReaders() -> Int {
        var dead: Int32 = 0
        return mdb_reader_check(handle, &dead) == 0 ? Int(dead) : 0
    }

    /// The commit that the oldest reader sees; nil if nobody reads. LMDB tells it only as text: `pid thread txnid`.
    private func oldestReader() -> Int? {
        var oldest: Int?
        withUnsafeMutablePointer(to: &oldest) { oldest in
            _ = mdb_reader_list(
                handle,
                { line, context in
                    guard let line, let context else { return 0 }
                    let fields = String(cString: line).split(whereSeparator: { $0 == " " || $0 == "\n" })
                    guard fields.count == 3, let number = Int(fields[2]) else { return 0 }
                    let oldest = context.assumingMemoryBound(to: Int?.self)
                    oldest.pointee = min(oldest.pointee ?? .max, number)
                    return 0
                }, oldest)
        }
        return oldest
    }
}

import CLMDB

/// The store as it was at one moment: no writer changes it, and it keeps no writer waiting.
///
/// It pins the pages of that moment, so it ends within the request; walks longer than `Limits.walkRecordsMax` records renew it.
/// Move-only and lent to a synchronous closure.
package struct ReadTransaction: ~Copyable, StoreReading {
    package let handle: OpaquePointer
    package let environment: StoreEnvironment

    static func begin(_ environment: StoreEnvironment) throws(StoreError) -> ReadTransaction {
        var handle: OpaquePointer?
        environment.gate.enter()
        let code = mdb_txn_begin(environment.handle, nil, UInt32(MDB_RDONLY), &handle)
        if code != 0 {
            environment.gate.leave()
            throw StoreError(lmdb: code, "begin to read")
        }
        return ReadTransaction(handle: handle!, environment: environment)
    }

    private init(handle: OpaquePointer, environment: StoreEnvironment) {
        self.handle = handle
        self.environment = environment
    }

    /// The number of the last commit that it sees.
    package var number: Int { mdb_txn_id(handle) }

    deinit {
        mdb_txn_abort(handle)
        environment.gate.leave()
    }
}

extension StoreEnvironment {
    /// Lends the store as it is now. Any thread; at most `Limits.readersMax` at a time (`.busy` beyond).
    package func read<R>(_ body: (borrowing ReadTransaction) throws(StoreError) -> R) throws(StoreError) -> R {
        let transaction = try ReadTransaction.begin(self)
        return try body(transaction)
    }

    /// Writes outside the writer's batches: at start, in tools and in tests. Commits when `body` returns, aborts when it throws.
    ///
    /// Waits for a batch of the writer that is under way; must not be called from inside one (LMDB has one writer, and it would wait for itself).
    package func write<R>(_ body: (borrowing WriteTransaction) throws(StoreError) -> R) throws(StoreError) -> R {
        var handle: OpaquePointer?
        gate.enter()
        defer { gate.leave() }
        try StoreError.check(mdb_txn_begin(self.handle, nil, 0, &handle), "begin to write")
        let answer: R
        do throws(StoreError) {
            answer = try body(WriteTransaction(handle!, self))
        } catch {
            mdb_txn_abort(handle)
            throw error
        }
        let code = mdb_txn_commit(handle)
        if code != 0 { throw classify(StoreError(lmdb: code, "commit")) }
        return answer
    }

    /// Tells "full" from "failed" after a failed commit: LMDB answers EIO for both, and the file system knows.
    func classify(_ error: StoreError) -> StoreError {
        guard error.code == .diskFailed, error.number != MDB_PANIC, let free = disk.freeBytes(descriptor), free < diskFreeBytesMin else {
            return error
        }
        return StoreError(.full, error.operation, number: error.number)
    }
}

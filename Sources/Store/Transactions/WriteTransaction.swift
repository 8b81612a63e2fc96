import CLMDB
import Domain

/// The single writer's view of the store, lent for one synchronous closure.
///
/// LMDB ties a write transaction to the thread that began it (`lmdb.h`, "Restrictions/caveats"), so it can be neither kept nor carried away.
/// It does not own LMDB's transaction: the batch does, and decides over commit and abort.
package struct WriteTransaction: ~Copyable, StoreReading {
    package let handle: OpaquePointer
    package let environment: StoreEnvironment
    let meter: WriteMeter

    init(_ handle: OpaquePointer, _ environment: StoreEnvironment, meter: WriteMeter = WriteMeter()) {
        self.handle = handle
        self.environment = environment
        self.meter = meter
    }

    /// Stores `payload` under `key`, in place of what was there.
    ///
    /// At most `Limits.payloadBytesMax` bytes: more is a programming error, because such values ruin the page allocator.
    /// - Parameter revision: of the change that it belongs to; the highest of a key wins in salvage.
    /// - Throws: `.full`; the request's writes must then be undone, which its fence does.
    package borrowing func put(
        _ table: Table, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, flags: RecordHeader.Flags = [], revision: UInt64
    ) throws(StoreError) {
        try reserve(table, key, payload.count, appending: false, flags: flags, revision: revision) { destination in
            destination.copyMemory(from: payload)
        }
    }

    package borrowing func put(
        _ table: Table, _ key: borrowing StoreKey, _ payload: UnsafeRawBufferPointer, flags: RecordHeader.Flags = [], revision: UInt64
    ) throws(StoreError) {
        let lent = (handle, environment, meter)
        try key.withBytes { (key) throws(StoreError) in
            try WriteTransaction(lent.0, lent.1, meter: lent.2).put(table, key, payload, flags: flags, revision: revision)
        }
    }

    package borrowing func put(
        _ table: Table, _ key: borrowing StoreKey, _ payload: [UInt8], revision: UInt64
    ) throws(StoreError) {
        let lent = (handle, environment, meter)
        try key.withBytes { (key) throws(StoreError) in
            try payload.span.withUnsafeBytes { (payload) throws(StoreError) in
                try WriteTransaction(lent.0, lent.1, meter: lent.2).put(table, key, payload, revision: revision)
            }
        }
    }

    /// Stores a record whose key is greater than all others of the table: pages are filled to the brim (`MDB_APPEND`).
    ///
    /// - Throws: `.corrupted` if the key is not the greatest.
    package borrowing func append(
        _ table: Table, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, flags: RecordHeader.Flags = [], revision: UInt64
    ) throws(StoreError) {
        try reserve(table, key, payload.count, appending: true, flags: flags, revision: revision) { destination in
            destination.copyMemory(from: payload)
        }
    }

    /// Stores a payload of `count` bytes that `fill` writes where it will lie. `fill` must write every byte.
    borrowing func reserve(
        _ table: Table, _ key: UnsafeRawBufferPointer, _ count: Int, appending: Bool, flags: RecordHeader.Flags, revision: UInt64,
        _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(StoreError) {
        precondition(key[0] == table.id, "a key of another table")
        precondition(count <= Limits.payloadBytesMax, "a value longer than a page")
        try meter.admit(handle, environment)
        var keyValue = MDB_val(key)
        var value = MDB_val(mv_size: RecordHeader.size + count, mv_data: nil)
        let code = mdb_put(
            handle, environment.handles[Int(table.id)], &keyValue, &value, UInt32(MDB_RESERVE | (appending ? MDB_APPEND : 0)))
        if code == MDB_KEYEXIST { throw StoreError(.corrupted, "append to `\(table.name)` out of order", number: code) }
        try StoreError.check(code, "write a record")
        let destination = UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
        fill(UnsafeMutableRawBufferPointer(rebasing: destination[RecordHeader.size...]))
        RecordHeader(flags: flags, length: UInt32(count), epoch: environment.epoch, revision: revision).seal(key: key, over: destination)
        meter.wrote(bytes: destination.count, appending: appending)
    }

    /// Removes the record under `key`; false if there was none.
    @discardableResult
    package borrowing func delete(_ table: Table, _ key: UnsafeRawBufferPointer) throws(StoreError) -> Bool {
        precondition(key[0] == table.id, "a key of another table")
        var keyValue = MDB_val(key)
        let code = mdb_del(handle, environment.handles[Int(table.id)], &keyValue, nil)
        if code == MDB_NOTFOUND { return false }
        try StoreError.check(code, "delete a record")
        meter.deleted()
        return true
    }

    @discardableResult
    package borrowing func delete(_ table: Table, _ key: borrowing StoreKey) throws(StoreError) -> Bool {
        let lent = (handle, environment, meter)
        return try key.withBytes { (key) throws(StoreError) -> Bool in
            try WriteTransaction(lent.0, lent.1, meter: lent.2).delete(table, key)
        }
    }
}

import CLMDB
import Domain

/// What LMDB itself can do: the same flags and durability, values of given sizes, none of our headers, keys or checks.
/// The measure for `StoreWriter`.
package final class StoreFloor {
    /// One value that each commit writes, as often as it says.
    package struct Put: Sendable {
        /// 0 to 7: which table.
        package let table: Int
        package let keyBytes: Int
        package let valueBytes: Int
        /// The key is greater than all before it; otherwise it falls anywhere.
        package let isAppended: Bool
        /// The same key each time: a counter's row.
        package let isSame: Bool

        package init(table: Int, keyBytes: Int, valueBytes: Int, isAppended: Bool = false, isSame: Bool = false) {
            self.table = table
            self.keyBytes = keyBytes
            self.valueBytes = valueBytes
            self.isAppended = isAppended
            self.isSame = isSame
        }
    }

    private static let tables = 8
    private let handle: OpaquePointer
    private var tables: [MDB_dbi] = []
    private var number: UInt64 = 0
    private let value = [UInt8](repeating: 0x61, count: Limits.valueBytesMax)

    /// Makes an environment in a new file.
    package init(path: String) throws(StoreError) {
        var created: OpaquePointer?
        try StoreError.check(mdb_env_create(&created), "create the floor")
        handle = created!
        mdb_env_set_mapsize(handle, Limits.mapBytesMin)
        mdb_env_set_maxdbs(handle, MDB_dbi(Self.tables))
        try StoreError.check(mdb_env_open(handle, path, UInt32(MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD), 0o600), "open the floor")
        var transaction: OpaquePointer?
        try StoreError.check(mdb_txn_begin(handle, nil, 0, &transaction), "begin to open the floor's tables")
        for table in 0..<Self.tables {
            var opened = MDB_dbi()
            try StoreError.check(mdb_dbi_open(transaction, "\(table)", UInt32(MDB_CREATE), &opened), "open a table of the floor")
            tables.append(opened)
        }
        try StoreError.check(mdb_txn_commit(transaction), "commit the floor's tables")
    }

    deinit { mdb_env_close(handle) }

    /// One durable commit of so many times these puts, with one more of `once`.
    package func commit(_ puts: [Put], times: Int, once: [Put] = []) throws(StoreError) {
        var transaction: OpaquePointer?
        try StoreError.check(mdb_txn_begin(handle, nil, 0, &transaction), "begin a floor's commit")
        for _ in 0..<times {
            number += 1
            for put in puts { try write(put, transaction) }
        }
        for put in once { try write(put, transaction) }
        try StoreError.check(mdb_txn_commit(transaction), "commit the floor")
    }

    private func write(_ put: Put, _ transaction: OpaquePointer?) throws(StoreError) {
        var key = [UInt8](repeating: 0x6b, count: max(8, put.keyBytes))
        // Multiplied by an odd constant, numbers in order become keys without one.
        let mark = put.isSame ? 0 : put.isAppended ? number : number &* 0x9e37_79b9_7f4a_7c15
        withUnsafeBytes(of: mark.bigEndian) { key.replaceSubrange(0..<8, with: $0) }
        let flags = UInt32(put.isAppended ? MDB_APPEND : 0)
        let code = key.withUnsafeBytes { key in
            value.withUnsafeBytes { value in
                var keyValue = MDB_val(key)
                var stored = MDB_val(UnsafeRawBufferPointer(rebasing: value[..<put.valueBytes]))
                return mdb_put(transaction, tables[put.table], &keyValue, &stored, flags)
            }
        }
        try StoreError.check(code, "write into the floor")
    }
}

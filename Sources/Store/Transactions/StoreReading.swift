import CLMDB
import Domain

/// Reading, which a read and a write transaction do alike.
///
/// Bytes that are lent lie in the map: they are valid within the closure only, and in a write transaction until its next write.
/// Each record is checked (magic, version, length, CRC over key and value) before it is lent.
package protocol StoreReading: ~Copyable {
    /// LMDB's transaction.
    var handle: OpaquePointer { get }
    var environment: StoreEnvironment { get }
}

extension StoreReading where Self: ~Copyable {
    /// Lends the payload under `key`; nil if there is none.
    ///
    /// - Throws: `.corrupted` if the stored value fails its check.
    package borrowing func withValue<R>(
        _ table: Table, _ key: UnsafeRawBufferPointer,
        _ body: (_ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> R
    ) throws(StoreError) -> R? {
        precondition(key[0] == table.id, "a key of another table")
        var keyValue = MDB_val(key)
        var value = MDB_val()
        let code = mdb_get(handle, environment.handles[Int(table.id)], &keyValue, &value)
        if code == MDB_NOTFOUND { return nil }
        try StoreError.check(code, "read a record")
        guard let record = RecordHeader.read(key: key, value: UnsafeRawBufferPointer(value)) else {
            throw StoreError(.corrupted, "read a record of `\(table.name)`")
        }
        return try body(record.payload, record.header)
    }

    package borrowing func withValue<R>(
        _ table: Table, _ key: borrowing StoreKey,
        _ body: (_ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> R
    ) throws(StoreError) -> R? {
        // The key's bytes are lent by a closure, into which a borrowed transaction cannot be captured: hand over its parts.
        let view = TransactionView(handle: handle, environment: environment)
        return try key.withBytes { (key) throws(StoreError) -> R? in try view.withValue(table, key, body) }
    }

    /// Whether there is a record under `key`; its bytes are not checked.
    package borrowing func contains(_ table: Table, _ key: borrowing StoreKey) throws(StoreError) -> Bool {
        let view = TransactionView(handle: handle, environment: environment)
        return try key.withBytes { (key) throws(StoreError) -> Bool in
            var keyValue = MDB_val(key)
            var value = MDB_val()
            let code = mdb_get(view.handle, view.environment.handles[Int(table.id)], &keyValue, &value)
            if code == MDB_NOTFOUND { return false }
            try StoreError.check(code, "look for a record")
            return true
        }
    }

    /// Records in the table; asks LMDB's counter.
    package borrowing func count(_ table: Table) throws(StoreError) -> Int {
        var stat = MDB_stat()
        try StoreError.check(mdb_stat(handle, environment.handles[Int(table.id)], &stat), "count a table")
        return stat.ms_entries
    }

    /// Pages of the table; asks LMDB's counters.
    package borrowing func pages(_ table: Table) throws(StoreError) -> Int {
        var stat = MDB_stat()
        try StoreError.check(mdb_stat(handle, environment.handles[Int(table.id)], &stat), "count the pages of a table")
        return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages
    }

    /// Lends the records from `key` on in the order of their keys, while they begin with `prefix`, at most `limit`, until `body` says false.
    ///
    /// `body` must not write to the table that is walked.
    /// - Throws: `.corrupted` at the first record that fails its check, and when the walk gives more records than the table has:
    ///   a damaged tree can be a circle.
    package borrowing func scan(
        _ table: Table, from key: UnsafeRawBufferPointer, prefix: UnsafeRawBufferPointer? = nil, limit: Int = .max,
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> Bool
    ) throws(StoreError) {
        precondition(key[0] == table.id, "a key of another table")
        try walk(table, MDB_SET_RANGE, key, MDB_NEXT, prefix, limit, body)
    }

    /// As `scan`, over the whole table or what begins with `key`.
    package borrowing func scan(
        _ table: Table, prefix key: borrowing StoreKey, limit: Int = .max,
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let view = TransactionView(handle: handle, environment: environment)
        try key.withBytes { (key) throws(StoreError) in
            try view.walk(table, MDB_SET_RANGE, key, MDB_NEXT, key, limit, body)
        }
    }

    /// As `scan`, from `key` on while it begins with `prefix`.
    ///
    /// - Parameter onDamage: told the key of a record that fails its check; says whether the walk goes on behind it instead of throwing.
    package borrowing func scan(
        _ table: Table, from key: borrowing StoreKey, prefix: borrowing StoreKey, limit: Int = .max,
        onDamage: (_ key: UnsafeRawBufferPointer) -> Bool = { _ in false },
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let view = TransactionView(handle: handle, environment: environment)
        let prefixBytes = prefix.withBytes { Array($0) }
        try key.withBytes { (key) throws(StoreError) in
            try prefixBytes.span.withUnsafeBytes { (prefix) throws(StoreError) in
                try view.walk(table, MDB_SET_RANGE, key, MDB_NEXT, prefix, limit, onDamage: onDamage, body)
            }
        }
    }

    /// Lends the records from the last one of the table backwards.
    package borrowing func scanBackwards(
        _ table: Table, limit: Int = .max,
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try walk(table, MDB_LAST, nil, MDB_PREV, nil, limit, body)
    }

    /// Lends the record with the greatest key; nil if the table is empty.
    package borrowing func last<R>(
        _ table: Table,
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader) throws(StoreError) -> R
    ) throws(StoreError) -> R? {
        var answer: R?
        try walk(table, MDB_LAST, nil, MDB_PREV, nil, 1) { (key, payload, header) throws(StoreError) in
            answer = try body(key, payload, header)
            return false
        }
        return answer
    }

    private borrowing func walk(
        _ table: Table, _ start: MDB_cursor_op, _ key: UnsafeRawBufferPointer?, _ step: MDB_cursor_op, _ prefix: UnsafeRawBufferPointer?,
        _ limit: Int, onDamage: (UnsafeRawBufferPointer) -> Bool = { _ in false },
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, RecordHeader) throws(StoreError) -> Bool
    ) throws(StoreError) {
        var left = try count(table)
        var cursor: OpaquePointer?
        try StoreError.check(mdb_cursor_open(handle, environment.handles[Int(table.id)], &cursor), "open a cursor")
        defer { mdb_cursor_close(cursor) }
        var keyValue = key.map { MDB_val($0) } ?? MDB_val()
        var value = MDB_val()
        var operation = start
        var given = 0
        while given < limit {
            let code = mdb_cursor_get(cursor, &keyValue, &value, operation)
            if code == MDB_NOTFOUND { return }
            try StoreError.check(code, "walk a table")
            let found = UnsafeRawBufferPointer(keyValue)
            if let prefix, !found.starts(with: prefix) { return }
            left -= 1
            guard left >= 0, found.count > 0, found[0] == table.id else { throw StoreError(.corrupted, "walk the table `\(table.name)`") }
            guard let record = RecordHeader.read(key: found, value: UnsafeRawBufferPointer(value)) else {
                guard onDamage(found) else { throw StoreError(.corrupted, "walk the table `\(table.name)`") }
                operation = step
                continue
            }
            guard try body(found, record.payload, record.header) else { return }
            operation = step
            given += 1
        }
    }
}

/// A transaction without its lifetime, for a closure that cannot capture a borrowed value. Never outlives the call that made it.
struct TransactionView: StoreReading {
    let handle: OpaquePointer
    let environment: StoreEnvironment
}

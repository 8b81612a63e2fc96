import Domain
import Glibc
import Store

/// An instance as a walk over the table meets it. Valid within the closure only.
package struct StoredInstance {
    /// Tenant, service and id, where they lie in the key.
    package let tenant: UnsafeRawBufferPointer
    package let service: UnsafeRawBufferPointer
    package let id: UnsafeRawBufferPointer
    package let row: InstanceRowView
    /// The members of the registration; they lie in the map unless the registration fills several rows.
    package let members: UnsafeRawBufferPointer

    package var key: InstanceKey {
        InstanceKey(
            tenant: String(decoding: tenant, as: UTF8.self), service: String(decoding: service, as: UTF8.self),
            id: String(decoding: id, as: UTF8.self))
    }
}

/// Reading and writing instances: the rows of one, and walks over many.
package enum InstanceTable {
    /// The row of one instance, copied out; nil if there is none.
    package static func row(of key: InstanceKey, in transaction: borrowing some StoreReading & ~Copyable) throws(StoreError) -> InstanceRow?
    {
        let view = TransactionReader(transaction)
        return try transaction.withValue(.instances, StoreKey(instance: key)) { (payload, _) throws(StoreError) -> InstanceRow in
            guard let row = InstanceRowView(payload) else { throw StoreError(.corrupted, "read an instance") }
            var parts: [UInt8: [UInt8]] = [:]
            if row.partCount > 0 {
                for number in 1...row.partCount { parts[number] = try continuation(of: key, number: number, in: view) }
            }
            guard let whole = InstanceRow(row, continuation: { parts[$0] }) else { throw StoreError(.corrupted, "read an instance") }
            return whole
        }
    }

    /// As `row(of:in:)`, but nil also for a row that is damaged: whoever writes the instance anew writes over it.
    package static func readableRow(
        of key: InstanceKey, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> InstanceRow? {
        do throws(StoreError) {
            return try row(of: key, in: transaction)
        } catch {
            guard error.code == .corrupted else { throw error }
            return nil
        }
    }

    /// The instance whose lease is `slot`; nil if it is nobody's, or cannot be read.
    package static func holder(
        ofSlot slot: Int, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> (key: InstanceKey, row: InstanceRow)? {
        do throws(StoreError) {
            let key = try transaction.withValue(.leases, StoreKey(leaseSlot: slot)) { (payload, _) throws(StoreError) in
                InstanceKey(payload: payload)
            }
            guard let key, let row = try row(of: key, in: transaction), row.slot == slot else { return nil }
            return (key, row)
        } catch {
            guard error.code == .corrupted else { throw error }
            return nil
        }
    }

    /// Lends the fixed part of one instance's row; cheaper than `row(of:in:)` as nothing is copied.
    package static func withView<R>(
        of key: InstanceKey, in transaction: borrowing some StoreReading & ~Copyable, _ body: (InstanceRowView) throws(StoreError) -> R
    ) throws(StoreError) -> R? {
        try transaction.withValue(.instances, StoreKey(instance: key)) { (payload, _) throws(StoreError) -> R in
            guard let row = InstanceRowView(payload) else { throw StoreError(.corrupted, "read an instance") }
            return try body(row)
        }
    }

    /// Lends the instances from `start` on whose keys begin with `prefix`, in order, until `body` says false.
    ///
    /// - Parameter onDamage: told the key, table id included, of each instance that cannot be read, and the walk goes on: one damaged record
    ///   does not take a list away.
    package static func walk(
        from start: borrowing StoreKey, prefix: borrowing StoreKey, in transaction: borrowing some StoreReading & ~Copyable,
        onDamage: (UnsafeRawBufferPointer) -> Void, _ body: (StoredInstance) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let view = TransactionReader(transaction)
        try transaction.scan(
            .instances, from: start, prefix: prefix,
            onDamage: {
                onDamage($0); return true
            }
        ) { (key, payload, _) throws(StoreError) -> Bool in
            guard let first = key.zero(from: 0), let second = key.zero(from: first + 1) else {
                throw StoreError(.corrupted, "read the key of an instance")
            }
            let id = UnsafeRawBufferPointer(rebasing: key[(second + 1)...])
            // A row that continues another was read with that one.
            guard id.zero(from: 0) == nil else { return true }
            guard let row = InstanceRowView(payload) else {
                onDamage(key)
                return true
            }
            let tenant = UnsafeRawBufferPointer(rebasing: key[1..<first])
            let service = UnsafeRawBufferPointer(rebasing: key[(first + 1)..<second])
            if row.partCount == 0 {
                return try body(StoredInstance(tenant: tenant, service: service, id: id, row: row, members: row.inlineMembers))
            }
            var members = Array(row.inlineMembers)
            let name = InstanceKey(payload: UnsafeRawBufferPointer(rebasing: key[1...]))
            for number in 1...row.partCount {
                guard let part = try readableContinuation(of: name, number: number, in: view) else {
                    onDamage(key)
                    return true
                }
                members.append(contentsOf: part)
            }
            return try members.span.withUnsafeBytes { (members) throws(StoreError) -> Bool in
                try body(StoredInstance(tenant: tenant, service: service, id: id, row: row, members: members))
            }
        }
    }

    /// Adds the names of the services whose keys begin with `prefix`, until there are `max`; goes from service to service, however many
    /// instances each has.
    package static func services(
        prefix: borrowing StoreKey, tenant: String, in transaction: borrowing some StoreReading & ~Copyable, max: Int,
        into names: inout [String]
    ) throws(StoreError) {
        var from = prefix.withBytes { Array($0) }
        while names.count < max {
            var found: String?
            let start = StoreKey(.instances, from.dropFirst())
            try transaction.scan(.instances, from: start, prefix: prefix, limit: 1, onDamage: { _ in true }) {
                (key, _, _) throws(StoreError) in
                let parts = key.dropFirst().split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                if parts.count == 3 { found = String(decoding: parts[1], as: UTF8.self) }
                return false
            }
            guard let found else { return }
            if !names.contains(found) { names.append(found) }
            // Behind every instance of it: a separator is zero, and no name holds a one.
            from = StoreKey(instancesOfTenant: tenant).withBytes { Array($0) } + found.utf8 + [1]
        }
    }

    /// - Parameter isNew: there is no row of that key, as the caller has seen: it need not be looked for again.
    package static func put(
        _ row: InstanceRow, at key: InstanceKey, isNew: Bool = false, in transaction: borrowing WriteTransaction
    ) throws(StoreError) {
        // Nothing can be said of what followed a damaged row; it is written over or lies there unread.
        let partsBefore = isNew ? 0 : try readableRow(of: key, in: transaction).map { $0.encode().continuations.count } ?? 0
        let (first, continuations) = row.encode()
        try transaction.put(.instances, StoreKey(instance: key), first, revision: row.revision)
        for (index, part) in continuations.enumerated() {
            try transaction.put(
                .instances, StoreKey(continuationOf: key, number: UInt8(index + 1)), Array(part), revision: row.revision)
        }
        try deleteContinuations(of: key, after: continuations.count, through: partsBefore, in: transaction)
    }

    package static func delete(_ key: InstanceKey, partCount: UInt8, in transaction: borrowing WriteTransaction) throws(StoreError) {
        try transaction.delete(.instances, StoreKey(instance: key))
        try deleteContinuations(of: key, after: 0, through: Int(partCount), in: transaction)
    }

    private static func deleteContinuations(
        of key: InstanceKey, after kept: Int, through last: Int, in transaction: borrowing WriteTransaction
    ) throws(StoreError) {
        guard kept < last else { return }
        for number in (kept + 1)...last { try transaction.delete(.instances, StoreKey(continuationOf: key, number: UInt8(number))) }
    }

    private static func readableContinuation(
        of key: InstanceKey, number: UInt8, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> [UInt8]? {
        do throws(StoreError) {
            return try continuation(of: key, number: number, in: transaction)
        } catch {
            guard error.code == .corrupted else { throw error }
            return nil
        }
    }

    private static func continuation(
        of key: InstanceKey, number: UInt8, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> [UInt8]? {
        try transaction.withValue(.instances, StoreKey(continuationOf: key, number: number)) { (payload, _) throws(StoreError) in
            Array(payload)
        }
    }
}

/// A transaction's handle for a closure that cannot capture a borrowed value. Never outlives the call that made it.
private struct TransactionReader: StoreReading {
    let handle: OpaquePointer
    let environment: StoreEnvironment

    init(_ transaction: borrowing some StoreReading & ~Copyable) {
        handle = transaction.handle
        environment = transaction.environment
    }
}

extension UnsafeRawBufferPointer {
    /// Where the next zero byte is; a start walks every key of the table, so the library's search is worth its call.
    fileprivate func zero(from start: Int) -> Int? {
        guard start < count, let base = baseAddress, let found = memchr(base + start, 0, count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

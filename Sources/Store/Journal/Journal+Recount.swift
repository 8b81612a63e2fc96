import Domain

extension Journal {
    /// Makes a stream's counters agree with its records, after a salvage that may have lost the row or found an older one.
    ///
    /// Without it the next record would get a seq that is taken, and every write of the node would be refused. Reads the whole stream.
    ///
    /// - Returns: whether the row changed.
    static func recount(_ row: inout StreamRow, in environment: StoreEnvironment) throws(StoreError) -> Bool {
        let stored = row
        var first: UInt64 = 0
        var at: UInt64 = 0
        row.records = 0
        row.bytes = 0
        var counted = row
        while true {
            let through = try environment.read { (transaction) throws(StoreError) in
                try transaction.scan(stored.id, after: at) { (entry) throws(StoreError) in
                    if counted.records == 0 { first = entry.seq }
                    counted.records += 1
                    counted.bytes += UInt64(entry.storedBytes)
                    guard entry.seq > counted.last else { return true }
                    counted.last = entry.seq
                    counted.lastTime = entry.time
                    if let hash = entry.hash { counted.lastHash = hash }
                    return true
                }
            }
            guard through > at else { break }
            at = through
        }
        // The row itself was lost: what lies before the first record was deleted, as far as anybody can tell.
        if stored.last == 0, first > 1 { counted.trimmed = first - 1 }
        row = counted
        return row != stored
    }
}

import Domain

/// A stream by the number that it keeps for ever (0…127).
package struct StreamID: Hashable, Sendable {
    package let number: UInt8

    package init(_ number: UInt8) {
        precondition(number < Limits.streamsMax)
        self.number = number
    }

    /// Its table; LMDB is asked by the id alone.
    package var table: Table { Table(id: 128 + number, name: "stream") }
}

/// What a stream is for and how much of it is kept; declared by the configuration and stored in the stream's row.
package struct StreamPolicy: Equatable, Sendable {
    /// What happens to a new record when the stream holds `bytesMax`.
    package enum WhenFull: UInt8, Sendable {
        /// It is taken; housekeeping deletes the oldest ones.
        case dropOldest = 0
        /// It is refused (`.full`).
        case rejectNew = 1
    }

    package var name: String
    package var priority: RecordPriority
    /// Bytes of keys and values; nil: no bound but the environment's budget.
    package var bytesMax: UInt64?
    package var ageMax: Duration?
    /// Each record carries the hash of itself and its predecessor.
    package var isChained: Bool
    package var whenFull: WhenFull

    package init(
        name: String, priority: RecordPriority, bytesMax: UInt64? = nil, ageMax: Duration? = nil, isChained: Bool = false,
        whenFull: WhenFull = .dropOldest
    ) {
        self.name = name
        self.priority = priority
        self.bytesMax = bytesMax
        self.ageMax = ageMax
        self.isChained = isChained
        self.whenFull = whenFull
    }
}

import Domain

/// How a sink is: a value for pages, health and metrics.
package struct SinkReport: Equatable, Sendable {
    package struct Stream: Equatable, Sendable {
        package var name: String
        package var priority: UInt8
        package var head: UInt64
        /// Through which everything is settled.
        package var ackedTo: UInt64
        package var lagRecords: UInt64
        package var lagBytes: UInt64
        package var dropped: UInt64
    }

    package var name: String
    package var url: String
    package var epoch: UInt32
    package var breaker: String
    package var failures: Int
    /// `connected`, `waiting`, `cloned`.
    package var state: String
    package var lastAck: Timestamp?
    package var lastFailure: String?
    package var lastFailureAt: Timestamp?
    /// When the oldest record that waits was written; nil: nothing waits.
    package var oldestWaiting: Timestamp?
    /// Acknowledged records a second, of late.
    package var recordsPerSecond: Double
    package var streams: [Stream]
    package var deadLetters: Int
    package var batches: UInt64
    package var records: UInt64
    package var sentBytes: UInt64
    package var failuresTotal: UInt64

    package var lagRecords: UInt64 { streams.reduce(0) { $0 + $1.lagRecords } }
    package var lagBytes: UInt64 { streams.reduce(0) { $0 + $1.lagBytes } }
    package var dropped: UInt64 { streams.reduce(0) { $0 + $1.dropped } }
    /// Seconds until nothing waits, at the rate of late; nil: nothing moves.
    package var drainSeconds: Double? {
        if lagRecords == 0 { return 0 }
        return recordsPerSecond > 0 ? Double(lagRecords) / recordsPerSecond : nil
    }
}

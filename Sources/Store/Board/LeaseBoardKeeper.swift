import Domain

/// Decides when the board is copied to disk: every 5 s if it changed, every 5 min if not, and less often when it has grown so much that a day's copies would
/// pass the limit of bytes.
package struct LeaseBoardKeeper: Equatable, Sendable {
    private var lastAttempt: Uptime?
    private var changesCopied: UInt64

    /// - Parameter changesCopied: `LeaseBoard.changes` that the newest copy holds; anything else makes the first copy due at once.
    package init(changesCopied: UInt64 = 0) { self.changesCopied = changesCopied }

    /// How often a copy of `bytes` may be written.
    package static func period(copyBytes bytes: Int) -> Duration {
        let dayMilliseconds = 86_400_000
        let cost = bytes + Limits.leaseCopyOverheadBytes
        let milliseconds = (cost * dayMilliseconds + Limits.leaseCopyBytesPerDayMax - 1) / Limits.leaseCopyBytesPerDayMax
        return max(Limits.leaseCopyPeriod, .milliseconds(milliseconds))
    }

    package func shouldWrite(now: Uptime, changes: UInt64, copyBytes: Int) -> Bool {
        guard changes != changesCopied else {
            // For the time that it carries.
            return lastAttempt.map { now >= $0 + Limits.timeFloorPeriod } ?? false
        }
        guard let lastAttempt else { return true }
        return now >= lastAttempt + Self.period(copyBytes: copyBytes)
    }

    /// The copy is on disk; `changes` was read before the board was copied.
    package mutating func wrote(now: Uptime, changes: UInt64) {
        lastAttempt = now
        changesCopied = changes
    }

    /// The copy failed; the next try waits for its turn, as the disk may be full.
    package mutating func failed(now: Uptime) { lastAttempt = now }
}

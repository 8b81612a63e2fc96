/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z. Shown and stored; never measured with.
///
/// It may jump by years either way when somebody sets the clock, so nothing expires by it.
package struct Timestamp: Comparable, Hashable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    package static func + (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(milliseconds: a.milliseconds + b.wholeMilliseconds)
    }

    package static func - (a: Timestamp, b: Timestamp) -> Duration {
        .milliseconds(a.milliseconds - b.milliseconds)
    }
}

/// A moment since the host booted, suspended time included (CLOCK_BOOTTIME), in milliseconds. Measured with; never shown.
///
/// Comparable only within one boot.
package struct Uptime: Comparable, Hashable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Uptime, b: Uptime) -> Bool { a.milliseconds < b.milliseconds }

    package static func + (a: Uptime, b: Duration) -> Uptime {
        Uptime(milliseconds: a.milliseconds + b.wholeMilliseconds)
    }

    package static func - (a: Uptime, b: Duration) -> Uptime {
        Uptime(milliseconds: a.milliseconds - b.wholeMilliseconds)
    }

    package static func - (a: Uptime, b: Uptime) -> Duration {
        .milliseconds(a.milliseconds - b.milliseconds)
    }
}

extension Duration {
    /// Rounded towards zero.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}

/// Where time comes in. `Daemon` makes the real one, tests a manual one; there is no default, so forgetting it does not compile.
package struct TimeSource: Sendable {
    package let uptime: @Sendable () -> Uptime
    package let timestamp: @Sendable () -> Timestamp

    package init(uptime: @escaping @Sendable () -> Uptime, timestamp: @escaping @Sendable () -> Timestamp) {
        self.uptime = uptime
        self.timestamp = timestamp
    }
}

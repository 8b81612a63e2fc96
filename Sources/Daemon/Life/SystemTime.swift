import CPlatform
import Domain
import Glibc
import Synchronization

/// The host's clocks, and how far the wall clock may be believed.
package enum SystemTime {
    /// No wall clock is earlier than the software that reads it: 2026-11-01T00:00:00Z. A host whose clock lost its battery starts here.
    package static let buildFloor = Timestamp(milliseconds: 1_793_491_200_000)

    /// For commands, which know of no floor but that.
    package static let source = TimeSource(uptime: uptime, timestamp: { max(wall(), buildFloor) })

    @Sendable package static func uptime() -> Uptime {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        return Uptime(milliseconds: Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000)
    }

    @Sendable package static func wall() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(milliseconds: Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000)
    }
}

/// Watches the wall clock for steps. A value: readings go in, a judgement comes out.
///
/// Leases are measured with uptime and do not care. Retention by age does: it deletes nothing for a day after a step.
package struct ClockWatch: Equatable, Sendable {
    /// What counts as a step rather than as correction.
    package static let stepMin = Duration.seconds(60)
    package static let distrust = Duration.seconds(86_400)

    private var offset: Duration
    private var trustedFrom: Uptime

    package init(wall: Timestamp, uptime: Uptime) {
        offset = .milliseconds(wall.milliseconds - uptime.milliseconds)
        trustedFrom = uptime
    }

    /// - Returns: by how much the clock was stepped since the last reading; nil if it was not.
    package mutating func read(wall: Timestamp, uptime: Uptime) -> Duration? {
        let now = Duration.milliseconds(wall.milliseconds - uptime.milliseconds)
        let step = now - offset
        offset = now
        guard step >= Self.stepMin || step <= .zero - Self.stepMin else { return nil }
        trustedFrom = uptime + Self.distrust
        return step
    }

    /// - Parameter floor: what time it certainly is (`TimeFloor`).
    package func isTrusted(wall: Timestamp, uptime: Uptime, floor: TimeFloor) -> Bool {
        floor.accepts(wall) && uptime >= trustedFrom
    }
}

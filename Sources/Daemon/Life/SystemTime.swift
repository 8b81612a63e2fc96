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
/// Leases are measured with uptime and do not care. Retention by age does: it deletes nothing for a day after a step, and for the first day of a
/// life that begins more than a day from the last certain time, because a step cannot be told from a long rest then.
package struct ClockWatch: Equatable, Sendable {
    /// What counts as a step rather than as correction.
    package static let stepMin = Duration.seconds(60)
    package static let distrust = Duration.seconds(86_400)

    private var offset: Duration
    private var steadyFrom: Uptime
    private var trustedFrom: Uptime

    /// - Parameter floor: what time it certainly is (`TimeFloor`).
    package init(wall: Timestamp, uptime: Uptime, floor: TimeFloor) {
        offset = .milliseconds(wall.milliseconds - uptime.milliseconds)
        steadyFrom = uptime
        trustedFrom = floor.accepts(wall) && wall <= floor.time + Self.distrust ? uptime : uptime + Self.distrust
    }

    /// - Returns: by how much the clock was stepped since the last reading; nil if it was not.
    package mutating func read(wall: Timestamp, uptime: Uptime) -> Duration? {
        let now = Duration.milliseconds(wall.milliseconds - uptime.milliseconds)
        let step = now - offset
        offset = now
        guard step >= Self.stepMin || step <= .zero - Self.stepMin else { return nil }
        steadyFrom = uptime + Self.distrust
        trustedFrom = max(trustedFrom, steadyFrom)
        return step
    }

    /// No step was seen in this life, or for a day.
    package func isSteady(uptime: Uptime) -> Bool { uptime >= steadyFrom }

    /// Whether anything may be deleted for its age.
    package func isTrusted(wall: Timestamp, uptime: Uptime, floor: TimeFloor) -> Bool {
        floor.accepts(wall) && uptime >= trustedFrom
    }
}

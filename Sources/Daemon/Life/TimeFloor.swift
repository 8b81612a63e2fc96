import Domain
import Synchronization

/// The time that it certainly is by now: never earlier than the software, nor than any time that was certain before. A value.
///
/// It follows a clock that the kernel says is disciplined; beside any other clock it counts the uptime, which is a lower bound whatever the clock
/// does. So a clock at 1970 is noticed, and one that is wrong by years ahead is not taken for the truth.
package struct TimeFloor: Equatable, Sendable {
    /// How far behind a right clock may be: what counts as a step.
    static let tolerance = ClockWatch.stepMin

    package private(set) var time: Timestamp
    private var readAt: Uptime

    /// - Parameter saved: the floor of the last life.
    package init(saved: Timestamp?, uptime: Uptime) {
        time = max(SystemTime.buildFloor, saved ?? SystemTime.buildFloor)
        readAt = uptime
    }

    /// - Parameters:
    ///   - isSynchronized: the kernel's clock is disciplined (NTP, PTP).
    ///   - isSteady: no step of it was seen lately.
    package mutating func read(wall: Timestamp, uptime: Uptime, isSynchronized: Bool, isSteady: Bool) {
        let elapsed = max(.zero, uptime - readAt)
        readAt = uptime
        if !isSynchronized {
            time = time + elapsed
        } else if isSteady {
            time = max(time, wall)
        }
        // A disciplined clock behind the floor: the floor was set by one that was wrong. It stands still until time has passed it.
    }

    /// Whether a clock that says `wall` may be right.
    package func accepts(_ wall: Timestamp) -> Bool { wall + Self.tolerance >= time }
}

/// The clocks of a running node: what the wall clock says, but never a time before the floor.
///
/// Any thread reads it; housekeeping moves the floor.
final class TrustedTime: Sendable {
    private let floorMilliseconds = Atomic<Int64>(SystemTime.buildFloor.milliseconds)

    var source: TimeSource {
        TimeSource(
            uptime: SystemTime.uptime,
            timestamp: { [self] in
                max(SystemTime.wall(), Timestamp(milliseconds: floorMilliseconds.load(ordering: .relaxed)))
            })
    }

    func raise(to floor: TimeFloor) { floorMilliseconds.store(floor.time.milliseconds, ordering: .relaxed) }
}

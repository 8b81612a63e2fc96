import Domain
import Synchronization

/// Time that stands still until the test moves it.
package final class ManualTime: Sendable {
    private let uptimeMilliseconds = Atomic<Int64>(10_000)
    private let wallMilliseconds = Atomic<Int64>(1_795_000_000_000)

    package init() {}

    package func advance(_ duration: Duration) {
        uptimeMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
        wallMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
    }

    /// Another boot: uptime begins anew, the wall clock goes on.
    package func reboot(after duration: Duration) {
        uptimeMilliseconds.store(5_000, ordering: .relaxed)
        wallMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
    }

    package var uptime: Uptime { Uptime(milliseconds: uptimeMilliseconds.load(ordering: .relaxed)) }
    package var now: Timestamp { Timestamp(milliseconds: wallMilliseconds.load(ordering: .relaxed)) }
    package var source: TimeSource { TimeSource(uptime: { self.uptime }, timestamp: { self.now }) }
}

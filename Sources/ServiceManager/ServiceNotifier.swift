import CPlatform
import CSystemd
import Glibc

/// What the daemon tells systemd (sd_notify(3)). Without systemd every call does nothing. From any thread.
package struct ServiceNotifier: Sendable {
    package init() {}

    /// Work can begin; `status` is the sentence of `systemctl status`.
    package func ready(status: String) { send("READY=1\nSTATUS=\(Self.line(status))\nMAINPID=\(getpid())") }

    package func status(_ text: String) { send("STATUS=\(Self.line(text))") }

    /// A reload begins; `ready(status:)` ends it. systemd wants the time on its own clock.
    package func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000)")
    }

    package func stopping(status: String) { send("STOPPING=1\nSTATUS=\(Self.line(status))") }

    /// Only when writer, HTTP and housekeeping are known to be alive.
    package func feedWatchdog() { send("WATCHDOG=1") }

    /// Asks for `duration` more before systemd gives up on a start or a stop, counted from now.
    package func extendTimeout(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        send("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// How long systemd waits for a sign of life; nil if it does not. Feed it twice as often.
    package static func watchdogInterval() -> Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    private func send(_ state: String) {
        // The result is for nobody: a daemon whose manager went away goes on.
        _ = sd_notify(0, state)
    }

    private static func line(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}

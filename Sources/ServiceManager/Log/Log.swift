import Domain
import Synchronization

/// What the daemon tells about itself: one line an event, with a component, an event name and details.
///
/// From any thread. Never throws and never waits: what the other end cannot take at once is counted in `lostLines`.
/// A level that is off costs one load; its details are not evaluated.
package final class Log: Sendable {
    private let level: Atomic<UInt8>
    private let lost = Atomic<UInt64>(0)
    private let rate = Mutex(LogRate())
    /// One line at a time: a pipe that polls writable takes one line at once, not one from each thread.
    private let turn = Mutex(())
    private let sink: LogSink
    private let time: TimeSource

    package init(level: LogLevel, sink: LogSink, time: TimeSource) {
        self.level = Atomic(level.rawValue)
        self.sink = sink
        self.time = time
    }

    /// Changes the level of a running daemon.
    package func setLevel(_ new: LogLevel) { level.store(new.rawValue, ordering: .relaxed) }

    /// Lines that the other end did not take.
    package var lostLines: UInt64 { lost.load(ordering: .relaxed) }

    @inline(__always)
    package func isOn(_ candidate: LogLevel) -> Bool { candidate.rawValue <= level.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - component: the room or edge that speaks: `uplink`.
    ///   - event: what happened, a word of the past: `circuit_breaker_opened`.
    ///   - details: never secrets, never bodies.
    @inline(__always)
    package func write(
        _ level: LogLevel, _ component: StaticString, _ event: StaticString,
        _ details: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:], traceID: String? = nil
    ) {
        if isOn(level) { record(level, component, event, details(), traceID) }
    }

    @inline(__always)
    package func error(
        _ component: StaticString, _ event: StaticString, _ details: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:],
        traceID: String? = nil
    ) { write(.error, component, event, details(), traceID: traceID) }

    @inline(__always)
    package func warning(
        _ component: StaticString, _ event: StaticString, _ details: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:],
        traceID: String? = nil
    ) { write(.warning, component, event, details(), traceID: traceID) }

    @inline(__always)
    package func info(
        _ component: StaticString, _ event: StaticString, _ details: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:],
        traceID: String? = nil
    ) { write(.info, component, event, details(), traceID: traceID) }

    @inline(__always)
    package func debug(
        _ component: StaticString, _ event: StaticString, _ details: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:],
        traceID: String? = nil
    ) { write(.debug, component, event, details(), traceID: traceID) }

    /// Tells how many lines of finished bursts were not written. By housekeeping, every few seconds.
    package func tellSuppressed() {
        let owed = rate.withLock { $0.takeSuppressed(now: time.uptime()) }
        for (component, event, count) in owed {
            send(.warning, component, event, [("suppressed", .integer(count))], nil)
        }
    }

    @inline(never)
    private func record(
        _ level: LogLevel, _ component: StaticString, _ event: StaticString, _ details: KeyValuePairs<StaticString, LogValue>,
        _ traceID: String?
    ) {
        guard case .write(let suppressed) = rate.withLock({ $0.admit(component, event, now: time.uptime()) }) else { return }
        var all = details.map { (key: $0.key, value: $0.value) }
        if suppressed > 0 { all.append((key: "suppressed", value: .integer(suppressed))) }
        send(level, component, event, all, traceID)
    }

    private func send(
        _ level: LogLevel, _ component: StaticString, _ event: StaticString, _ details: [(key: StaticString, value: LogValue)],
        _ traceID: String?
    ) {
        let line = LogLine(
            time: time.timestamp(), level: level, component: component, event: event, details: details, traceID: traceID)
        if !turn.withLock({ _ in sink.send(line) }) { lost.wrappingAdd(1, ordering: .relaxed) }
    }
}

import Domain
import Store
import Synchronization
import Uplink

/// The sink while there is one: writers and housekeeping are made before it.
final class SinkSlot: Sendable {
    private let sink = Mutex<UplinkSink?>(nil)

    var current: UplinkSink? {
        get { sink.withLock { $0 } }
        set { sink.withLock { $0 = newValue } }
    }

    /// The writer's thread, after each commit.
    func committed() { current?.committed() }
}

/// How long a stream's records are kept when a receiver is to have them.
struct SentStreamRule: Equatable, Sendable {
    /// Whether what was not yet sent may go when the stream holds more than it may.
    var mayDropForRoom: Bool
    /// Whether what was not yet sent may go by age.
    var mayDropByAge: Bool
    /// Acknowledged records go after this; nil: they stay as long as the stream keeps records (state and audit are read here too).
    var grace: Duration?
    /// Above it acknowledged records go before their grace is over.
    var bytesKept: UInt64
}

/// The oldest records of a stream that a sink sends: what the cursor on the disk says is sent goes first, and nothing else that must stay.
struct SentStreamSliceSource: SliceSource {
    let name: String
    let stream: StreamID
    let environment: StoreEnvironment
    let rule: SentStreamRule
    let sink: SinkSlot

    func plan(
        now: Timestamp, isClockTrusted: Bool, done: @escaping @Sendable (StoreError?) -> Void
    ) throws(StoreError) -> (any WriteRequest)? {
        let onDone: @Sendable (Result<UInt64, StoreError>) -> Void = { result in
            if case .failure(let error) = result { done(error) } else { done(nil) }
        }
        let sent = sink.current?.keptAfter(name) ?? 0
        if let grace = rule.grace,
            let slice = try RetentionSlice.plan(
                stream, in: environment, acknowledged: sent, grace: grace, bytesKept: rule.bytesKept, now: now,
                isClockTrusted: isClockTrusted, onDone: onDone)
        {
            return slice
        }
        if let slice = try RetentionSlice.plan(
            stream, in: environment, now: now, isClockTrusted: isClockTrusted, keptAfter: sent, onDone: onDone)
        {
            return slice
        }
        guard rule.mayDropForRoom || rule.mayDropByAge else { return nil }
        // An untrusted clock deletes nothing by age: that is how only the room counts.
        return try RetentionSlice.plan(
            stream, in: environment, now: now, isClockTrusted: isClockTrusted && rule.mayDropByAge,
            keptAfter: rule.mayDropForRoom || rule.mayDropByAge ? .max : sent, onDone: onDone)
    }
}

extension Configuration {
    /// What may become of a stream's records that were not yet sent.
    func sentStreamRule(_ name: String) -> SentStreamRule {
        guard let stream = streams.first(where: { $0.name == name }) else {
            // Of the daemon itself: unsent ones give way only when there is no room left for new ones.
            return SentStreamRule(mayDropForRoom: true, mayDropByAge: false, grace: nil, bytesKept: .max)
        }
        let bytesKept = stream.bytesMax / 100 * UInt64(Limits.uplinkGracePercent)
        switch stream.whenFull {
        case .block: return SentStreamRule(mayDropForRoom: false, mayDropByAge: false, grace: uplink.grace, bytesKept: bytesKept)
        case .rejectNew: return SentStreamRule(mayDropForRoom: false, mayDropByAge: true, grace: uplink.grace, bytesKept: bytesKept)
        case .dropOldest: return SentStreamRule(mayDropForRoom: true, mayDropByAge: true, grace: uplink.grace, bytesKept: bytesKept)
        }
    }
}

import Domain

/// Lets a burst of each event through and counts the rest, so that a fault in a loop is told and drowns nothing.
///
/// Events are string literals of the program, so there are as many entries as the program has places.
struct LogRate {
    enum Answer: Equatable {
        /// Write it. `suppressed` lines of this event were not written since the last one that was.
        case write(suppressed: UInt64)
        case suppress
    }

    private struct Window {
        let component: StaticString
        let event: StaticString
        var start: Uptime
        var count = 0
        var suppressed: UInt64 = 0

        mutating func admit(now: Uptime) -> Answer {
            if now - start >= Limits.logBurstWindow {
                start = now
                count = 0
            }
            count += 1
            if count > Limits.logBurstMax {
                suppressed += 1
                return .suppress
            }
            defer { suppressed = 0 }
            return .write(suppressed: suppressed)
        }
    }

    private var windows: [Int: Window] = [:]

    mutating func admit(_ component: StaticString, _ event: StaticString, now: Uptime) -> Answer {
        var hasher = Hasher()
        component.withUTF8Buffer { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0 as UInt8)
        event.withUTF8Buffer { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        return windows[hasher.finalize(), default: Window(component: component, event: event, start: now)].admit(now: now)
    }

    /// The events whose window is over and that still owe their count.
    mutating func takeSuppressed(now: Uptime) -> [(component: StaticString, event: StaticString, count: UInt64)] {
        var result: [(StaticString, StaticString, UInt64)] = []
        for (key, window) in windows where window.suppressed > 0 && now - window.start >= Limits.logBurstWindow {
            result.append((window.component, window.event, window.suppressed))
            windows[key] = nil
        }
        return result
    }
}

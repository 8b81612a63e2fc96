import Domain

/// The circuit breaker of a sink, by the constants of the registry's specification.
///
///              3 failures                 30 s                    2 successes
///     closed ─────────────▶ open ───────────────▶ half-open ─────────────────▶ closed
///                            ▲                        │
///                            └──────── failure ───────┘
///
/// Half-open sends one small request at a time.
package struct Breaker: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case closed(failures: Int)
        case open(until: Uptime)
        case halfOpen(successes: Int)
    }

    package private(set) var state = State.closed(failures: 0)

    package init() {}

    /// As it was stored. `open` begins anew: uptimes of another boot mean nothing.
    package init(restored name: Stored, now: Uptime) {
        switch name {
        case .closed: state = .closed(failures: 0)
        case .open: state = .open(until: now + Limits.breakerOpen)
        case .halfOpen: state = .halfOpen(successes: 0)
        }
    }

    package enum Stored: UInt8, Equatable, Sendable { case closed = 0, open = 1, halfOpen = 2 }

    package var stored: Stored {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    package var name: StaticString {
        switch state {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half-open"
        }
    }

    package var isHalfOpen: Bool { if case .halfOpen = state { true } else { false } }
    package var failures: Int { if case .closed(let failures) = state { failures } else { Limits.breakerFailures } }

    /// When it may be asked again; nil: now. An open one whose time is over becomes half-open.
    package mutating func waits(now: Uptime) -> Uptime? {
        guard case .open(let until) = state else { return nil }
        if now < until { return until }
        state = .halfOpen(successes: 0)
        return nil
    }

    /// A person asks for a try: an open breaker becomes half-open at once.
    package mutating func probe() {
        if case .open = state { state = .halfOpen(successes: 0) }
    }

    package mutating func succeeded() {
        switch state {
        case .closed: state = .closed(failures: 0)
        case .halfOpen(let successes):
            state = successes + 1 >= Limits.breakerSuccesses ? .closed(failures: 0) : .halfOpen(successes: successes + 1)
        // An answer to what was sent before it opened; it says nothing about now.
        case .open: break
        }
    }

    package mutating func failed(now: Uptime) {
        switch state {
        case .closed(let failures) where failures + 1 < Limits.breakerFailures: state = .closed(failures: failures + 1)
        case .closed, .halfOpen: state = .open(until: now + Limits.breakerOpen)
        case .open: break
        }
    }
}

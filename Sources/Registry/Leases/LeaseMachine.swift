import Domain

/// Decides what a lease does next.
///
///            register            ttl runs out             reap
///   (none) ───────────▶ held ─────────────────▶ expired ───────▶ (none)
///                        ▲ └── renew ──┐            │
///                        └─────────────┴── renew ───┘   (within grace)
///
/// It measures with `Uptime` alone, so no step of the wall clock can end a lease.
package struct LeaseMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// The holder is alive as far as we know; `deadline` is when we stop believing it.
        case held(deadline: Uptime)
        /// Missed its deadline; kept until `reapAt` so that a slow holder may come back.
        case expired(reapAt: Uptime)
    }

    package enum Action: Equatable, Sendable {
        case wake(at: Uptime)
        case announceExpired(wakeAt: Uptime)
        case remove
    }

    package enum Renewal: Equatable, Sendable {
        /// Still held: the deadline moves, nobody need be told.
        case extended(deadline: Uptime)
        /// Was expired: it is held again, and that is a change.
        case revived(deadline: Uptime)
    }

    package private(set) var state: State
    package let ttl: Duration
    package let grace: Duration

    package init(ttl: Duration, grace: Duration, now: Uptime) {
        precondition(ttl > .zero, "a lease without a length")
        self.ttl = ttl
        self.grace = grace
        state = .held(deadline: now + ttl)
    }

    /// A lease as it was found.
    package init(state: State, ttl: Duration, grace: Duration) {
        precondition(ttl > .zero, "a lease without a length")
        self.state = state
        self.ttl = ttl
        self.grace = grace
    }

    package mutating func renew(now: Uptime) -> Renewal {
        let wasExpired = if case .expired = state { true } else { false }
        state = .held(deadline: now + ttl)
        return wasExpired ? .revived(deadline: now + ttl) : .extended(deadline: now + ttl)
    }

    package mutating func timerFired(now: Uptime) -> Action {
        switch state {
        case .held(let deadline) where now < deadline:
            // Renewed after this timer was set; the old timer is early, not wrong.
            return .wake(at: deadline)
        case .held(let deadline):
            // The grace counts from the deadline, not from when we noticed: gone at ttl + grace, as promised.
            let reapAt = max(deadline + grace, now)
            state = .expired(reapAt: reapAt)
            return .announceExpired(wakeAt: reapAt)
        case .expired(let reapAt) where now < reapAt:
            return .wake(at: reapAt)
        case .expired:
            return .remove
        }
    }
}

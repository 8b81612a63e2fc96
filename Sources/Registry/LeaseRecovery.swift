import Domain

/// Decides how a lease begins when the daemon does, or when it resumes after it was stopped in mid-life.
///
/// A holder could not renew while we were away, so a lease is never removed for what it missed then: it gets one TTL plus grace
/// from `ready`. It is shown as expired from the first answer on, because nobody has vouched for it.
///
///     board says                     clock within one boot    deadline       begins as
///     ──────────────────────────────────────────────────────────────────────────────────────────────────
///     this boot, exact               trusted                  ahead          held, with exactly that time
///     this boot, exact               trusted                  passed         expired, reap at ready+ttl+grace
///     this boot, from a copy         trusted                  + 5 s ahead    held, with that time + 5 s
///     this boot, from a copy         trusted                  + 5 s passed   expired, reap at ready+ttl+grace
///     other boot, unknown, nothing   any                      any            expired, reap at ready+ttl+grace
///     any                            not trusted              any            expired, reap at ready+ttl+grace
package struct LeaseRecovery: Equatable, Sendable {
    package enum Knowledge: Equatable, Sendable {
        /// The board of this boot: the deadline is the last one that was acknowledged.
        case exact
        /// A copy of this boot, up to `lag` older than the last acknowledged renewal.
        case copy(lag: Duration)
        /// Nothing that can be compared with now.
        case nothing
    }

    package let knowledge: Knowledge
    package let isClockTrusted: Bool
    /// When we can answer renewals again.
    package let ready: Uptime

    package init(knowledge: Knowledge, isClockTrusted: Bool, ready: Uptime) {
        self.knowledge = knowledge
        self.isClockTrusted = isClockTrusted
        self.ready = ready
    }

    /// - Parameters:
    ///   - deadline: what the board holds for the lease; nil if it holds nothing of this lease's generation.
    ///   - wasMarkedExpired: it was announced as expired before.
    package func begin(deadline: Uptime?, wasMarkedExpired: Bool, ttl: Duration, grace: Duration) -> LeaseMachine {
        let late = LeaseMachine(state: .expired(reapAt: ready + ttl + grace), ttl: ttl, grace: grace)
        guard isClockTrusted, !wasMarkedExpired, let deadline else { return late }
        let believed: Uptime
        switch knowledge {
        case .nothing: return late
        case .exact: believed = deadline
        case .copy(let lag): believed = deadline + lag
        }
        // Nobody can hold a lease for longer than its TTL from now: a deadline further out is not one of ours.
        guard ready < believed, believed <= ready + ttl + .seconds(5) else { return late }
        return LeaseMachine(state: .held(deadline: believed), ttl: ttl, grace: grace)
    }
}

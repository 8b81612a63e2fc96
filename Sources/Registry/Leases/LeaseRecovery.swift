import Domain

/// Decides how a lease begins when the daemon does, or when it resumes after it was stopped in mid-life.
///
/// A holder could not renew while we were away, so a lease is never removed for what it missed then: it gets one TTL plus grace
/// from `ready`. It is shown as expired from the first answer on, because nobody has vouched for it.
///
///     the board's deadline             begins as
///     ────────────────────────────────────────────────────────────────
///     known, ahead of ready            held, with exactly that time
///     known, passed                    expired, reap at ready+ttl+grace
///     not known (other boot, clock     expired, reap at ready+ttl+grace
///       not trusted, board lost,
///       marked expired before)
///
/// What is known is decided by `Store.BoardRecovery`.
package enum LeaseRecovery {
    /// - Parameters:
    ///   - deadline: the last one that the holder may have been promised; nil if nothing comparable with now is known.
    ///   - ready: when we can answer renewals again.
    package static func begin(deadline: Uptime?, ttl: Duration, grace: Duration, ready: Uptime) -> LeaseMachine {
        guard let deadline, ready < deadline else {
            return LeaseMachine(state: .expired(reapAt: ready + ttl + grace), ttl: ttl, grace: grace)
        }
        return LeaseMachine(state: .held(deadline: deadline), ttl: ttl, grace: grace)
    }
}

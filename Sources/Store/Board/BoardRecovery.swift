import Domain

/// Decides where the deadlines of the leases come from after a start.
///
/// | board | its boot | newest valid copy | its boot | clock | → |
/// |---|---|---|---|---|---|
/// | valid | same | any | any | holds | `exact` |
/// | valid | same | any | any | went back | `allExpired(.clockWentBack)` |
/// | valid | other, unknown | any | any | any | as if absent |
/// | absent, foreign | | there | same | holds | `fromCopy` |
/// | absent, foreign | | there | same | went back | `allExpired(.clockWentBack)` |
/// | absent, foreign | | there | other | any | `allExpired(.rebooted)` |
/// | absent, foreign | | there | unknown | any | `allExpired(.bootUnknown)` |
/// | absent, foreign | | none | | any | `.rebooted`, `.foreign` or `.nothingLeft`, as the board says |
package enum BoardRecovery: Equatable, Sendable {
    /// The board itself: every deadline as it was when the daemon ended.
    case exact
    /// A copy of this boot. A renewal that it has not seen came at most `unseen` after `takenAt`.
    case fromCopy(takenAt: Uptime, unseen: Duration)
    /// Nothing can be said of any lease: all begin as expired, and are kept until their holders had time to come back.
    case allExpired(Reason)

    package enum Reason: String, Equatable, Sendable {
        case rebooted, bootUnknown, clockWentBack, foreign, nothingLeft
    }

    package enum Boot: Equatable, Sendable {
        case same, other
        /// The kernel does not say which boot this is.
        case unknown
    }

    package enum Board: Equatable, Sendable {
        case absent
        /// Belongs to another store.
        case foreign
        /// - Parameter clockHolds: it was not published later than now.
        case valid(boot: Boot, clockHolds: Bool)
    }

    package enum Copy: Equatable, Sendable {
        case none
        /// - Parameter period: how often copies were made then.
        case valid(boot: Boot, takenAt: Uptime, period: Duration)
    }

    package static func decide(board: Board, copy: Copy, now: Uptime) -> BoardRecovery {
        if case .valid(.same, let clockHolds) = board { return clockHolds ? .exact : .allExpired(.clockWentBack) }
        switch (copy, board) {
        case (.valid(.same, let takenAt, let period), _):
            guard takenAt <= now else { return .allExpired(.clockWentBack) }
            return .fromCopy(takenAt: takenAt, unseen: period + Limits.leaseCopySlack)
        case (.valid(.other, _, _), _): return .allExpired(.rebooted)
        case (.valid(.unknown, _, _), _): return .allExpired(.bootUnknown)
        case (.none, .valid(.other, _)): return .allExpired(.rebooted)
        case (.none, .valid(.unknown, _)): return .allExpired(.bootUnknown)
        case (.none, .foreign): return .allExpired(.foreign)
        case (.none, .absent): return .allExpired(.nothingLeft)
        case (.none, .valid(.same, _)): preconditionFailure("a board of this boot was decided above")
        }
    }

    /// The deadline of a lease that is held, as its row says, and that the copy does not show, or shows as over: it began, or came back, after the
    /// copy was taken, at most `unseen` later.
    ///
    /// - Returns: nil if nothing is known, so that the lease begins as expired.
    package func deadlineUnseen(ttl: Duration) -> Uptime? {
        guard case .fromCopy(let takenAt, let unseen) = self else { return nil }
        return takenAt + unseen + ttl
    }

    /// The deadline to give a held lease: never before the one that its holder was promised.
    ///
    /// A copy does not show renewals made after it. The last of them can have come `unseen` later, and promised one `ttl` from then.
    /// - Returns: nil if nothing is known, so that the lease begins as expired.
    package func deadline(of word: LeaseWord, ttl: Duration) -> Uptime? {
        guard word.isValid, !word.isExpired else { return nil }
        switch self {
        case .exact: return word.deadline
        case .fromCopy(let takenAt, let unseen): return max(word.deadline, takenAt + unseen + ttl)
        case .allExpired: return nil
        }
    }
}

import Domain

/// Decides, one step at a time, how a store comes to be opened.
///
///     sound, missing ──────────────────────────▶ open
///     damaged ──▶ salvage ── kept something ───▶ open          (salvaged)
///                    │ kept nothing
///                    ▼
///                 last good copy ── readable ──▶ open          (lastGoodCopy)
///                    │ none
///                    ▼
///                 set aside, begin empty ──────▶ open          (empty)
///     newer, busy, unreadable, no room ────────▶ refuse        (nothing is touched)
package struct StoreLadder: Equatable, Sendable {
    package enum Event: Equatable, Sendable {
        case checked(StoreVerdict)
        case salvaged(Salvage.Outcome)
        /// Nil: there is none, or it cannot be used.
        case restored(BackupHeader?)
        case setAside
    }

    package enum Action: Equatable, Sendable {
        case salvage, restoreLastGoodCopy, setAside
        case open(StoreOpening)
        case refuse(StoreError.Code, hint: String)
    }

    private var reason = ""

    package init() {}

    package mutating func next(_ event: Event) -> Action {
        switch event {
        case .checked(.sound), .checked(.missing): return .open(.sound)
        case .checked(.damaged(let text)):
            reason = text
            return .salvage
        case .checked(.newerFormat(let version)):
            return .refuse(
                .newerFormat, hint: "the store has format \(version); install the version of posto that wrote it, or restore a backup")
        case .checked(.busy): return .refuse(.locked, hint: "another process has the store open; stop it first")
        case .checked(.unreadable(let text)): return .refuse(.system, hint: "\(text); look at owner and permissions of the state folder")
        case .salvaged(.done(let report)) where report.kept > 0: return .open(.salvaged(report, reason: reason))
        case .salvaged(.done): return .restoreLastGoodCopy
        case .salvaged(.failed(let text)):
            reason += "; " + text
            return .restoreLastGoodCopy
        case .salvaged(.noRoom):
            return .refuse(.full, hint: "the store is damaged and there is no room to salvage it; free as much space as its file takes")
        case .restored(let header?): return .open(.lastGoodCopy(at: header.created, reason: reason))
        case .restored(nil): return .setAside
        case .setAside: return .open(.empty(reason: reason))
        }
    }
}

/// What the node starts from. Health says it until an operator has seen it.
package enum StoreOpening: Equatable, Sendable {
    /// As it was left, or new.
    case sound
    /// Rebuilt from the damaged one, which is evidence.
    case salvaged(SalvageReport, reason: String)
    /// Nothing could be salvaged; this is what the last good copy held.
    case lastGoodCopy(at: Timestamp, reason: String)
    /// Nothing is left; the node begins anew.
    case empty(reason: String)
}

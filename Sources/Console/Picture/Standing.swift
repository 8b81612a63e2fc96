import Domain

/// How an instance is, in one word: the worse of what its probes and its heartbeats say.
package enum Standing: Int, Comparable, CaseIterable, Sendable {
    /// Its lease ran out.
    case silent
    /// Its probes fail.
    case failing
    /// Its probe warns.
    case warning
    /// Its heartbeat is overdue.
    case late
    /// Its heartbeats come; nobody probes it.
    case unchecked
    case well

    package init(_ health: Health, _ freshness: Freshness) {
        self =
            switch (health, freshness) {
            case (_, .expired): .silent
            case (.critical, _): .failing
            case (.warning, _): .warning
            case (_, .stale): .late
            case (.unknown, .fresh): .unchecked
            case (.passing, .fresh): .well
            }
    }

    package static func < (a: Standing, b: Standing) -> Bool { a.rawValue < b.rawValue }

    /// What a person looks for.
    package enum Group: String, CaseIterable, Sendable { case trouble, attention, well }

    package var group: Group {
        switch self {
        case .silent, .failing: .trouble
        case .warning, .late: .attention
        case .unchecked, .well: .well
        }
    }
}

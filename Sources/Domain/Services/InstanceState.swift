/// The last answer of an instance's check.
package enum Health: UInt8, CaseIterable, Sendable {
    /// Nobody has asked yet, or nobody may.
    case unknown = 0
    case passing = 1
    case warning = 2
    case critical = 3

    package var name: StaticString {
        switch self {
        case .unknown: "unknown"
        case .passing: "passing"
        case .warning: "warning"
        case .critical: "critical"
        }
    }

    package init?(name: String) {
        guard let match = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
        self = match
    }
}

/// How old the holder's last renewal is.
package enum Freshness: Equatable, Sendable {
    case fresh, stale, expired

    /// Fresh below half of the TTL, stale up to it, expired beyond, or when the lease is marked so (REGISTRY: 30 s and 60 s at 60 s).
    package init(age: Duration, ttl: Duration, isMarkedExpired: Bool) {
        if isMarkedExpired || age > ttl {
            self = .expired
        } else {
            self = age < ttl / 2 ? .fresh : .stale
        }
    }

    /// The same in whole milliseconds, for walks over all instances: arithmetic of durations takes 128 bits and costs half of such a walk.
    package init(ageMilliseconds age: Int64, ttlMilliseconds ttl: Int64, isMarkedExpired: Bool) {
        if isMarkedExpired || age > ttl {
            self = .expired
        } else {
            self = age * 2 < ttl ? .fresh : .stale
        }
    }

    package var name: StaticString {
        switch self {
        case .fresh: "fresh"
        case .stale: "stale"
        case .expired: "expired"
        }
    }
}

/// What happened to an instance.
package enum ChangeKind: Sendable {
    case registered, updated, health, expired, removed

    package var name: StaticString {
        switch self {
        case .registered: "registered"
        case .updated: "updated"
        case .health: "health"
        case .expired: "expired"
        case .removed: "removed"
        }
    }
}

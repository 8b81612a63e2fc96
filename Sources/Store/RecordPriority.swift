import Domain

/// What matters more when there is no room for everything (0 first).
package enum RecordPriority: UInt8, Comparable, Sendable, CaseIterable {
    case audit = 0
    case alert = 1
    case state = 2
    case business = 3
    case telemetry = 4
    case bulk = 5

    package static func < (a: RecordPriority, b: RecordPriority) -> Bool { a.rawValue < b.rawValue }

    /// Percent of an environment's budget it may use.
    package var sharePercent: Int {
        switch self {
        case .audit, .alert: Limits.auditSharePercent
        case .state: Limits.stateSharePercent
        case .business: Limits.businessSharePercent
        case .telemetry, .bulk: Limits.bulkSharePercent
        }
    }

    /// Accepted while the disk is full, because the reserve is for it.
    package var usesReserve: Bool { self <= .alert }
}

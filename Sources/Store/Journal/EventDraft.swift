import Domain

/// What a room says about a record; the journal adds the rest (id, source, time, sequence).
package struct EventDraft: Sendable {
    /// CloudEvents `type`, such as `posto.registry.registered`.
    package var type: String
    /// CloudEvents `subject`: what it is about.
    package var subject: String?
    package var tenant: String
    /// W3C `traceparent` of the request that caused it.
    package var traceparent: String?
    package var priority: RecordPriority
    /// The key, table id included, of a row that the same transaction deletes: salvage then does not bring the row back. Such a record must
    /// fit one value.
    package var removedKey: [UInt8]

    package init(
        type: String, subject: String? = nil, tenant: String, traceparent: String? = nil, priority: RecordPriority, removedKey: [UInt8] = []
    ) {
        self.type = type
        self.subject = subject
        self.tenant = tenant
        self.traceparent = traceparent
        self.priority = priority
        self.removedKey = removedKey
    }
}

/// How far the wall clock may be believed; `postotimeq` of each record.
package enum TimeQuality: UInt8, Sendable {
    case unknown = 0
    /// Set once, running by itself.
    case free = 1
    case synced = 2

    package var text: StaticString {
        switch self {
        case .unknown: "unknown"
        case .free: "free"
        case .synced: "synced"
        }
    }
}

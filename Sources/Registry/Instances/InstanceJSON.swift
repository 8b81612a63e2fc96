import Domain

/// The clock readings that one rendering works with.
package struct Moment: Sendable {
    package let uptime: Uptime
    package let wall: Timestamp

    package init(uptime: Uptime, wall: Timestamp) {
        self.uptime = uptime
        self.wall = wall
    }
}

/// What a lease looks like to a reader at one moment.
package struct LeaseAppearance: Equatable, Sendable {
    package let freshness: Freshness
    /// Whole seconds since the last renewal.
    package let ageSeconds: Int64
    package let expiresAt: Timestamp
    /// Until when this stays true, in uptime.
    package let validUntil: Uptime

    /// - Parameter renewedAt: wall time of the last recorded renewal; shown when the deadline was lost.
    package init(_ status: LeaseStatus, ttl: Duration, renewedAt: Timestamp, at moment: Moment) {
        if let deadline = status.deadline {
            let renewed = deadline - ttl
            let age = max(.zero, moment.uptime - renewed)
            freshness = Freshness(age: age, ttl: ttl, isMarkedExpired: status.isMarkedExpired)
            ageSeconds = age.wholeMilliseconds / 1_000
            expiresAt = moment.wall + (deadline - moment.uptime)
            var next = renewed + .seconds(ageSeconds + 1)
            // Freshness changes at half of the TTL and just beyond it; both may lie between two whole seconds.
            for edge in [renewed + ttl / 2, renewed + ttl + .milliseconds(1)] where edge > moment.uptime { next = min(next, edge) }
            validUntil = next
        } else {
            // Only the wall clock knows; it is shown, and nothing is decided by it.
            let age = max(moment.wall - renewedAt, ttl)
            freshness = .expired
            ageSeconds = age.wholeMilliseconds / 1_000
            expiresAt = renewedAt + ttl
            validUntil = moment.uptime + .seconds(1)
        }
    }
}

/// Writes instances as the interface shows them: the registration's members, then what changes with time.
package enum InstanceJSON {
    package static func write(
        members: some Collection<UInt8>, health: Health, lease: LeaseAppearance, registeredAt: Timestamp, revision: UInt64,
        to json: inout JSONWriter
    ) {
        json.beginObject()
        json.members(json: members)
        json.key("health"); json.string(health.name)
        json.key("freshness"); json.string(lease.freshness.name)
        json.key("age_seconds"); json.integer(lease.ageSeconds)
        json.key("registered_at"); json.timestamp(registeredAt)
        json.key("expires_at"); json.timestamp(lease.expiresAt)
        json.key("revision"); json.unsigned(revision)
        json.key("source"); json.string("live" as StaticString)
        json.endObject()
    }

    /// A registration from a file: it has no lease, so it neither ages nor expires.
    package static func writeStatic(members: some Collection<UInt8>, loadedAt: Timestamp, to json: inout JSONWriter) {
        json.beginObject()
        json.members(json: members)
        json.key("health"); json.string(Health.unknown.name)
        json.key("freshness"); json.string(Freshness.fresh.name)
        json.key("age_seconds"); json.integer(0)
        json.key("registered_at"); json.timestamp(loadedAt)
        json.key("expires_at"); json.null()
        json.key("revision"); json.integer(0)
        json.key("source"); json.string("static" as StaticString)
        json.endObject()
    }
}

import Domain
import Store

/// One change of an instance, as it is written into the stream `state` and shown by `changes`.
///
/// The record's `data` is the very object that the change feed sends, so that the feed copies bytes and parses nothing.
package struct ChangeRecord: Sendable {
    package let kind: ChangeKind
    package let key: InstanceKey
    package let members: [UInt8]
    package let health: Health
    package let lease: LeaseAppearance
    package let registeredAt: Timestamp
    /// Of `removed`: why.
    package var reason: StaticString?

    package init(kind: ChangeKind, key: InstanceKey, row: InstanceRow, lease: LeaseAppearance, reason: StaticString? = nil) {
        self.kind = kind
        self.key = key
        members = row.members
        health = row.health
        self.lease = lease
        registeredAt = row.registeredAt
        self.reason = reason
    }

    /// Appends it to the stream `state`.
    ///
    /// - Returns: its revision.
    package func append(_ origin: Origin, in context: borrowing StoreWriteContext) throws(StoreError) -> UInt64 {
        let now = context.now
        return try context.append(.state, draft(origin)) { json, revision in
            write(revision: revision, time: now, to: &json)
        }
    }

    private func draft(_ origin: Origin) -> EventDraft {
        EventDraft(
            type: "posto.registry.\(kind.name)", subject: key.path, tenant: key.tenant, traceparent: origin.traceparent,
            priority: .state, removedKey: kind == .removed ? [Table.instances.id] + key.bytes : [])
    }

    private func write(revision: UInt64, time: Timestamp, to json: inout JSONWriter) {
        json.beginObject()
        json.key("revision"); json.unsigned(revision)
        json.key("time"); json.timestamp(time)
        json.key("kind"); json.string(kind.name)
        json.key("service_name"); json.string(key.service)
        json.key("id"); json.string(key.id)
        json.key("tenant"); json.string(key.tenant)
        if let reason { json.key("reason"); json.string(reason) }
        json.key("instance")
        if kind == .removed {
            json.null()
        } else {
            InstanceJSON.write(
                members: members, health: health, lease: lease, registeredAt: registeredAt, revision: revision, to: &json)
        }
        json.endObject()
    }
}

/// What the audit trail keeps of one operation: who, what, when, where, result.
package struct AuditRecord: Sendable {
    package var operation: StaticString
    package var key: InstanceKey
    /// The HTTP status that was answered, 0 for the daemon's own doing.
    package var status: Int
    package var result: StaticString
    package var revision: UInt64?

    package init(_ operation: StaticString, _ key: InstanceKey, status: Int, result: StaticString, revision: UInt64? = nil) {
        self.operation = operation
        self.key = key
        self.status = status
        self.result = result
        self.revision = revision
    }

    /// Appends it to the stream `audit`.
    package func append(_ origin: Origin, in context: borrowing StoreWriteContext) throws(StoreError) {
        let now = context.now
        let draft = EventDraft(
            type: "posto.audit.\(operation)", subject: key.path, tenant: key.tenant, traceparent: origin.traceparent,
            priority: .audit)
        _ = try context.append(.audit, draft) { json, _ in
            json.beginObject()
            json.key("who")
            json.object { json in
                json.key("principal"); json.string(origin.principal)
                json.key("role"); json.string(origin.role)
            }
            json.key("what")
            json.object { json in
                json.key("operation"); json.string(operation)
                json.key("service_name"); json.string(key.service)
                json.key("id"); json.string(key.id)
            }
            json.key("when"); json.timestamp(now)
            json.key("where"); json.string(origin.place)
            json.key("result")
            json.object { json in
                json.key("outcome"); json.string(result)
                if status != 0 { json.key("status"); json.integer(status) }
                if let revision { json.key("revision"); json.unsigned(revision) }
            }
            if !origin.requestID.isEmpty { json.key("request_id"); json.string(origin.requestID) }
            json.endObject()
        }
    }
}

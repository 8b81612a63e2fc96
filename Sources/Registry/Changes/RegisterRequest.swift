import Domain
import Store
import Synchronization

/// What became of a registration.
package enum RegistrationOutcome: Equatable, Sendable {
    /// A new instance, or one whose registration changed.
    case registered(RegisteredInstance, isNew: Bool)
    /// The same registration again: its lease is renewed, and nothing else changed.
    case renewed(RegisteredInstance)
    /// Another service holds host and port. `holder` is nil if it is another tenant's, who is nobody's business.
    case addressInUse(holder: String?)
    /// No slot is left on the lease board.
    case full
    /// Answered before under the same idempotency key.
    case replayed(status: Int, body: [UInt8])
    /// The idempotency key came with another request.
    case idempotencyKeyReused
    case failed(StoreError)
}

package struct RegisteredInstance: Equatable, Sendable {
    package let key: InstanceKey
    package let revision: UInt64
    package let ttlSeconds: Int
    package let expiresAt: Timestamp
}

/// Registers an instance: its rows, its lease's slot, its change record and its audit record, in one transaction.
///
///     nothing there                     → registered
///     there, the same, held             → renewed (nothing written)
///     there, the same, expired          → updated: it is back
///     there, something differs          → updated
///     another id of the service on the
///       same host and port              → that one is removed (superseded), then registered
///     another service on it             → refused
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class RegisterRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    private let registry: ServiceRegistry
    private let registration: Registration
    private let members: [UInt8]
    private let key: InstanceKey
    private let origin: Origin
    private let claim: IdempotencyClaim?
    private let isDryRun: Bool
    /// Renders the answer that an idempotency key repeats.
    private let render: @Sendable (RegistrationOutcome) -> (status: Int, body: [UInt8])
    private let completion: @Sendable (RegistrationOutcome) -> Void

    private var outcome = RegistrationOutcome.full
    private var lease: (slot: Int, generation: UInt16)?
    private var isNewSlot = false
    private var endedSlot: (slot: Int, key: InstanceKey)?
    private var promisedSlot: Int?
    private var isTTLShorter = false
    private var isDecided = false

    /// - Parameter isDryRun: decide as ever, and undo it: the outcome says what would have been done.
    package init(
        _ registration: Registration, registry: ServiceRegistry, origin: Origin, claim: IdempotencyClaim?, isDryRun: Bool = false,
        render: @escaping @Sendable (RegistrationOutcome) -> (status: Int, body: [UInt8]),
        completion: @escaping @Sendable (RegistrationOutcome) -> Void
    ) {
        self.registration = registration
        self.registry = registry
        self.origin = origin
        self.claim = claim
        self.isDryRun = isDryRun
        self.render = render
        self.completion = completion
        members = registration.members()
        key = InstanceKey(registration)
    }

    /// The fence is what undoes a dry run.
    package var isFenced: Bool { isDryRun }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        isDecided = false
        endedSlot = nil
        isTTLShorter = false
        withdrawPromise()
        // A slot of a run before this one is kept only if it was made for this request.
        if !isNewSlot { lease = nil }
        if let claim, let stored = try context.transaction.idempotentAnswer(claim.key) {
            outcome = stored.digest == claim.digest ? .replayed(status: Int(stored.status), body: stored.body) : .idempotencyKeyReused
            return
        }
        try decide(context)
        isDecided = true
        if isDryRun { throw StoreError(.closed, "store what was only asked") }
        // A full registry is the node's trouble, not this request's answer for a day.
        if let claim, outcome != .full {
            let answer = render(outcome)
            try claim.remember(status: answer.status, body: answer.body, in: context)
        }
    }

    private func decide(_ context: borrowing StoreWriteContext) throws(StoreError) {
        let holder = try context.transaction.withValue(.addresses, StoreKey(host: registration.host.utf8, port: registration.port)) {
            (payload, _) throws(StoreError) in InstanceKey(payload: payload)
        }
        if let holder, holder != key, !holder.isSameService(as: key),
            try InstanceTable.readableRow(of: holder, in: context.transaction) != nil
        {
            outcome = .addressInUse(holder: holder.tenant == key.tenant ? holder.service : nil)
            try AuditRecord("register", key, status: 409, result: "address_in_use").append(origin, in: context)
            return
        }
        // What cannot be read any more is written over: its holder is here and tells it again.
        let existing = try InstanceTable.readableRow(of: key, in: context.transaction)
        if let existing {
            try update(existing, context)
        } else {
            try create(context)
        }
        if case .registered = outcome, let holder, holder != key { try supersede(holder, context) }
    }

    private func create(_ context: borrowing StoreWriteContext) throws(StoreError) {
        if lease == nil {
            lease = registry.leases.allocate()
            isNewSlot = true
        }
        guard let lease else {
            outcome = .full
            try AuditRecord("register", key, status: 507, result: "registry_full").append(origin, in: context)
            return
        }
        promise(lease.slot)
        var row = InstanceRow(
            health: .unknown, isMarkedExpired: false, slot: lease.slot, generation: lease.generation, registration: registration,
            members: members, registeredAt: context.now, revision: 0, renewedAt: context.now)
        try write(&row, kind: .registered, oldAddress: nil, context)
        try context.transaction.put(.leases, StoreKey(leaseSlot: lease.slot), key.bytes, revision: row.revision)
        outcome = .registered(answer(revision: row.revision, context), isNew: true)
    }

    private func update(_ existing: InstanceRow, _ context: borrowing StoreWriteContext) throws(StoreError) {
        if isNewSlot, let lease {
            // A run before this one found nothing; another request of the batch has registered it since.
            registry.leases.giveBack(slot: lease.slot)
            isNewSlot = false
        }
        lease = (existing.slot, existing.generation)
        let isLapsed = existing.isMarkedExpired || registry.leases.isLapsed(slot: existing.slot, generation: existing.generation)
        promise(existing.slot)
        if existing.members == members, !isLapsed {
            outcome = .renewed(answer(revision: existing.revision, context))
            return
        }
        isTTLShorter = registration.ttlSeconds < existing.ttlSeconds
        let moved = existing.host != Array(registration.host.utf8) || existing.port != registration.port
        var row = InstanceRow(
            // What was asked of one address says nothing about another.
            health: moved ? .unknown : existing.health, isMarkedExpired: false, slot: existing.slot, generation: existing.generation,
            registration: registration, members: members, registeredAt: existing.registeredAt, revision: 0, renewedAt: context.now)
        try write(&row, kind: .updated, oldAddress: moved ? (existing.host, existing.port) : nil, context)
        outcome = .registered(answer(revision: row.revision, context), isNew: false)
    }

    private func write(
        _ row: inout InstanceRow, kind: ChangeKind, oldAddress: (host: [UInt8], port: UInt16)?, _ context: borrowing StoreWriteContext
    ) throws(StoreError) {
        let ttl = Duration.seconds(row.ttlSeconds)
        let appearance = LeaseAppearance(
            LeaseStatus(deadline: context.uptime + ttl, isMarkedExpired: false), ttl: ttl, renewedAt: context.now,
            at: Moment(uptime: context.uptime, wall: context.now))
        row.revision = try ChangeRecord(kind: kind, key: key, row: row, lease: appearance).append(origin, in: context)
        try InstanceTable.put(row, at: key, isNew: kind == .registered, in: context.transaction)
        if let oldAddress { try context.transaction.delete(.addresses, StoreKey(host: oldAddress.host, port: oldAddress.port)) }
        try context.transaction.put(
            .addresses, StoreKey(host: registration.host.utf8, port: registration.port), key.bytes, revision: row.revision)
        try AuditRecord("register", key, status: kind == .registered ? 201 : 200, result: kind.name, revision: row.revision).append(
            origin, in: context)
    }

    /// The same service came back on the same address under another id: the old instance cannot be there any more.
    private func supersede(_ old: InstanceKey, _ context: borrowing StoreWriteContext) throws(StoreError) {
        guard let row = try InstanceTable.readableRow(of: old, in: context.transaction) else { return }
        try Removal.write(old, row, reason: "superseded", keepsAddress: true, registry: registry, origin: origin, context)
        endedSlot = (row.slot, old)
    }

    private func answer(revision: UInt64, _ context: borrowing StoreWriteContext) -> RegisteredInstance {
        RegisteredInstance(
            key: key, revision: revision, ttlSeconds: registration.ttlSeconds, expiresAt: context.now + .seconds(registration.ttlSeconds))
    }

    package func refused(_ context: borrowing StoreWriteContext) throws(StoreError) {
        try AuditRecord("register", key, status: 507, result: "insufficient_storage").append(origin, in: context)
    }

    package func committed() {
        switch outcome {
        case .registered(_, let isNew):
            holdLease()
            if let endedSlot {
                registry.leases.end(slot: endedSlot.slot)
                registry.removed(endedSlot.key)
            }
            registry.changed(key, isNew: isNew, registration: registration)
        case .renewed:
            holdLease()
            registry.touched(key)
        default:
            giveBackSlot()
        }
        completion(outcome)
    }

    package func failed(_ error: StoreError) {
        withdrawPromise()
        giveBackSlot()
        completion(isDryRun && isDecided && error.code == .closed ? outcome : .failed(error))
    }

    private func holdLease() {
        guard let lease else { return }
        registry.leases.hold(
            slot: lease.slot, generation: lease.generation, deadline: registry.time.uptime() + .seconds(registration.ttlSeconds),
            isShorter: isTTLShorter)
        withdrawPromise()
    }

    private func promise(_ slot: Int) {
        registry.leases.promise(slot: slot)
        promisedSlot = slot
    }

    private func withdrawPromise() {
        if let promisedSlot { registry.leases.withdrawPromise(slot: promisedSlot) }
        promisedSlot = nil
    }

    private func giveBackSlot() {
        guard isNewSlot, let lease else { return }
        registry.leases.giveBack(slot: lease.slot)
        self.lease = nil
        isNewSlot = false
    }
}

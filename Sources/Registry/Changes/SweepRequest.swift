import Domain
import Store

/// Announces leases that ran out and removes those whose grace is over: one slice of what fell due together.
// SAFETY: the mutable fields are touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
package final class SweepRequest: WriteRequest, @unchecked Sendable {
    package let priority = RecordPriority.state
    /// It removes, and what it adds must not depend on room: the list has to stay true.
    package let releasesSpace = true
    private let registry: ServiceRegistry
    private let slots: [Int]
    private let isForgiving: Bool

    private struct Mark {
        let slot: Int
        let generation: UInt16
        let deadline: Uptime
        let reapAt: Uptime
        let key: InstanceKey
    }
    private var marks: [Mark] = []
    private var removals: [(slot: Int, key: InstanceKey)] = []
    private var wakes: [(slot: Int, at: Uptime)] = []
    /// Removals that are set for later.
    private var reaps: [(slot: Int, at: Uptime)] = []

    package init(slots: [Int], isForgiving: Bool, registry: ServiceRegistry) {
        precondition(slots.count <= Limits.sweepSlotsMax)
        self.isForgiving = isForgiving
        self.slots = slots
        self.registry = registry
    }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        // Of a run before this one; nothing of it is in the store.
        takeBackMarks(retryAt: context.uptime)
        marks.removeAll()
        removals.removeAll()
        wakes.removeAll()
        reaps.removeAll()
        for slot in slots { try sweep(slot, context) }
    }

    private func sweep(_ slot: Int, _ context: borrowing StoreWriteContext) throws(StoreError) {
        // Deregistered meanwhile: nobody waits for this timer any more. A damaged row must not keep its neighbours from being swept.
        guard let (key, stored) = try InstanceTable.holder(ofSlot: slot, in: context.transaction) else { return }
        var row = stored
        guard !registry.leases.isPromised(slot: slot) else {
            // A request of this batch brings it back: its holder is told so as soon as the disk has it.
            wakes.append((slot, context.uptime + .seconds(1)))
            return
        }
        let ttl = Duration.seconds(row.ttlSeconds)
        let status = registry.leases.status(slot: slot, generation: row.generation)
        let state: LeaseMachine.State
        if status.isMarkedExpired {
            guard let reapAt = registry.leases.reapAt(slot: slot) else {
                // The board's word was lost, not the lease: its holder gets the time to come back.
                reaps.append((slot, context.uptime + ttl + registry.leases.grace))
                return
            }
            state = .expired(reapAt: reapAt)
        } else {
            state = .held(deadline: status.deadline ?? context.uptime)
        }
        var machine = LeaseMachine(state: state, ttl: ttl, grace: registry.leases.grace)
        let appearance = LeaseAppearance(
            LeaseStatus(deadline: status.deadline, isMarkedExpired: true), ttl: ttl, renewedAt: row.renewedAt,
            at: Moment(uptime: context.uptime, wall: context.now))
        let recoveredAt = context.uptime + ttl + registry.leases.grace
        switch machine.timerFired(now: context.uptime) {
        case .wake(let at):
            wakes.append((slot, at))
        case .announceExpired(let reapAt):
            guard let deadline = status.deadline, registry.leases.markExpired(slot: slot, generation: row.generation, observed: deadline)
            else {
                // A renewal was faster.
                wakes.append((slot, context.uptime + .seconds(1)))
                return
            }
            marks.append(
                Mark(
                    slot: slot, generation: row.generation, deadline: deadline, reapAt: isForgiving ? recoveredAt : reapAt, key: key))
            row.isMarkedExpired = true
            row.revision = try ChangeRecord(kind: .expired, key: key, row: row, lease: appearance).append(.daemon, in: context)
            try InstanceTable.put(row, at: key, in: context.transaction)
        case .remove where isForgiving:
            reaps.append((slot, recoveredAt))
        case .remove:
            let revision = try Removal.write(key, row, reason: "expired", registry: registry, origin: .daemon, context)
            try AuditRecord("expire", key, status: 0, result: "removed", revision: revision).append(.daemon, in: context)
            removals.append((slot, key))
        }
    }

    package func committed() {
        for mark in marks {
            registry.leases.awaitReap(slot: mark.slot, at: mark.reapAt)
            registry.expired(mark.key)
        }
        for (slot, key) in removals {
            registry.leases.end(slot: slot)
            registry.removed(key)
        }
        for (slot, at) in wakes { registry.leases.wake(slot: slot, at: at) }
        for (slot, at) in reaps { registry.leases.awaitReap(slot: slot, at: at) }
    }

    package func failed(_ error: StoreError) {
        let retry = registry.time.uptime() + .seconds(1)
        takeBackMarks(retryAt: retry)
        for slot in slots { registry.leases.wake(slot: slot, at: retry) }
    }

    private func takeBackMarks(retryAt: Uptime) {
        for mark in marks {
            registry.leases.unmark(slot: mark.slot, generation: mark.generation, deadline: mark.deadline, retryAt: retryAt)
            // Whoever looked meanwhile has seen it as expired.
            registry.touched(mark.key)
        }
        marks.removeAll()
    }
}

import Domain
import Store
import Synchronization

/// The registry of this node: who is here, how it is, and since when.
///
/// The store holds every instance, the lease board every deadline; in memory are only a count for each service and a version for each
/// group of them. Look-ups and renewals come from any thread and wait for nobody; changes are requests of the one writer.
// SAFETY: `writer` and `checks` are set once by `attach`, before any other thread is given the object; all else is immutable or Sendable.
package final class ServiceRegistry: @unchecked Sendable {
    package let environment: StoreEnvironment
    package let leases: LeaseKeeper
    package let time: TimeSource
    package let stripes = VersionStripes()
    package let statics: StaticServices
    package let defaultTenant: String
    private var writer: StoreWriter?
    private var checks: CheckKeeper?
    private let counts = Mutex(Counts())
    private let damaged = Mutex<Set<InstanceKey>>([])

    private struct Counts {
        /// Instances of each service, by the hash of its name.
        var services: [UInt64: Int] = [:]
        var instances = 0
        var expiredTotal: UInt64 = 0
    }

    package init(environment: StoreEnvironment, leases: LeaseKeeper, time: TimeSource, statics: StaticServices, defaultTenant: String) {
        self.environment = environment
        self.leases = leases
        self.time = time
        self.statics = statics
        self.defaultTenant = defaultTenant
    }

    /// Once, before the threads start.
    package func attach(writer: StoreWriter, checks: CheckKeeper?) {
        self.writer = writer
        self.checks = checks
    }

    // MARK: Start

    /// Reads what the store holds and takes over every lease.
    ///
    /// - Parameters:
    ///   - deadline: what a lease's holder may have been promised last, by `BoardRecovery`; nil if nothing is known.
    ///   - ready: when renewals can be answered again.
    /// - Returns: the leases that begin as expired but were held when they were last recorded; they must be announced.
    package func load(ready: Uptime, deadline: (_ slot: Int, _ generation: UInt16, _ ttl: Duration) -> Uptime?) throws(StoreError) -> [Int]
    {
        var used: [Bool] = []
        var lapsed: [Int] = []
        var counts = Counts()
        try environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            counts.services.reserveCapacity(try transaction.count(.instances))
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: noteDamage) { (instance) throws(StoreError) in
                let row = instance.row
                let ttl = Duration.seconds(row.ttlSeconds)
                let known = row.isMarkedExpired ? nil : deadline(row.slot, row.generation, ttl)
                let isExpired = leases.adopt(slot: row.slot, generation: row.generation, ttl: ttl, deadline: known, ready: ready)
                if isExpired, !row.isMarkedExpired { lapsed.append(row.slot) }
                if row.slot >= used.count { used.append(contentsOf: repeatElement(false, count: row.slot + 1 - used.count)) }
                used[row.slot] = true
                counts.instances += 1
                counts.services[VersionStripes.hash(tenant: instance.tenant, service: instance.service), default: 0] += 1
                return true
            }
        }
        leases.finishAdoption(used: used)
        self.counts.withLock { $0 = counts }
        return lapsed
    }

    // MARK: Figures

    package var activeServices: Int { counts.withLock { $0.services.count } }
    package var activeInstances: Int { counts.withLock { $0.instances } }
    package var expiredTotal: UInt64 { counts.withLock { $0.expiredTotal } }

    /// Instances whose rows were found damaged and that have not registered again since: lists leave them out, health tells how many.
    package var damagedInstances: Int { damaged.withLock { $0.count } }

    /// - Parameter key: as it is stored, table id included.
    func noteDamage(_ key: UnsafeRawBufferPointer) {
        guard let instance = InstanceKey(stored: key) else { return }
        damaged.withLock { if $0.count < Limits.damagedInstancesMax { $0.insert(instance) } }
    }

    /// The last durable seq of a stream.
    func position(_ stream: StreamID) -> UInt64 { writer?.journal.position(stream).last ?? 0 }

    func oldestPosition(_ stream: StreamID) -> UInt64 { writer?.journal.position(stream).trimmed ?? 0 }

    // MARK: Changes

    /// Hands a change to the writer.
    ///
    /// - Throws: `.busy` when too many wait, `.closed` when the daemon stops; nothing was done.
    package func submit(_ request: any WriteRequest) throws(StoreError) {
        guard let writer else { throw StoreError(.closed, "change the registry before it is attached") }
        try writer.submit(request)
    }

    /// Nothing that was rendered before is right any more: the static registrations changed.
    package func invalidateAll() { stripes.bumpAll() }

    /// Announces and removes what fell due. Housekeeping's thread.
    ///
    /// - Parameter isForgiving: we stood still ourselves, so that nobody could renew: nothing is removed, and what lapsed gets a TTL and the
    ///   grace from now, as after a start. This is the guard against a mass expiry that is our own fault.
    package func sweep(now: Uptime, isForgiving: Bool) {
        submit(leases.due(now: now), retryAt: now + .seconds(1)) { SweepRequest(slots: $0, isForgiving: isForgiving, registry: self) }
    }

    /// Tells that leases lapsed while the daemon was away.
    package func announce(lapsed slots: [Int], now: Uptime) {
        submit(slots, retryAt: now + .seconds(1)) { LapseRequest(slots: $0, registry: self) }
    }

    private func submit(_ slots: [Int], retryAt: Uptime, _ make: ([Int]) -> any WriteRequest) {
        var rest = slots[...]
        while !rest.isEmpty {
            let slice = Array(rest.prefix(Limits.sweepSlotsMax))
            rest = rest.dropFirst(slice.count)
            do throws(StoreError) {
                try submit(make(slice))
            } catch {
                for slot in slice { leases.wake(slot: slot, at: retryAt) }
            }
        }
    }

    // MARK: What the requests tell, after the disk has it (the writer's thread)

    func changed(_ key: InstanceKey, isNew: Bool, registration: Registration) {
        if isNew {
            counts.withLock { counts in
                counts.instances += 1
                counts.services[key.stripe, default: 0] += 1
            }
        }
        damaged.withLock { _ = $0.remove(key) }
        stripes.bump(key.stripe)
        checks?.watch(key, registration)
    }

    func touched(_ key: InstanceKey) { stripes.bump(key.stripe) }

    func expired(_ key: InstanceKey) {
        counts.withLock { $0.expiredTotal += 1 }
        stripes.bump(key.stripe)
    }

    func removed(_ key: InstanceKey) {
        counts.withLock { counts in
            counts.instances -= 1
            let left = (counts.services[key.stripe] ?? 1) - 1
            counts.services[key.stripe] = left > 0 ? left : nil
        }
        stripes.bump(key.stripe)
        checks?.forget(key)
    }
}

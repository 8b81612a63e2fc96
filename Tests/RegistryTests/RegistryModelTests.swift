import Domain
import Store
import Testing

@testable import Registry

/// What the registry must do, kept in memory: a few lines that are easy to believe.
private struct Oracle {
    struct Lease: Equatable {
        var registration: Registration
        var health = Health.unknown
        /// When it runs out, or ran out; nil when a start knew nothing of it.
        var deadline: Uptime?
        /// Nil while it is held.
        var reapAt: Uptime?
        /// When its timer fires at the earliest: never in the tick in which it was set.
        var firesAt: Uptime

        init(_ registration: Registration, now: Uptime) {
            self.registration = registration
            deadline = now + .seconds(registration.ttlSeconds)
            firesAt = deadline!
        }

        mutating func hold(now: Uptime) {
            deadline = now + .seconds(registration.ttlSeconds)
            reapAt = nil
            firesAt = deadline!
        }
    }

    static let tick = Duration.milliseconds(100)
    var leases: [InstanceKey: Lease] = [:]
    /// Changes since the last look, without the order inside one sweep.
    var changes: [String] = []
    var expiredTotal: UInt64 = 0

    private mutating func note(_ kind: String, _ key: InstanceKey) { changes.append("\(kind) \(key.service)/\(key.id)") }

    enum Answer: Equatable { case new, changed, renewed, conflict, unknown, removed }

    mutating func register(_ registration: Registration, now: Uptime) -> Answer {
        let key = InstanceKey(registration)
        let holder = leases.first {
            $0.key != key && $0.value.registration.host == registration.host && $0.value.registration.port == registration.port
        }
        if let holder, holder.key.service != key.service { return .conflict }
        if var lease = leases[key] {
            if lease.registration == registration, lease.reapAt == nil {
                lease.hold(now: now)
                leases[key] = lease
                return .renewed
            }
            if lease.registration.host != registration.host || lease.registration.port != registration.port { lease.health = .unknown }
            lease.registration = registration
            lease.hold(now: now)
            leases[key] = lease
            note("updated", key)
        } else {
            leases[key] = Lease(registration, now: now)
            note("registered", key)
            if let holder { remove(holder.key) }
            return .new
        }
        if let holder { remove(holder.key) }
        return .changed
    }

    mutating func renew(_ key: InstanceKey, now: Uptime) -> Answer {
        guard leases[key] != nil else { return .unknown }
        if leases[key]!.reapAt != nil { note("updated", key) }
        leases[key]!.hold(now: now)
        return .renewed
    }

    mutating func deregister(_ key: InstanceKey) -> Answer {
        guard leases[key] != nil else { return .unknown }
        remove(key)
        return .removed
    }

    private mutating func remove(_ key: InstanceKey) {
        leases[key] = nil
        note("removed", key)
    }

    mutating func setHealth(_ registration: Registration, _ health: Health) {
        let key = InstanceKey(registration)
        guard let lease = leases[key], lease.health != health, lease.registration.host == registration.host,
            lease.registration.port == registration.port
        else { return }
        leases[key]!.health = health
        note("health", key)
    }

    mutating func sweep(now: Uptime, isForgiving: Bool) {
        let floor = Uptime(milliseconds: now.milliseconds / 100 * 100)
        for (key, lease) in leases where lease.firesAt <= floor {
            let recovered = now + .seconds(lease.registration.ttlSeconds) + TestRegistry.grace
            if let reapAt = lease.reapAt {
                if isForgiving {
                    leases[key]!.reapAt = recovered
                    leases[key]!.firesAt = recovered
                } else if reapAt <= now {
                    remove(key)
                }
            } else {
                let reapAt = isForgiving ? recovered : max(lease.deadline! + TestRegistry.grace, now)
                leases[key]!.reapAt = reapAt
                leases[key]!.firesAt = max(reapAt, floor + Self.tick)
                expiredTotal += 1
                note("expired", key)
            }
        }
    }

    /// The daemon was away until `ready`.
    mutating func restart(ready: Uptime, sameBoot: Bool) {
        expiredTotal = 0
        for (key, lease) in leases {
            let wasHeld = lease.reapAt == nil
            if sameBoot, wasHeld, lease.deadline! > ready { continue }
            if !sameBoot || !wasHeld { leases[key]!.deadline = nil }
            leases[key]!.reapAt = ready + .seconds(lease.registration.ttlSeconds) + TestRegistry.grace
            leases[key]!.firesAt = leases[key]!.reapAt!
            if wasHeld {
                expiredTotal += 1
                note("expired", key)
            }
        }
    }

    func shown(_ key: InstanceKey, now: Uptime) -> (freshness: String, age: Int64?) {
        let lease = leases[key]!
        let ttl = Duration.seconds(lease.registration.ttlSeconds)
        guard let deadline = lease.deadline else { return ("expired", nil) }
        let age = now - (deadline - ttl)
        let freshness = lease.reapAt != nil || age > ttl ? "expired" : age < ttl / 2 ? "fresh" : "stale"
        return (freshness, age.wholeMilliseconds / 1_000)
    }
}

@Suite("the registry against a model of it")
struct RegistryModelTests {
    private static let services = ["abc", "abc-d", "teller", "teller-web"]

    private func registration(_ random: inout SeededRandom) -> Registration {
        let service = Self.services.randomElement(using: &random)!
        return .test(
            service, id: ["1", "2"].randomElement(using: &random)!, host: ["127.0.0.1", "host-a"].randomElement(using: &random)!,
            port: UInt16.random(in: 9_000...9_004, using: &random), ttl: [10, 20, 60].randomElement(using: &random)!,
            metadata: Bool.random(using: &random)
                ? [] : [(key: "k", value: String(repeating: "v", count: Int.random(in: 0...500, using: &random)))])
    }

    @Test("lists, look-ups, changes and counters agree after every step", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func agree(seed: UInt64) throws {
        print("registry model: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let test = try TestRegistry()
        var oracle = Oracle()
        var revision: UInt64 = 0
        for step in 0..<250 {
            let what = Int.random(in: 0..<100, using: &random)
            let isRepeated = Int.random(in: 0..<4, using: &random) == 0
            var title = ""
            switch what {
            case 0..<35:
                // Sometimes exactly what stands there.
                let registration =
                    what < 10
                    ? oracle.leases.values.map(\.registration).sorted { $0.serviceName + $0.id < $1.serviceName + $1.id }
                        .randomElement(using: &random) ?? registration(&random) : registration(&random)
                title =
                    "register \(registration.serviceName)/\(registration.id) \(registration.host):\(registration.port) ttl \(registration.ttlSeconds)"
                let box = AnswerBox<RegistrationOutcome>()
                try test.batch([test.request(registration, into: box)], isRepeated: isRepeated)
                let answer: Oracle.Answer =
                    switch box.wait() {
                    case .registered(_, isNew: true): .new
                    case .registered(_, isNew: false): .changed
                    case .renewed: .renewed
                    case .addressInUse: .conflict
                    default: .unknown
                    }
                #expect(answer == oracle.register(registration, now: test.time.uptime), "seed \(seed) step \(step): \(title)")
            case 35..<55:
                let key = InstanceKey(registration(&random))
                title = "renew \(key.service)/\(key.id)"
                let outcome = try test.renew(key.service, id: key.id)
                let answer: Oracle.Answer = if case .renewed = outcome { .renewed } else { .unknown }
                #expect(answer == oracle.renew(key, now: test.time.uptime), "seed \(seed) step \(step): \(title)")
            case 55..<62:
                let key = InstanceKey(registration(&random))
                title = "deregister \(key.service)/\(key.id)"
                let box = AnswerBox<DeregistrationOutcome>()
                try test.batch(
                    [DeregisterRequest(key, registry: test.registry, origin: .test, claim: nil) { box.set($0) }], isRepeated: isRepeated)
                let answer: Oracle.Answer = if case .removed = box.wait() { .removed } else { .unknown }
                #expect(answer == oracle.deregister(key), "seed \(seed) step \(step): \(title)")
            case 62..<70:
                let registration = registration(&random)
                let health = Health.allCases.randomElement(using: &random)!
                title = "health \(registration.serviceName)/\(registration.id) \(health)"
                try test.setHealth(registration, health)
                oracle.setHealth(registration, health)
            case 70..<92:
                let pause = Duration.milliseconds(Int64.random(in: 1...250, using: &random) * 100)
                let isForgiving = Int.random(in: 0..<8, using: &random) == 0
                title = "\(pause) pass, sweep\(isForgiving ? " forgiving" : "")"
                test.time.advance(pause)
                let slots = test.run.leases.due(now: test.time.uptime)
                if !slots.isEmpty {
                    try test.batch([SweepRequest(slots: slots, isForgiving: isForgiving, registry: test.registry)], isRepeated: isRepeated)
                }
                oracle.sweep(now: test.time.uptime, isForgiving: isForgiving)
            default:
                let away = Duration.milliseconds(Int64.random(in: 1...900, using: &random) * 100)
                let sameBoot = Int.random(in: 0..<3, using: &random) > 0
                title = "restart after \(away), \(sameBoot ? "same boot" : "another boot")"
                test.stop()
                if sameBoot { test.time.advance(away) } else { test.time.reboot(after: away) }
                try test.start(afterReboot: !sameBoot)
                oracle.restart(ready: test.time.uptime, sameBoot: sameBoot)
                // Before anything is announced the first answer is right already.
                try compare(test, oracle, "seed \(seed) step \(step): \(title), before the announcement", &random)
                try test.announce()
            }
            let place = "seed \(seed) step \(step): \(title)"
            try compare(test, oracle, place, &random)
            let (lines, now) = try test.changes(since: revision)
            #expect(lines.sorted() == oracle.changes.sorted(), "\(place): changes")
            revision = now
            oracle.changes = []
            #expect(test.registry.expiredTotal == oracle.expiredTotal, "\(place): expired in all")
            #expect(test.registry.revision == revision, "\(place): revision")
        }
        let verification = try JournalVerifier.verify(.audit, in: test.run.environment)
        #expect(verification.finding == .intact)
    }

    private func compare(_ test: TestRegistry, _ oracle: Oracle, _ place: String, _ random: inout SeededRandom) throws {
        let keys = oracle.leases.keys.sorted {
            $0.service == $1.service ? $0.id < $1.id : $0.service.utf8.lexicographicallyPrecedes($1.service.utf8)
        }
        let list = try test.list(limit: Int.random(in: 1...5, using: &random))
        #expect(list.map { "\($0.service)/\($0.id)" } == keys.map { "\($0.service)/\($0.id)" }, "\(place): the list's order")
        for (shown, key) in zip(list, keys) {
            let lease = oracle.leases[key]!
            let (freshness, age) = oracle.shown(key, now: test.time.uptime)
            #expect(shown.freshness == freshness, "\(place): \(shown)")
            if let age { #expect(shown.age == age, "\(place): \(shown)") }
            #expect(shown.health == "\(lease.health.name)", "\(place): \(shown)")
            #expect(shown.host == lease.registration.host && shown.port == Int64(lease.registration.port), "\(place): \(shown)")
        }
        for service in Self.services {
            let found = try test.look(service)
            #expect(found == list.filter { $0.service == service }, "\(place): the look-up of \(service)")
        }
        #expect(test.registry.activeInstances == keys.count, "\(place): instances")
        #expect(test.registry.activeServices == Set(keys.map(\.service)).count, "\(place): services")
    }
}

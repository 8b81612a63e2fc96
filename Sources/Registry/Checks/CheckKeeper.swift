import Domain
import HTTPClient
import Store
import Synchronization

/// How instances are probed.
package struct CheckSettings: Equatable, Sendable {
    package var isEnabled: Bool
    package var interval: Duration
    package var timeout: Duration
    package var thresholds: CheckMachine.Thresholds
    /// Only addresses in these are probed.
    package var networks: [Network]

    package init(isEnabled: Bool, interval: Duration, timeout: Duration, thresholds: CheckMachine.Thresholds, networks: [Network]) {
        self.isEnabled = isEnabled
        self.interval = interval
        self.timeout = timeout
        self.thresholds = thresholds
        self.networks = networks
    }
}

/// What the probes of the services say together. A service that is down is told, and is no fault of the node.
package struct CheckSummary: Equatable, Sendable {
    package var probed = 0
    /// Instances whose probes fail.
    package var failing = 0
    /// Of these, how many have answered again and wait to be believed.
    package var recovering = 0
    package var failuresTotal: UInt64 = 0
    package var lastFailure: Timestamp?
    package init() {}

    /// Open while a service fails, half-open while all that fail are coming back (REGISTRY.md's words).
    package var breaker: Breaker { failing == 0 ? .closed : recovering == failing ? .halfOpen : .open }

    package enum Breaker: Int, Sendable, CaseIterable {
        case closed, open, halfOpen

        package var name: StaticString {
            switch self {
            case .closed: "closed"
            case .open: "open"
            case .halfOpen: "half-open"
            }
        }
    }
}

/// Asks instances how they are, at intervals with jitter, and records what changes.
///
/// `watch` and `forget` come from the writer's thread; everything else is housekeeping's. A probe that fails is repeated sooner than the
/// interval until the verdict is certain, so that a death is seen within ten seconds even if each probe times out.
// SAFETY: the fields from `probes` on are used by housekeeping's thread only.
package final class CheckKeeper: @unchecked Sendable {
    private enum News: Sendable {
        case watch(InstanceKey, Target)
        case forget(InstanceKey)
    }

    package struct Target: Equatable, Sendable {
        let host: String
        let port: UInt16
        let path: String
        let transport: ServiceProtocol
        /// As it is stored.
        let health: Health
    }

    private struct Watched {
        let key: InstanceKey
        var target: Target
        var machine: CheckMachine
        /// What the store says; what differs from the machine's is recorded again.
        var recorded: Health
        var isProbing = false
        /// A request of the writer is under way.
        var isRecording = false
        /// Grows with each new target: an answer of the old one is not the new one's.
        var generation: UInt32
    }

    private let news = Mutex<[News]>([])
    private let recorded = Mutex<[(slot: Int, generation: UInt32, health: Health, isRecorded: Bool)]>([])
    private let summaryCell = Mutex(CheckSummary())
    private let settingsCell: Mutex<CheckSettings>
    private let networksChanged = Atomic<Bool>(false)
    private let prober: Prober
    private let random: @Sendable () -> Double

    private var probes: [Watched?] = []
    private var free: [Int] = []
    private var slots: [InstanceKey: Int] = [:]
    private var wheel: TimerWheel
    private var nextGeneration: UInt32 = 0
    private var summary = CheckSummary()
    private var summaryDue = Uptime(milliseconds: 0)

    /// - Parameter random: numbers from 0 to 1, for the jitter.
    package init(settings: CheckSettings, prober: Prober, now: Uptime, random: @escaping @Sendable () -> Double) {
        settingsCell = Mutex(settings)
        self.prober = prober
        self.random = random
        wheel = TimerWheel(slots: 0, tick: .milliseconds(50), now: now)
    }

    package var settings: CheckSettings { settingsCell.withLock { $0 } }
    package var currentSummary: CheckSummary { summaryCell.withLock { $0 } }

    // MARK: Any thread

    package func watch(_ key: InstanceKey, _ registration: Registration) {
        watch(
            key,
            Target(
                host: registration.host, port: registration.port, path: registration.healthEndpoint, transport: registration.transport,
                health: .unknown))
    }

    package func watch(_ key: InstanceKey, _ target: Target) {
        let settings = settings
        guard settings.isEnabled, Self.mayProbe(target.host, settings.networks) else { return forget(key) }
        news.withLock { $0.append(.watch(key, target)) }
        prober.wake()
    }

    /// Takes other settings; those who may no longer be asked, or may be now, are sorted out with the next registrations and probes.
    package func change(_ settings: CheckSettings) {
        settingsCell.withLock { $0 = settings }
        networksChanged.store(true, ordering: .releasing)
        prober.wake()
    }

    /// Ends a wait in `run`.
    package func wake() { prober.wake() }

    package func forget(_ key: InstanceKey) {
        news.withLock { $0.append(.forget(key)) }
    }

    /// A literal address outside the networks is never asked; a name is looked up when its turn comes.
    static func mayProbe(_ host: String, _ networks: [Network]) -> Bool {
        guard let address = IPAddress(host) else { return !networks.isEmpty }
        return networks.contains { $0.contains(address) }
    }

    // MARK: Housekeeping's thread

    /// Reads from the store whom to ask. Once, after the start, when nobody waits for it any more.
    package func loadTargets(from registry: ServiceRegistry) throws(StoreError) {
        let settings = settings
        guard settings.isEnabled else { return }
        try registry.environment.read { (transaction) throws(StoreError) in
            let all = StoreKey(.instances)
            try InstanceTable.walk(from: all, prefix: all, in: transaction, onDamage: registry.noteDamage) {
                (instance) throws(StoreError) in
                let host = String(decoding: instance.row.host, as: UTF8.self)
                guard Self.mayProbe(host, settings.networks),
                    let document = try? JSONDocument.parse([UInt8(ascii: "{")] + Array(instance.members) + [UInt8(ascii: "}")]),
                    let path = document.root["health_endpoint"]?.string
                else { return true }
                watch(
                    instance.key,
                    Target(
                        host: host, port: instance.row.port, path: path, transport: instance.row.transport, health: instance.row.health))
                return true
            }
        }
    }

    /// Starts what is due, waits for answers up to `timeout`, and hands changes to the registry.
    package func run(registry: ServiceRegistry, timeout: Duration) {
        if networksChanged.exchange(false, ordering: .acquiring) {
            prober.setNetworks(settings.networks)
            for key in slots.keys where !settings.isEnabled { end(key) }
            try? loadTargets(from: registry)
        }
        takeNews(now: registry.time.uptime())
        startDue(now: registry.time.uptime())
        var wait = timeout
        if let next = wheel.nextDue() { wait = min(wait, max(.zero, next - registry.time.uptime())) }
        for result in prober.poll(timeoutMilliseconds: Int32(clamping: wait.wholeMilliseconds)) {
            take(result, registry)
        }
        publish(now: registry.time.uptime())
    }

    private func takeNews(now: Uptime) {
        let arrived = news.withLock { news in
            let all = news
            news.removeAll(keepingCapacity: true)
            return all
        }
        for item in arrived {
            switch item {
            case .watch(let key, let target): begin(key, target, now)
            case .forget(let key): end(key)
            }
        }
        let answers = recorded.withLock { recorded in
            let all = recorded
            recorded.removeAll(keepingCapacity: true)
            return all
        }
        for answer in answers {
            guard probes[answer.slot]?.generation == answer.generation else { continue }
            probes[answer.slot]!.isRecording = false
            if answer.isRecorded { probes[answer.slot]!.recorded = answer.health }
        }
    }

    private func begin(_ key: InstanceKey, _ target: Target, _ now: Uptime) {
        nextGeneration &+= 1
        if let slot = slots[key], var watched = probes[slot] {
            let isSamePlace =
                watched.target.host == target.host && watched.target.port == target.port && watched.target.path == target.path
                && watched.target.transport == target.transport
            guard !isSamePlace else { return }
            watched.target = target
            watched.machine = CheckMachine()
            watched.recorded = .unknown
            watched.isProbing = false
            watched.isRecording = false
            watched.generation = nextGeneration
            probes[slot] = watched
            wheel.arm(slot, at: now + settings.interval * (random() * 0.3))
            return
        }
        let slot = free.popLast() ?? probes.count
        if slot == probes.count { probes.append(nil) }
        probes[slot] = Watched(
            key: key, target: target, machine: CheckMachine(health: target.health), recorded: target.health, generation: nextGeneration)
        slots[key] = slot
        // Spread over part of an interval, so that a restart with many instances is no volley.
        wheel.arm(slot, at: now + settings.interval * (random() * (slots.count > 100 ? 1 : 0.3)))
    }

    private func end(_ key: InstanceKey) {
        guard let slot = slots.removeValue(forKey: key) else { return }
        wheel.disarm(slot)
        probes[slot] = nil
        free.append(slot)
    }

    private func startDue(now: Uptime) {
        var due: [Int] = []
        wheel.advance(to: now) { due.append($0) }
        let settings = settings
        for slot in due {
            guard let watched = probes[slot] else { continue }
            let kind: ProbeRequest.Kind = watched.target.transport == .http ? .http(path: watched.target.path) : .tcp
            let isStarted = prober.start(
                ProbeRequest(
                    id: UInt64(slot) << 32 | UInt64(watched.generation), kind: kind, host: watched.target.host, port: watched.target.port,
                    timeout: settings.timeout))
            probes[slot]!.isProbing = isStarted
            // Jitter shortens only: an interval is the longest time that nobody asked.
            wheel.arm(slot, at: now + settings.interval * (0.9 + 0.1 * random()))
        }
    }

    private func take(_ result: ProbeResult, _ registry: ServiceRegistry) {
        let slot = Int(result.id >> 32)
        guard probes.indices.contains(slot), var watched = probes[slot], watched.generation == UInt32(truncatingIfNeeded: result.id) else {
            return
        }
        watched.isProbing = false
        let said: CheckMachine.Result
        switch result.outcome {
        case .passing: said = .passing
        case .warning: said = .warning
        case .failing:
            said = .failing
            summary.failuresTotal &+= 1
            summary.lastFailure = registry.time.timestamp()
        case .forbidden:
            // The name leads out of the networks: nobody may ask.
            probes[slot] = watched
            return end(watched.key)
        }
        let settings = settings
        _ = watched.machine.probed(said, thresholds: settings.thresholds)
        probes[slot] = watched
        if watched.machine.isSuspicious(thresholds: settings.thresholds) {
            // Half an interval after the failed one began, or soon after its time-out: certain in two intervals if the instance refuses, and
            // in three and a bit if it hangs, which with the defaults is below ten seconds.
            let now = registry.time.uptime()
            wheel.arm(slot, at: max(now - result.duration + settings.interval / 2, now + .milliseconds(250)))
        }
        record(slot, watched, registry)
    }

    private func record(_ slot: Int, _ watched: Watched, _ registry: ServiceRegistry) {
        let health = watched.machine.health
        guard health != watched.recorded, !watched.isRecording else { return }
        let generation = watched.generation
        let request = HealthRequest(
            watched.key, host: watched.target.host, port: watched.target.port, health: health, registry: registry
        ) { [self] isRecorded in
            recorded.withLock { $0.append((slot, generation, health, isRecorded)) }
            prober.wake()
        }
        do throws(StoreError) {
            try registry.submit(request)
            probes[slot]!.isRecording = true
        } catch {
            // The writer is full: the next probe tries again.
        }
    }

    /// Once a second: it looks at every probe.
    private func publish(now: Uptime) {
        guard now >= summaryDue else { return }
        summaryDue = now + .seconds(1)
        summary.probed = slots.count
        summary.failing = 0
        summary.recovering = 0
        for case .some(let watched) in probes where watched.machine.health == .critical {
            summary.failing += 1
            if watched.machine.isRecovering { summary.recovering += 1 }
        }
        let summary = summary
        summaryCell.withLock { $0 = summary }
    }
}

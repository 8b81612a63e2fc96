import Domain
import Glibc
import Store

@testable import Registry

/// A registry on a real store with a real writer and a real lease board, in a folder of its own; it can be stopped and started again.
final class TestRegistry {
    static let grace = Duration.seconds(15)
    static let storeID = [UInt8](repeating: 7, count: 16)

    let folder: TemporaryFolder
    let time = ManualTime()
    let statics: StaticServices
    private var boot = Identifier16(high: 1, low: 1)
    private(set) var run: Run!
    /// What `announce` was given by the last start.
    private(set) var lapsed: [Int] = []

    /// What one process would hold.
    final class Run {
        let environment: StoreEnvironment
        let journal: Journal
        let writer: StoreWriter
        let leases: LeaseKeeper
        let registry: ServiceRegistry

        init(_ owner: TestRegistry, boot: Identifier16, capacity: Int) throws(StoreError) {
            let time = owner.time
            environment = try StoreEnvironment.open(
                StoreEnvironment.Options(path: owner.folder.file("state.mdb"), budgetBytes: 64 << 20, diskFreeBytesMin: 1 << 20))
            let identity = try StoreIdentity.loadOrCreate(
                in: environment, nodeID: nil, proposedNodeID: "3f2a", now: time.now, randomBytes: { _ in TestRegistry.storeID })
            journal = try Journal.open(
                environment, nodeID: identity.nodeID, epoch: identity.epoch,
                policies: [StreamPolicy(name: "state", priority: .state), StreamPolicy(name: "audit", priority: .audit, isChained: true)])
            writer = StoreWriter(
                environment: environment, journal: journal, time: time.source, onBatchCommitted: { _ in }, onFatal: { _ in })
            let boardIdentity = BoardIdentity(boot: boot, store: Identifier16(TestRegistry.storeID)!)
            let (board, found) = try LeaseBoard.open(
                path: owner.folder.file("board"), identity: boardIdentity, capacity: capacity, now: time.uptime)
            leases = LeaseKeeper(board: board, grace: TestRegistry.grace, now: time.uptime, generation: 7)
            registry = ServiceRegistry(
                environment: environment, leases: leases, time: time.source, statics: owner.statics, defaultTenant: "default")
            registry.attach(writer: writer, checks: nil)
            let recovery = BoardRecovery.decide(board: found, copy: .none, now: time.uptime)
            owner.lapsed = try registry.load(ready: time.uptime) { slot, generation, ttl in
                let word = board.word(slot)
                return word.generation == generation ? recovery.deadline(of: word, ttl: ttl) : nil
            }
            board.publish(boardIdentity, now: time.uptime)
            writer.start()
        }

        deinit { writer.stop() }
    }

    init(
        in folder: TemporaryFolder = TemporaryFolder(), statics: [StaticInstance] = [], capacity: Int = 1_024
    ) throws(StoreError) {
        self.folder = folder
        self.statics = StaticServices(StaticServiceSet(statics))
        run = try Run(self, boot: boot, capacity: capacity)
    }

    var registry: ServiceRegistry { run.registry }

    func stop() { run = nil }

    /// Starts again, in the same boot or after another one.
    func start(afterReboot: Bool = false, capacity: Int = 1_024) throws(StoreError) {
        run = nil
        if afterReboot { boot = Identifier16(high: boot.high + 1, low: 1) }
        run = try Run(self, boot: boot, capacity: capacity)
    }

    // MARK: Asking

    func request(
        _ registration: Registration, claim: IdempotencyClaim? = nil, into box: AnswerBox<RegistrationOutcome>
    ) -> RegisterRequest {
        RegisterRequest(
            registration, registry: registry, origin: .test, claim: claim,
            render: { outcome in
                switch outcome {
                case .registered(_, let isNew): (isNew ? 201 : 200, Array("registered".utf8))
                case .renewed: (200, Array("renewed".utf8))
                default: (409, Array("refused".utf8))
                }
            }, completion: { box.set($0) })
    }

    @discardableResult
    func register(_ registration: Registration, claim: IdempotencyClaim? = nil) throws(StoreError) -> RegistrationOutcome {
        let box = AnswerBox<RegistrationOutcome>()
        try registry.submit(request(registration, claim: claim, into: box))
        return box.wait()
    }

    @discardableResult
    func deregister(_ key: InstanceKey, claim: IdempotencyClaim? = nil) throws(StoreError) -> DeregistrationOutcome {
        let box = AnswerBox<DeregistrationOutcome>()
        try registry.submit(DeregisterRequest(key, registry: registry, origin: .test, claim: claim) { box.set($0) })
        return box.wait()
    }

    /// Renews as the interface does: on the board, or by the writer if it must.
    func renew(_ service: String, id: String? = nil, tenant: String = "default") throws(StoreError) -> RenewalOutcome {
        switch registry.renew(tenant: tenant.utf8, service: service.utf8, id: id?.utf8) {
        case .done(let outcome): return outcome
        case .revive(let key):
            let box = AnswerBox<RenewalOutcome>()
            try registry.submit(ReviveRequest(key, registry: registry, origin: .test) { box.set($0) })
            return box.wait()
        }
    }

    func setHealth(_ registration: Registration, _ health: Health) throws(StoreError) {
        let box = AnswerBox<Bool>()
        try registry.submit(
            HealthRequest(
                InstanceKey(registration), host: registration.host, port: registration.port, health: health, registry: registry
            ) { box.set($0) })
        _ = box.wait()
    }

    /// Lets the writer finish what was submitted before.
    func settle() throws(StoreError) {
        let gate = Gate()
        try registry.submit(gate)
        gate.awaitWriter()
        gate.open()
        gate.awaitEnd()
    }

    func sweep(isForgiving: Bool = false) throws(StoreError) {
        registry.sweep(now: time.uptime, isForgiving: isForgiving)
        try settle()
    }

    func announce() throws(StoreError) {
        registry.announce(lapsed: lapsed, now: time.uptime)
        try settle()
    }

    /// Submits all of `requests` so that they are one batch; with `isRepeated` the batch is performed twice.
    func batch(_ requests: [any WriteRequest], isRepeated: Bool = false) throws(StoreError) {
        let gate = Gate()
        try registry.submit(gate)
        gate.awaitWriter()
        for request in requests { try registry.submit(request) }
        if isRepeated { try registry.submit(FailingRequest()) }
        gate.open()
        gate.awaitEnd()
        try settle()
    }
}

extension Origin {
    static let test = Origin(principal: "uid:1000", role: "service", place: "unix", requestID: "r-1", traceparent: nil)
}

extension Registration {
    static func test(
        _ service: String, id: String? = nil, host: String = "127.0.0.1", port: UInt16 = 9_000, ttl: Int = 60, tenant: String = "default",
        metadata: [(key: String, value: String)] = []
    ) -> Registration {
        Registration(
            tenant: tenant, serviceName: service, id: id ?? "\(service)-1", host: host, port: port, healthEndpoint: "/health",
            ttlSeconds: ttl, metadata: metadata)
    }
}

// MARK: Reading answers

/// An instance as a list or a look-up shows it.
struct ShownInstance: Equatable, CustomStringConvertible {
    var service: String
    var id: String
    var host: String
    var port: Int64
    var freshness: String
    var health: String
    var age: Int64
    var source: String

    init(_ value: JSONValue) {
        service = value["service_name"]?.string ?? "?"
        id = value["id"]?.string ?? "?"
        host = value["host"]?.string ?? "?"
        port = value["port"]?.int64 ?? -1
        freshness = value["freshness"]?.string ?? "?"
        health = value["health"]?.string ?? "?"
        age = value["age_seconds"]?.int64 ?? -1
        source = value["source"]?.string ?? "?"
    }

    var description: String { "\(service)/\(id)@\(host):\(port) \(freshness) \(health) \(age) \(source)" }
}

extension TestRegistry {
    func page(_ query: ListQuery) throws -> (shown: [ShownInstance], next: ListCursor?) {
        let document = try JSONDocument.parse(try registry.list(query).body)
        let next = document.root["next"]?.string
        return (document.root["services"]!.elements.map(ShownInstance.init), next.map { ListCursor(text: $0)! })
    }

    /// Every page of the list.
    func list(_ query: ListQuery = ListQuery(tenant: "default"), limit: Int = 1_000) throws -> [ShownInstance] {
        var query = query
        query.limit = limit
        var all: [ShownInstance] = []
        while true {
            let (shown, next) = try page(query)
            all += shown
            guard let next else { return all }
            query.after = next
        }
    }

    func look(_ service: String, tenant: String = "default") throws -> [ShownInstance] {
        guard let found = try registry.lookup(tenant: tenant, service: service) else { return [] }
        return try JSONDocument.parse(found.body).root["instances"]!.elements.map(ShownInstance.init)
    }

    /// `kind service/id` of every change after `since`.
    func changes(since: UInt64?, limit: Int = 1_000) throws -> (lines: [String], revision: UInt64) {
        guard case .page(let page) = try registry.changes(since: since, limit: limit, form: .json) else { return (["not a page"], 0) }
        let lines = try JSONDocument.parse(page.body).root["changes"]!.elements.map {
            "\($0["kind"]!.string!) \($0["service_name"]!.string!)/\($0["id"]!.string!)"
        }
        return (lines, page.revision)
    }
}

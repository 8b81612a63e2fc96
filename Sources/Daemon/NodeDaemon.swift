import API
import CPlatform
import Console
import Crypto
import Domain
import Glibc
import HTTPClient
import HTTPServer
import Registry
import ServiceManager
import Store
import Synchronization
import Uplink

/// The composition of a node, and its life: the only place where rooms meet.
///
///     lock ─▶ check and open the store ─▶ adopt leases ─▶ listen ─▶ ready ─▶ … signals … ─▶ drain ─▶ last commit ─▶ end
package final class NodeDaemon {
    private let configuration: Configuration
    private let sources: ConfigurationSources
    private let log: Log
    private let trustedTime = TrustedTime()
    private let time: TimeSource
    private let notifier = ServiceNotifier()

    private init(configuration: Configuration, sources: ConfigurationSources) {
        self.configuration = configuration
        self.sources = sources
        time = trustedTime.source
        log = Log(level: configuration.log.level.logLevel, sink: configuration.log.makeSink(), time: time)
    }

    /// Runs until SIGTERM or SIGINT. In main, before any thread was started.
    ///
    /// - Throws: `DaemonFailure` if the node cannot begin; nothing was changed then that a later start would not find as it was.
    package static func run(_ configuration: Configuration, sources: ConfigurationSources) throws(DaemonFailure) {
        umask(0o077)
        let signals = SignalWaiter()
        CurlLibrary.initialize()
        try NodeDaemon(configuration: configuration, sources: sources).run(signals)
    }

    private func run(_ signals: SignalWaiter) throws(DaemonFailure) {
        let activated = ActivatedSocket.takeAll()
        let folder = try StateDirectory.open(sources.stateFolder)
        let tls = try TLSHouse.open(configuration, time: time, log: log)
        let house = try StoreHouse.open(configuration, folder: folder, time: time, log: log)
        let leases = try LeaseHouse.open(
            storeID: house.identity.storeID, folder: folder, grace: configuration.registry.grace, time: time, log: log)
        let floor = TimeFloor(saved: leases.savedTime, uptime: time.uptime())
        trustedTime.raise(to: floor)
        let statics = readStatics()
        let registry = ServiceRegistry(
            environment: house.state, leases: leases.keeper, time: time, statics: StaticServices(statics),
            defaultTenant: configuration.node.tenant)
        let readings = NodeReadingsCell(standing: StartAlerts.alerts(house.openings, recovery: leases.recovery, folder: folder.path))
        if let tls { readings.show(tls, now: time.timestamp()) }
        let backups = BackupMaker(
            environment: house.state, bulk: house.bulk, identity: house.identity, journal: house.stateJournal, time: time,
            folder: folder.storeFolder)
        let api = APIServer(
            registry: registry, time: time, facts: facts(house), access: accessPolicy(configuration),
            streams: StreamReader(journals: [house.stateJournal, house.bulkJournal]), log: log, readings: { readings.current },
            makeBackup: { backups.stream($0) })
        let slot = SinkSlot()
        let intake = EventIntake(eventStreams(house))
        api.attach(intake: intake)
        let fatal: @Sendable (StoreError) -> Void = { [log] error in
            // Nothing after the last good commit was acknowledged; whoever waits learns it from the closed connection.
            log.error("store", "disk_failed", ["error": .describing(error)])
            _exit(75)
        }
        let stateWriter = StoreWriter(
            environment: house.state, journal: house.stateJournal, time: time,
            onBatchCommitted: { _ in
                api.batchCommitted()
                slot.committed()
            }, onFatal: fatal)
        let bulkWriter = StoreWriter(
            environment: house.bulk, journal: house.bulkJournal, time: time, pace: Limits.bulkPace,
            onBatchCommitted: { _ in
                api.bulkBatchCommitted()
                slot.committed()
            }, onFatal: fatal)
        intake.attach(state: stateWriter, bulk: bulkWriter)
        let sink = try UplinkHouse(configuration: configuration, house: house, time: time, log: log)
            .make(state: stateWriter, bulk: bulkWriter)
        if let sink {
            slot.current = sink
            api.attach(sink: sink)
        }
        let checks = CheckKeeper(
            settings: checkSettings(configuration), prober: Prober(networks: configuration.checks.networks), now: time.uptime(),
            random: { Double.random(in: 0...1) })
        registry.attach(writer: stateWriter, checks: checks)
        let lapsed: [Int]
        do throws(StoreError) {
            lapsed = try leases.adopt(into: registry, time: time)
        } catch {
            throw DaemonFailure(error, folder.storeFolder)
        }
        let console = ConsoleServer(
            registry: registry,
            sources: ConsoleFeed.sources(
                api, isDevelopment: configuration.isDevelopment,
                uplink: { [time] in sink.map { .sinks([SinkPicture($0.report, now: time.timestamp())]) } ?? .absent }),
            assets: Assets(folder: sources.assetsFolder))
        let server = try listen(FrontDoor(api, console), activated, tls)
        api.attach(server)
        let housekeeping = Housekeeping(
            house: house, configuration: configuration, sink: slot, leases: leases, lapsed: lapsed, registry: registry, checks: checks,
            stateWriter: stateWriter,
            bulkWriter: bulkWriter,
            server: server, api: api, backups: backups, readings: readings, time: time, floor: floor,
            trustedTime: trustedTime, log: log)
        housekeeping.tls = tls
        stateWriter.start()
        bulkWriter.start()
        console.start()
        server.start()
        sink?.start()
        housekeeping.start()
        announce(server, registry)
        serve(signals, registry, api, checks) { [time, log] in tls?.exchange($0, door: server, now: time.timestamp(), log: log) }
        notifier.stopping(status: "draining")
        log.info("daemon", "stopping")
        api.closeStreams()
        server.drain(deadline: HTTPDoor.uptimeNanoseconds() + UInt64(Limits.drainMax.wholeMilliseconds) * 1_000_000)
        console.stop()
        housekeeping.stop()
        sink?.stop()
        slot.current = nil
        stateWriter.stop()
        bulkWriter.stop()
        log.info("daemon", "stopped")
    }

    // MARK: Beginning

    private func facts(_ house: StoreHouse) -> NodeFacts {
        NodeFacts(
            id: house.identity.nodeID, site: configuration.node.site, tenant: configuration.node.tenant,
            labels: configuration.node.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, version: PostoVersion.text,
            epoch: house.identity.epoch, startedAt: time.timestamp(), started: time.uptime(),
            heartbeatSeconds: Int(configuration.registry.heartbeat.components.seconds),
            graceSeconds: Int(configuration.registry.grace.components.seconds),
            ttlSeconds: Int(configuration.registry.ttl.components.seconds))
    }

    /// The streams that services may write to.
    private func eventStreams(_ house: StoreHouse) -> [EventIntake.Stream] {
        configuration.streams.map { stream in
            let priority = RecordPriority(rawValue: UInt8(stream.priority))!
            let isBulk = priority >= StoreHouse.bulkPriority
            let journal = isBulk ? house.bulkJournal : house.stateJournal
            return EventIntake.Stream(
                name: stream.name, id: journal.stream(stream.name)!, priority: priority, journal: journal, isBulk: isBulk)
        }
    }

    private func accessPolicy(_ configuration: Configuration) -> AccessPolicy {
        AccessPolicy(
            loopback: AccessPolicy.Loopback(rawValue: configuration.access.loopback.rawValue)!, isDevelopment: configuration.isDevelopment,
            ownUserID: geteuid(), administratorGroupID: getgrnam("posto-admin")?.pointee.gr_gid)
    }

    private func checkSettings(_ configuration: Configuration) -> CheckSettings {
        let checks = configuration.checks
        return CheckSettings(
            isEnabled: checks.enabled, interval: checks.interval, timeout: checks.timeout,
            thresholds: CheckMachine.Thresholds(failures: checks.failures, successes: checks.successes), networks: checks.networks)
    }

    private func readStatics() -> StaticServiceSet {
        let (instances, faults) = StaticFolder.read(
            configuration.registry.staticFolder,
            defaults: RegistrationReader.Defaults(
                tenant: configuration.node.tenant, ttlSeconds: Int(configuration.registry.ttl.components.seconds)),
            now: time.timestamp())
        for fault in faults { log.warning("registry", "static_refused", ["fault": .describing(fault)]) }
        return StaticServiceSet(instances)
    }

    private func listen(
        _ handler: any HTTPHandler, _ activated: [ActivatedSocket], _ tls: TLSHouse?
    ) throws(DaemonFailure) -> HTTPDoor {
        let listeners = try Listeners.choose(configuration.listen, activated: activated, address: { HTTPAddress(ofDescriptor: $0) })
        for case .unix(let path, _) in listeners { makeFolder(of: path) }
        var name = [CChar](repeating: 0, count: 256)
        var own: Set<String> = []
        if gethostname(&name, name.count - 1) == 0 {
            own.insert(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased())
        }
        var door = HTTPServerConfiguration(listeners: listeners, ownHosts: own)
        door.identity = tls?.identity
        door.noticedGroup = accessPolicy(configuration).administratorGroupID
        door.log = { [log] line in log.debug("http", "door", ["message": .text(line)]) }
        do throws(HTTPServerError) {
            return try HTTPDoor(configuration: door, handler: handler)
        } catch {
            throw DaemonFailure(
                code: 74, message: "cannot listen: \(error)",
                hint: "another program may use the address; choose another with --listen or --socket")
        }
    }

    /// Outside of systemd nobody has made /run/posto. If this fails, the bind says why.
    private func makeFolder(of socket: String) {
        guard let slash = socket.lastIndex(of: "/"), slash != socket.startIndex else { return }
        let folder = String(socket[..<slash])
        // Every local user may reach the socket, whatever our umask.
        if mkdir(folder, 0o755) == 0 { chmod(folder, 0o755) }
    }

    private func announce(_ server: HTTPDoor, _ registry: ServiceRegistry) {
        var http: [String] = []
        var tls: [String] = []
        var socket: String?
        for address in server.bound {
            switch address {
            case .tcp(let host, let port): http.append(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
            case .tls(let host, let port):
                http.append(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
                tls.append(http.last!)
            case .unix(let path): socket = path
            }
        }
        var line = "posto ready"
        if !http.isEmpty { line += " http=" + http.joined(separator: ",") }
        if !tls.isEmpty { line += " tls=" + tls.joined(separator: ",") }
        if let socket { line += " socket=\(socket)" }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        notifier.ready(status: status(registry))
        log.info(
            "daemon", "ready",
            [
                "http": .text(http.joined(separator: ",")), "tls": .text(tls.joined(separator: ",")), "socket": .text(socket ?? ""),
                "version": .text(PostoVersion.text),
                "instances": .integer(registry.activeInstances), "revision": .integer(registry.revision),
            ])
        if configuration.isDevelopment {
            log.warning("daemon", "development_mode", ["meaning": "every caller of this host is an administrator"])
        }
    }

    private func status(_ registry: ServiceRegistry) -> String {
        "\(registry.activeServices) services, \(registry.activeInstances) instances, revision \(registry.revision)"
    }

    // MARK: Living

    private func serve(
        _ signals: SignalWaiter, _ registry: ServiceRegistry, _ api: APIServer, _ checks: CheckKeeper,
        exchangeCertificate: (Configuration) -> Void
    ) {
        var current = configuration
        while true {
            switch signals.wait(timeoutMilliseconds: 30_000) {
            case .terminate: return
            case .reload:
                reload(&current, registry, api, checks)
                // Whatever became of the configuration: the files of the running one may have been renewed.
                exchangeCertificate(current)
            case nil: notifier.status(status(registry))
            }
        }
    }

    /// SIGHUP: takes what can be taken while running, says what cannot, and changes nothing if the new configuration is wrong.
    private func reload(_ current: inout Configuration, _ registry: ServiceRegistry, _ api: APIServer, _ checks: CheckKeeper) {
        notifier.reloading()
        defer { notifier.ready(status: status(registry)) }
        let reload: ConfigurationReload
        do throws(ConfigurationError) {
            reload = try current.reload(from: sources)
        } catch {
            for problem in error.problems { log.error("configuration", "refused", ["problem": .describing(problem)]) }
            return
        }
        current = reload.configuration
        log.setLevel(current.log.level.logLevel)
        api.setAccess(accessPolicy(current))
        checks.change(checkSettings(current))
        registry.statics.replace(readStatics())
        registry.invalidateAll()
        for change in reload.changed {
            log.info(
                "configuration", "changed", ["name": .text(change.name), "before": .text(change.before), "after": .text(change.after)])
        }
        for change in reload.needsRestart {
            log.warning(
                "configuration", "needs_restart",
                ["name": .text(change.name), "before": .text(change.before), "after": .text(change.after)])
        }
        log.info("configuration", "reloaded")
    }
}

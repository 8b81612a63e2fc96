import API
import CPlatform
import Domain
import Glibc
import HTTPServer
import Registry
import ServiceManager
import Store
import Synchronization

/// What is done by the clock: leases that fall due, probes, copies of the board, retention, figures for health, the watchdog.
///
/// One thread. Nothing here is on the way of a request; a step that is late makes figures old, never answers wrong.
// SAFETY: everything that is not a `let` of a Sendable type belongs to the thread that `start` makes.
package final class Housekeeping: @unchecked Sendable {
    let house: StoreHouse
    let registry: ServiceRegistry
    let checks: CheckKeeper
    let stateWriter: StoreWriter
    let bulkWriter: StoreWriter
    let server: HTTPDoor
    let api: APIServer
    let backups: BackupMaker
    let readings: NodeReadingsCell
    let time: TimeSource
    let log: Log
    /// Nil without a certificate. Set before `start`.
    var tls: TLSHouse?
    private let notifier = ServiceNotifier()
    private let watchdog = ServiceNotifier.watchdogInterval()
    private let isStopping = Atomic<Bool>(false)
    private let started: Uptime
    private var thread = pthread_t()

    private var leases: LeaseHouse
    private var boardKeeper = LeaseBoardKeeper()
    private var clock: ClockWatch
    private var floor: TimeFloor
    private let trustedTime: TrustedTime
    private var isClockTrusted = false
    /// For each writer what it has to delete from: its streams, and the answers that idempotency keys repeat.
    private let slices: [SliceKeeper]
    var sampler: SystemSampler
    private var schedule = Schedule()
    private var lastTurn: Uptime
    private var watchdogFed: Uptime
    private var lastGoodRevision: UInt64 = 0
    /// Leases that lapsed while the daemon was away, announced with the first turn.
    private var lapsed: [Int]

    /// Longest time that a turn may be late before what lapsed meanwhile is forgiven: the host was suspended, or we were stopped.
    static let stallMin = Duration.seconds(5)

    init(
        house: StoreHouse, configuration: Configuration, sink: SinkSlot, leases: consuming LeaseHouse, lapsed: [Int],
        registry: ServiceRegistry, checks: CheckKeeper,
        stateWriter: StoreWriter, bulkWriter: StoreWriter, server: HTTPDoor, api: APIServer, backups: BackupMaker,
        readings: NodeReadingsCell, time: TimeSource, floor: TimeFloor, trustedTime: TrustedTime, log: Log
    ) {
        self.house = house
        self.leases = leases
        self.lapsed = lapsed
        self.registry = registry
        self.checks = checks
        self.stateWriter = stateWriter
        self.bulkWriter = bulkWriter
        self.server = server
        self.api = api
        self.backups = backups
        self.readings = readings
        self.time = time
        self.floor = floor
        self.trustedTime = trustedTime
        self.log = log
        slices = [(house.stateJournal, stateWriter), (house.bulkJournal, bulkWriter)].map { journal, writer in
            var sources: [any SliceSource] = journal.streamNames.map { name, stream in
                if configuration.uplink.url.isEmpty { return StreamSliceSource(stream: stream, environment: journal.environment) }
                return SentStreamSliceSource(
                    name: name, stream: stream, environment: journal.environment, rule: configuration.sentStreamRule(name), sink: sink)
            }
            sources.append(IdempotencySliceSource(environment: journal.environment))
            return SliceKeeper(writer: writer, sources: sources, wake: { checks.wake() })
        }
        let now = time.uptime()
        clock = ClockWatch(wall: SystemTime.wall(), uptime: now, floor: floor)
        sampler = SystemSampler(now: now)
        lastTurn = now
        watchdogFed = now
        started = now
    }

    package func start() {
        // SAFETY: the thread takes over the reference that is retained here.
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                posto_name_thread("posto-keeper")
                Unmanaged<Housekeeping>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(code == 0, "no thread for housekeeping")
    }

    /// Ends the thread; the board is copied a last time.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        checks.wake()
        pthread_join(thread, nil)
    }

    private func run() {
        registry.announce(lapsed: lapsed, now: time.uptime())
        lapsed = []
        do throws(StoreError) {
            try checks.loadTargets(from: registry)
        } catch {
            log.error("checks", "targets_unreadable", ["error": .describing(error)])
        }
        readClock(time.uptime())
        // Both files get their blocks now, so that a disk that fills up later takes no copy away.
        for _ in 0..<2 { copyBoard(now: time.uptime(), isForced: true) }
        while !isStopping.load(ordering: .acquiring) { turn() }
        readClock(time.uptime())
        copyBoard(now: time.uptime(), isForced: true)
    }

    private func turn() {
        let now = time.uptime()
        sweepLeases(now)
        lastTurn = now
        feedWatchdog(now)
        for duty in schedule.take(now: now, started: started) { perform(duty, now) }
        for keeper in slices { keeper.heed(now) }
        deleteSlices(now)
        var wait = Duration.milliseconds(500)
        if let next = registry.leases.nextDue() { wait = min(wait, max(.milliseconds(10), next - now)) }
        if slices.contains(where: \.isWaiting) { wait = min(wait, .milliseconds(5)) }
        if slices.contains(where: \.isCalled) { wait = min(wait, SliceKeeper.heedPause) }
        checks.run(registry: registry, timeout: wait)
    }

    private func sweepLeases(_ now: Uptime) {
        let pause = now - lastTurn
        let httpPause = Duration.nanoseconds(
            Int64(clamping: HTTPDoor.uptimeNanoseconds() &- min(server.lastAliveNanoseconds, HTTPDoor.uptimeNanoseconds())))
        let isForgiving = pause > Self.stallMin || httpPause > Self.stallMin
        if isForgiving {
            log.warning("leases", "stalled", ["pause_ms": LogValue.integer(Int(max(pause, httpPause).wholeMilliseconds))])
        }
        registry.sweep(now: now, isForgiving: isForgiving)
    }

    /// Only while writer, HTTP and this thread live: a daemon that hangs is started anew.
    private func feedWatchdog(_ now: Uptime) {
        guard let watchdog, now - watchdogFed >= watchdog / 3 else { return }
        let nanoseconds = HTTPDoor.uptimeNanoseconds()
        let limit = UInt64(watchdog.wholeMilliseconds) * 1_000_000 / 2
        let isHTTPAlive = nanoseconds &- server.lastAliveNanoseconds < limit || server.lastAliveNanoseconds > nanoseconds
        let isWriterAlive = [stateWriter, bulkWriter].allSatisfy { writer in
            writer.busySinceNanoseconds.map { $0 > nanoseconds || nanoseconds - $0 < limit } ?? true
        }
        guard isHTTPAlive, isWriterAlive else {
            return log.error("watchdog", "not_fed", ["http": .flag(isHTTPAlive), "writer": .flag(isWriterAlive)])
        }
        watchdogFed = now
        notifier.feedWatchdog()
    }

    private func perform(_ duty: Schedule.Duty, _ now: Uptime) {
        switch duty {
        case .copyBoard: copyBoard(now: now, isForced: false)
        case .readFigures: readFigures(now)
        case .sampleSystem: sampleSystem(now)
        case .beatStreams: api.beatStreams()
        case .tellSuppressed: log.tellSuppressed()
        case .retain: retain(now)
        case .checkReaders: checkReaders()
        case .checkpoint: try? stateWriter.submit(CheckpointRequest())
        case .keepLastGood: keepLastGood()
        }
    }

    // MARK: Duties

    private func copyBoard(now: Uptime, isForced: Bool) {
        let board = registry.leases.board
        let changes = board.changes
        let slots = registry.leases.usedSlots
        let bytes = BoardCopy.bytes(slots: slots)
        guard isForced || boardKeeper.shouldWrite(now: now, changes: changes, copyBytes: bytes) else { return }
        do throws(StoreError) {
            let written = try leases.copies.write(board, slots: slots, now: now, timeFloor: floor.time)
            boardKeeper.wrote(now: now, changes: changes)
            readings.update { readings in
                readings.boardBytes &+= UInt64(written)
                readings.boardFailure = nil
            }
        } catch {
            boardKeeper.failed(now: now)
            log.error("leases", "copy_failed", ["error": .describing(error)])
            readings.update { $0.boardFailure = "\(error)" }
        }
    }

    private func retain(_ now: Uptime) {
        readClock(now)
        let quality: TimeQuality = !isClockTrusted ? .unknown : posto_clock_is_synchronized() == 1 ? .synced : .free
        for journal in [house.stateJournal, house.bulkJournal] { journal.timeQuality = quality }
        for keeper in slices { keeper.wantAll() }
    }

    /// Before anything is deleted by age: what the clock says now may not be what it said a moment ago.
    private func readClock(_ now: Uptime) {
        let wall = SystemTime.wall()
        if let step = clock.read(wall: wall, uptime: now) {
            log.warning("clock", "stepped", ["milliseconds": .integer(step.wholeMilliseconds)])
        }
        isClockTrusted = clock.isTrusted(wall: wall, uptime: now, floor: floor)
        floor.read(wall: wall, uptime: now, isSynchronized: posto_clock_is_synchronized() == 1, isSteady: clock.isSteady(uptime: now))
        trustedTime.raise(to: floor)
        let behind = floor.accepts(wall) ? nil : floor.time.milliseconds - wall.milliseconds
        readings.update { $0.clockBehindMilliseconds = behind }
    }

    private func deleteSlices(_ now: Uptime) {
        if slices.contains(where: \.isWaiting) { readClock(now) }
        for keeper in slices {
            if let error = keeper.turn(now: time.timestamp(), isClockTrusted: isClockTrusted) {
                log.warning("journal", "retention_failed", ["error": .describing(error)])
            }
        }
    }

    private func checkReaders() {
        for environment in [house.state, house.bulk] {
            let stale = environment.checkReaders()
            if stale > 0 { log.warning("store", "stale_readers_cleared", ["count": .integer(stale)]) }
            environment.maintainReserve()
        }
    }

    /// Small stores only: a copy of a large one would wear the disk more than it helps, and its salvage works too.
    private func keepLastGood() {
        guard registry.revision != lastGoodRevision, let usage = try? house.state.usage(),
            usage.usedPages * StoreEnvironment.pageBytes <= Limits.lastGoodCopyBytesMax
        else { return }
        let revision = registry.revision
        backups.keepLastGood { [log] result in
            switch result {
            case .success(let summary): log.info("store", "last_good_copy_kept", ["bytes": .integer(summary.bytes)])
            case .failure(let error): log.warning("store", "last_good_copy_failed", ["error": .describing(error)])
            }
        }
        lastGoodRevision = revision
    }
}

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
// SAFETY: everything but `readings`, `lastAlive` and `isStopping` belongs to the thread that `start` makes.
package final class Housekeeping: @unchecked Sendable {
    private let house: StoreHouse
    private let registry: ServiceRegistry
    private let checks: CheckKeeper
    private let stateWriter: StoreWriter
    private let bulkWriter: StoreWriter
    private let server: HTTPServer
    private let api: APIServer
    private let backups: BackupMaker
    private let time: TimeSource
    private let log: Log
    private let notifier = ServiceNotifier()
    private let board: Mutex<NodeReadings>
    private let isStopping = Atomic<Bool>(false)
    private var thread = pthread_t()

    private var leases: LeaseHouse
    private var boardKeeper = LeaseBoardKeeper()
    private var clock: ClockWatch
    private var sampler: SystemSampler
    private var cpuAverage = 0.0
    private var schedule = Schedule()
    private var lastRun: Uptime
    private var copyFailedSince: Uptime?
    private var lastGoodRevision: UInt64 = 0
    private var standingAlerts: [HealthReport.Alert]
    private let watchdog: Duration?
    private let started: Uptime

    package init(
        house: StoreHouse, leases: consuming LeaseHouse, registry: ServiceRegistry, checks: CheckKeeper, stateWriter: StoreWriter,
        bulkWriter: StoreWriter, server: HTTPServer, api: APIServer, backups: BackupMaker, time: TimeSource, log: Log,
        standingAlerts: [HealthReport.Alert], readings: consuming Mutex<NodeReadings>
    ) {
        self.house = house
        self.leases = leases
        self.registry = registry
        self.checks = checks
        self.stateWriter = stateWriter
        self.bulkWriter = bulkWriter
        self.server = server
        self.api = api
        self.backups = backups
        self.time = time
        self.log = log
        self.standingAlerts = standingAlerts
        board = readings
        let now = time.uptime()
        clock = ClockWatch(wall: SystemTime.wall(), uptime: now)
        sampler = SystemSampler(now: now)
        lastRun = now
        started = now
        watchdog = ServiceNotifier.watchdogInterval()
    }
}

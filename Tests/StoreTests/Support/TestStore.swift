import Domain
import Glibc
import Store
import Synchronization
// The other files of these tests see it through this one.
@_exported import TestSupport

/// A disk whose free space the test sets.
final class ManualDisk: Sendable {
    let free = Atomic<Int>(1 << 40)
    let preallocation = Atomic<Int32>(0)

    var disk: StoreDisk {
        StoreDisk(
            freeBytes: { _ in self.free.load(ordering: .relaxed) },
            preallocate: { _, _ in self.preallocation.load(ordering: .relaxed) })
    }
}

/// A table of the tests' own.
extension Table {
    static let things = Table(id: 90, name: "things")
}

/// An environment with a journal and a running writer.
final class TestStore {
    static let policies = [
        StreamPolicy(name: "audit", priority: .audit, isChained: true), StreamPolicy(name: "state", priority: .state),
    ]

    let folder: TemporaryFolder
    let time = ManualTime()
    let environment: StoreEnvironment
    let journal: Journal
    let writer: StoreWriter
    /// What the writer told of commits and of its end.
    let reports: WriterReports

    var audit: StreamID { journal.stream("audit")! }
    var state: StreamID { journal.stream("state")! }

    init(
        in folder: TemporaryFolder = TemporaryFolder(), path: String? = nil, budgetBytes: Int = 64 << 20, mapBytes: Int? = nil,
        preallocate: Bool = false, ballastBytes: Int? = nil, disk: StoreDisk = .system, diskFreeBytesMin: Int = 1 << 20,
        policies: [StreamPolicy] = TestStore.policies,
        starts: Bool = true
    ) throws(StoreError) {
        self.folder = folder
        environment = try Self.open(
            StoreEnvironment.Options(
                path: path ?? folder.file("state.mdb"), budgetBytes: budgetBytes, mapBytes: mapBytes, tables: Table.all + [.things],
                preallocate: preallocate, ballastBytes: ballastBytes, disk: disk, diskFreeBytesMin: diskFreeBytesMin))
        let identity = try StoreIdentity.loadOrCreate(
            in: environment, nodeID: nil, proposedNodeID: "3f2a", now: time.now, randomBytes: { [UInt8](repeating: 7, count: $0) })
        journal = try Journal.open(environment, nodeID: identity.nodeID, epoch: identity.epoch, policies: policies)
        let reports = WriterReports()
        self.reports = reports
        writer = StoreWriter(
            environment: environment, journal: journal, time: time.source, onBatchCommitted: { reports.add($0) },
            onFatal: { reports.end($0) })
        if starts { writer.start() }
    }

    /// Other tests of this process fork, and a child holds every lock that we had until it ends: a store that we closed is locked as long.
    private static func open(_ options: StoreEnvironment.Options) throws(StoreError) -> StoreEnvironment {
        let deadline = SystemClock.nanoseconds() + 60_000_000_000
        while true {
            do throws(StoreError) {
                return try StoreEnvironment.open(options)
            } catch {
                guard error.code == .locked, SystemClock.nanoseconds() < deadline else { throw error }
                // Nobody tells when the child ends.
                poll(nil, 0, 5)
            }
        }
    }

    private enum SystemClock {
        static func nanoseconds() -> UInt64 {
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        }
    }

    /// Submits and waits for the answer.
    @discardableResult
    func run(_ request: TestRequest) throws(StoreError) -> TestRequest.Answer {
        try writer.submit(request)
        return request.wait()
    }

    deinit { writer.stop() }
}

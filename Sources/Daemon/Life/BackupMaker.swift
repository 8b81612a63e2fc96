import Domain
import Glibc
import Store
import Synchronization

/// Takes backups of the running node, each on a thread of its own, one at a time.
package final class BackupMaker: Sendable {
    private let environment: StoreEnvironment
    private let bulk: StoreEnvironment
    private let identity: StoreIdentity
    private let journal: Journal
    private let time: TimeSource
    private let folder: String
    private let isBusy = Mutex(false)

    package init(
        environment: StoreEnvironment, bulk: StoreEnvironment, identity: StoreIdentity, journal: Journal, time: TimeSource, folder: String
    ) {
        self.environment = environment
        self.bulk = bulk
        self.identity = identity
        self.journal = journal
        self.time = time
        self.folder = folder
    }

    /// Takes a backup into a file without a name and hands over its descriptor: it is gone when that is closed.
    package func stream(_ done: @escaping @Sendable (Result<(descriptor: Int32, size: UInt64), StoreError>) -> Void) {
        start(done) { [self] () throws(StoreError) in
            let path = folder + "/download.backup"
            try requireRoom()
            let summary = try Backup.write(environment, bulk: bulk, header: header(holdsBulk: true), to: path)
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            unlink(path)
            guard descriptor >= 0 else { throw StoreError(.system, "open the backup", number: errno) }
            return (descriptor, UInt64(summary.bytes))
        }
    }

    /// Takes the copy from which a start begins when nothing else is left.
    package func keepLastGood(_ done: @escaping @Sendable (Result<BackupSummary, StoreError>) -> Void) {
        start(done) { [self] () throws(StoreError) in
            try Backup.write(environment, header: header(holdsBulk: false), to: folder + "/state.mdb.last-good.backup")
        }
    }

    /// A download lies beside the store until it is sent: it must not be what fills the disk.
    private func requireRoom() throws(StoreError) {
        let pages = try environment.usage().usedPages + bulk.usage().usedPages
        guard let free = environment.diskFreeBytes else { return }
        guard free > pages * StoreEnvironment.pageBytes + 2 * Limits.diskFreeBytesMin else {
            throw StoreError(.full, "keep a backup beside the store until it is sent; `posto backup --state` writes it elsewhere at once")
        }
    }

    private func header(holdsBulk: Bool) -> BackupHeader {
        BackupHeader(
            storeID: Identifier16(identity.storeID)!, nodeID: identity.nodeID, epoch: identity.epoch, created: time.timestamp(),
            revision: journal.position(StreamID(0)).last, holdsBulk: holdsBulk)
    }

    private final class Job: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private func start<R: Sendable>(
        _ done: @escaping @Sendable (Result<R, StoreError>) -> Void, _ body: @escaping @Sendable () throws(StoreError) -> R
    ) {
        let isFree = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else { return done(.failure(StoreError(.busy, "take two backups at once"))) }
        let job = Job { [self] in
            let result: Result<R, StoreError>
            do throws(StoreError) { result = .success(try body()) } catch { result = .failure(error) }
            isBusy.withLock { $0 = false }
            done(result)
        }
        var thread = pthread_t()
        // SAFETY: the thread takes over the reference that is retained here.
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(job).toOpaque())
        precondition(code == 0, "no thread for a backup")
        pthread_detach(thread)
    }
}

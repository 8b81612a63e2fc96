import CPlatform
import Domain
import Glibc
import Synchronization

/// What a commit brought, told after every `committed()` of it.
package struct BatchSummary: Equatable, Sendable {
    package let requests: Int
    /// The number of LMDB's commit.
    package let transactionNumber: UInt64
    package let commitNanoseconds: UInt64
}

/// The thread that owns every write of an environment and commits in groups.
///
/// Natural batching, no linger: what queued during the last fsync is the next batch. A request that fails disturbs no neighbour.
/// When the disk fails for good it calls `onFatal`, refuses everything and ends; nothing after the last good commit was acknowledged.
// SAFETY: `thread` and `isStarted` are touched by `start` and `stop` only, which the owner calls in that order; everything else is
// Sendable or used by the writer's thread alone (`batch`).
package final class StoreWriter: @unchecked Sendable {
    package let environment: StoreEnvironment
    package let journal: Journal
    package let figures = WriterFigures()
    /// Raised when there is something to delete.
    package let retention = RetentionSignal()
    private let time: TimeSource
    private let pace: Duration?
    private let queue = WriterQueue()
    private let space: SpaceGuard
    private let onBatchCommitted: @Sendable (BatchSummary) -> Void
    private let onFatal: @Sendable (StoreError) -> Void
    private var thread = pthread_t()
    private var isStarted = false

    /// - Parameter pace: pause between two rounds of commits (`Limits.bulkPace`), each of all that queued meanwhile; nil: as fast as the disk.
    package init(
        environment: StoreEnvironment, journal: Journal, time: TimeSource, pace: Duration? = nil,
        onBatchCommitted: @escaping @Sendable (BatchSummary) -> Void, onFatal: @escaping @Sendable (StoreError) -> Void
    ) {
        self.environment = environment
        self.journal = journal
        self.time = time
        self.pace = pace
        self.onBatchCommitted = onBatchCommitted
        self.onFatal = onFatal
        space = SpaceGuard(environment)
    }

    /// Hands a request over. Any thread.
    ///
    /// - Throws: `.busy` when `Limits.writerQueueMax` requests wait, `.closed` after `stop` or a failed disk; the request was not taken.
    package func submit(_ request: any WriteRequest) throws(StoreError) { try queue.put(request) }

    /// Requests that wait.
    package var queued: Int { queue.count }
    /// CLOCK_BOOTTIME when it last began something; nil while it has nothing to do. For the watchdog.
    package var busySinceNanoseconds: UInt64? {
        figures.isIdle.load(ordering: .relaxed) ? nil : figures.lastAliveNanoseconds.load(ordering: .relaxed)
    }
    /// Only audit and deletions are accepted at present.
    package var isDiskFull: Bool { space.isDiskFull }

    package func start() {
        precondition(!isStarted, "a writer starts once")
        isStarted = true
        // SAFETY: the thread takes over the reference that is retained here.
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                posto_name_thread("posto-writer")
                // SAFETY: balances passRetained in `start`; the thread is the only one that takes it.
                Unmanaged<StoreWriter>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(code == 0, "no thread for the writer")
    }

    /// Takes no more requests, finishes those that wait, and joins the thread.
    package func stop() {
        queue.close()
        guard isStarted else { return }
        isStarted = false
        pthread_join(thread, nil)
    }

    private func run() {
        let batch = WriterBatch(environment: environment, journal: journal, space: space, figures: figures, retention: retention)
        var waiting: [any WriteRequest] = []
        waiting.reserveCapacity(Limits.batchRequestsMax)
        var nextCommit = bootNanoseconds()
        while true {
            figures.lastAliveNanoseconds.store(bootNanoseconds(), ordering: .relaxed)
            figures.isIdle.store(true, ordering: .relaxed)
            // Before taking, so that all that queues during the pause is committed after it, back to back.
            if pace != nil { sleepUntil(nextCommit) }
            guard queue.take(into: &waiting) else { return }
            if let pace { nextCommit = bootNanoseconds() + UInt64(pace.wholeMilliseconds) * 1_000_000 }
            figures.isIdle.store(false, ordering: .relaxed)
            var next = 0
            while next < waiting.count {
                figures.lastAliveNanoseconds.store(bootNanoseconds(), ordering: .relaxed)
                do throws(StoreError) {
                    let (taken, summary) = try batch.run(waiting[next...], now: time.timestamp(), uptime: time.uptime())
                    next += taken
                    queue.taken.store(waiting.count - next, ordering: .relaxed)
                    if let summary { onBatchCommitted(summary) }
                } catch {
                    end(error, waiting[next...])
                    return
                }
            }
            waiting.removeAll(keepingCapacity: true)
        }
    }

    /// The disk failed: nothing more is acknowledged.
    private func end(_ error: StoreError, _ rest: ArraySlice<any WriteRequest>) {
        queue.close()
        for request in rest { request.failed(error) }
        var waiting: [any WriteRequest] = []
        while queue.take(into: &waiting) {
            for request in waiting { request.failed(error) }
            waiting.removeAll()
        }
        queue.taken.store(0, ordering: .relaxed)
        onFatal(error)
    }

    private func sleepUntil(_ nanoseconds: UInt64) {
        var until = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        while clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, nil) == EINTR {}
    }
}

/// CLOCK_BOOTTIME, to measure commits with; decisions take the `TimeSource`.
func bootNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

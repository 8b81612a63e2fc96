import CLMDB
import Domain
import Synchronization

/// One commit: performs requests, commits, and tells each what became of it.
///
///     flat ──(a request failed after it wrote)──▶ all fenced ──▶ commit ──▶ done
///                                                                  │ no room
///                                                                  ▼
///                          audit alone, and records of the refusals ──▶ commit ──(no room: ballast released, once more)
///
/// On the writer's thread only. No child transaction is ever committed after an error in it: that would poison its parent (mdb.c,
/// `mdb_txn_commit`); aborting it heals the parent.
final class WriterBatch {
    private enum Mode { case flat, fenced, reserveOnly }
    private enum Verdict { case done, refused(StoreError) }

    private let environment: StoreEnvironment
    private let journal: Journal
    private let space: SpaceGuard
    private let figures: WriterFigures
    private let retention: RetentionSignal
    private let meter = WriteMeter()
    private var verdicts: [Verdict] = []
    private var number: UInt64 = 0
    private var commitNanoseconds: UInt64 = 0
    private var isCommitted = false
    private var isMapFull = false
    private var now = Timestamp(milliseconds: 0)
    private var uptime = Uptime(milliseconds: 0)

    init(environment: StoreEnvironment, journal: Journal, space: SpaceGuard, figures: WriterFigures, retention: RetentionSignal) {
        self.environment = environment
        self.journal = journal
        self.space = space
        self.figures = figures
        self.retention = retention
        verdicts.reserveCapacity(Limits.batchRequestsMax)
    }

    /// Takes as many requests from the front as fit into one commit, and answers them.
    ///
    /// - Throws: the disk failed; nothing was committed and no request has been told.
    func run(
        _ requests: ArraySlice<any WriteRequest>, now: Timestamp, uptime: Uptime
    ) throws(StoreError) -> (taken: Int, summary: BatchSummary?) {
        self.now = now
        self.uptime = uptime
        space.look(now: uptime)
        var batch = requests.prefix(Limits.batchRequestsMax)
        do throws(StoreError) {
            if try !attempt(batch, .flat) { _ = try attempt(batch, .fenced) }
        } catch {
            // An attempt that failed may not have come to the end of the prefix: only those it took are answered.
            if verdicts.count < batch.count { batch = batch.prefix(max(1, verdicts.count)) }
            if error.number == MDB_MAP_FULL { growMap() }
            try recover(batch, from: error)
        }
        let taken = verdicts.count
        // Before the answers: whoever tries again at once finds room.
        if isMapFull { growMap() }
        let summary = answer(batch.prefix(taken))
        return (taken, summary)
    }

    /// The map is never the limit by design; if it is all the same, deletions fail too, so it must grow before anything can heal.
    private func growMap() {
        isMapFull = false
        if environment.growMap(now: uptime) { retention.raise() }
    }

    /// Nothing of the batch was committed: tells full from failed, and commits what the reserve is for.
    private func recover(_ batch: ArraySlice<any WriteRequest>, from failure: StoreError) throws(StoreError) {
        var failure = environment.classify(failure)
        space.look(now: uptime, force: true)
        var attempts = 0
        while failure.code == .full, attempts < 2 {
            do throws(StoreError) {
                _ = try attempt(batch, .reserveOnly)
                // Those beyond the batch's limits stay in the queue.
                return
            } catch {
                failure = environment.classify(error)
                attempts += 1
                if failure.code == .full, !environment.reserve.release() { break }
            }
        }
        if failure.code == .full {
            verdicts = batch.map { _ in .refused(failure) }
            return
        }
        throw failure
    }

    /// Performs and commits; false if a request failed after it had written outside a fence, in which case everything was undone.
    private func attempt(_ batch: ArraySlice<any WriteRequest>, _ mode: Mode) throws(StoreError) -> Bool {
        verdicts.removeAll(keepingCapacity: true)
        isCommitted = false
        meter.begin()
        journal.beginBatch()
        var begun: OpaquePointer?
        try StoreError.check(mdb_txn_begin(environment.handle, nil, 0, &begun), "begin a batch")
        let parent = begun!
        number = UInt64(mdb_txn_id(parent))
        do throws(StoreError) {
            let isNear = try space.isBudgetNear(parent)
            for request in batch {
                if !verdicts.isEmpty, meter.bytes >= Limits.batchBytesMax || meter.pages >= Limits.batchPagesMax { break }
                guard let verdict = try perform(request, in: parent, mode, isBudgetNear: isNear) else {
                    mdb_txn_abort(parent)
                    journal.rollBackBatch()
                    return false
                }
                verdicts.append(verdict)
            }
            meter.pagesAllowed = nil
            try journal.flush(WriteTransaction(parent, environment, meter: meter), now: now, uptime: uptime)
        } catch {
            mdb_txn_abort(parent)
            journal.rollBackBatch()
            throw error
        }
        space.added(pages: meter.pages)
        let began = bootNanoseconds()
        let code = mdb_txn_commit(parent)
        commitNanoseconds = bootNanoseconds() - began
        if code != 0 {
            journal.rollBackBatch()
            throw StoreError(lmdb: code, "commit a batch")
        }
        isCommitted = true
        journal.publish()
        return true
    }

    /// nil: it failed after writing, unfenced.
    private func perform(
        _ request: any WriteRequest, in parent: OpaquePointer, _ mode: Mode, isBudgetNear: Bool
    ) throws(StoreError) -> Verdict? {
        let priority = request.priority
        var refusal: StoreError?
        if mode == .reserveOnly, !priority.usesReserve, !request.releasesSpace {
            refusal = StoreError(.full, "write to a full disk")
        } else if let allowed = space.pagesAllowed(priority, releasesSpace: request.releasesSpace) {
            meter.pagesAllowed = isBudgetNear && allowed < .max ? allowed : nil
            let isFenced = mode != .flat || isBudgetNear || request.isFenced
            do throws(StoreError) {
                if isFenced {
                    try fence(parent) { (context) throws(StoreError) in try request.perform(context) }
                } else {
                    let writes = meter.writes
                    do throws(StoreError) {
                        try request.perform(context(parent))
                    } catch {
                        // LMDB's own errors may have poisoned the transaction; ours leave it as it was.
                        if meter.writes != writes || error.number != 0 { return nil }
                        throw error
                    }
                }
                return .done
            } catch {
                if error.code == .diskFailed { throw error }
                if error.number == MDB_MAP_FULL { isMapFull = true }
                refusal = error
            }
        } else {
            refusal = StoreError(.full, "write while the disk is full")
        }
        guard let refusal else { return .done }
        if refusal.code == .full {
            meter.pagesAllowed = isBudgetNear ? space.pagesAllowed(.audit, releasesSpace: false) : nil
            do throws(StoreError) {
                try fence(parent) { (context) throws(StoreError) in try request.refused(context) }
            } catch {
                // No room even for the record of it: the request's answer still says so.
                if error.code == .diskFailed { throw error }
            }
        }
        return .refused(refusal)
    }

    /// Runs `body` in a child transaction; on a throw nothing of it remains, in the store or in the journal's heads.
    private func fence(
        _ parent: OpaquePointer, _ body: (borrowing StoreWriteContext) throws(StoreError) -> Void
    ) throws(StoreError) {
        var begun: OpaquePointer?
        try StoreError.check(mdb_txn_begin(environment.handle, parent, 0, &begun), "begin a fence")
        let child = begun!
        journal.beginFence()
        do throws(StoreError) {
            try body(context(child))
        } catch {
            mdb_txn_abort(child)
            journal.rollBackFence()
            throw error
        }
        let code = mdb_txn_commit(child)
        // A child that cannot be committed has taken its parent with it: EIO says so to the caller of the batch.
        if code != 0 { throw StoreError(.diskFailed, "commit a fence", number: code) }
    }

    private func context(_ transaction: OpaquePointer) -> StoreWriteContext {
        StoreWriteContext(
            transaction: WriteTransaction(transaction, environment, meter: meter), journal: journal, now: now, uptime: uptime,
            transactionNumber: number)
    }

    /// Tells each request, and says what the commit brought; nil if there was none.
    private func answer(_ batch: ArraySlice<any WriteRequest>) -> BatchSummary? {
        if isCommitted, journal.isRetentionWanted { retention.raise() }
        if isCommitted { figures.record(requests: batch.count, bytes: meter.bytes, nanoseconds: commitNanoseconds) }
        var at = 0
        for request in batch {
            switch verdicts[at] {
            case .done: request.committed()
            case .refused(let error):
                figures.failures.add(1, ordering: .relaxed)
                // What is no longer kept may be all that is in the way.
                if error.code == .full { retention.raise() }
                request.failed(error)
            }
            at += 1
        }
        guard isCommitted else { return nil }
        return BatchSummary(requests: batch.count, transactionNumber: number, commitNanoseconds: commitNanoseconds)
    }
}

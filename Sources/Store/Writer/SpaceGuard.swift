import CLMDB
import Domain
import Synchronization

/// Decides whether there is room for a request: by the budget's shares, and by what the file system has left.
///
/// On the writer's thread, except `isDiskFull`, which any thread may ask.
final class SpaceGuard: Sendable {
    private let environment: StoreEnvironment
    private let diskFull = Atomic<Bool>(false)
    private let checkedAt = Atomic<Int64>(.min)
    /// Used pages at the last count, and how many a batch may have added since, from above.
    private let countedPages = Atomic<Int>(0)
    private let addedPagesMax = Atomic<Int>(.max / 2)

    init(_ environment: StoreEnvironment) { self.environment = environment }

    /// The node state "disk full": only audit and deletions are accepted until there is room again.
    var isDiskFull: Bool { diskFull.load(ordering: .relaxed) }

    /// Asks the file system, at most once each `Limits.diskCheckInterval` unless a commit just failed.
    func look(now: Uptime, force: Bool = false) {
        let last = checkedAt.load(ordering: .relaxed)
        guard force || last == .min || now.milliseconds - last >= Limits.diskCheckInterval.wholeMilliseconds else { return }
        checkedAt.store(now.milliseconds, ordering: .relaxed)
        guard let free = environment.disk.freeBytes(environment.descriptor) else { return }
        // What the ballast gave back is audit's, not room for changes.
        diskFull.store(free < environment.diskFreeBytesMin + environment.reserve.owedBytes, ordering: .relaxed)
    }

    /// Whether the budget is so near that each put must be counted. Counts pages itself, but only when the last count no longer tells.
    func isBudgetNear(_ transaction: OpaquePointer) throws(StoreError) -> Bool {
        let budget = environment.budgetBytes / StoreEnvironment.pageBytes
        let first = budget * Limits.bulkSharePercent / 100
        // One batch may bring at most twice its dirty pages into use: what it writes, and LMDB's list of what it frees.
        let margin = Limits.batchPagesMax * 2
        if countedPages.load(ordering: .relaxed) + addedPagesMax.load(ordering: .relaxed) + margin < first { return false }
        let used = try environment.usedPages(transaction)
        countedPages.store(used, ordering: .relaxed)
        addedPagesMax.store(0, ordering: .relaxed)
        return used + margin >= first
    }

    func added(pages: Int) { addedPagesMax.add(pages * 2 + 8, ordering: .relaxed) }

    /// Used pages below which a request of this priority may write; nil: it may not write at all.
    func pagesAllowed(_ priority: RecordPriority, releasesSpace: Bool) -> Int? {
        if releasesSpace { return .max }
        if isDiskFull, !priority.usesReserve { return nil }
        return environment.budgetBytes / StoreEnvironment.pageBytes * priority.sharePercent / 100
    }
}

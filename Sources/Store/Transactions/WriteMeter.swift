import CLMDB
import Domain

/// What a batch has written so far, and how much of the budget the request at work may use.
///
/// One object a writer, reused; on the writer's thread only.
final class WriteMeter {
    /// Writes since the batch began: a request that fails and has changed this must be undone.
    private(set) var writes = 0
    private(set) var bytes = 0
    /// Dirty pages, estimated from above: a put may change a leaf and an overflow page or split a leaf.
    private(set) var pages = 0

    /// Pages the request at work may bring into use in all; nil while the budget is far.
    var pagesAllowed: Int?

    func begin() {
        writes = 0
        bytes = 0
        pages = 0
        pagesAllowed = nil
    }

    @inline(__always)
    func wrote(bytes count: Int, appending: Bool) {
        writes += 1
        bytes += count
        pages += appending && count < 2_018 ? 1 : 2
    }

    @inline(__always)
    func deleted() {
        writes += 1
        pages += 2
    }

    /// Refuses a put beyond the share. Exact, and only paid for when the budget is near.
    @inline(__always)
    func admit(_ transaction: OpaquePointer, _ environment: StoreEnvironment) throws(StoreError) {
        guard let pagesAllowed else { return }
        guard try environment.usedPages(transaction) < pagesAllowed else { throw StoreError(.full, "write beyond the budget") }
    }
}

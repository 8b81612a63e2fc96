import Synchronization

/// What the HTTP thread counts; any thread may read it.
package final class HTTPGauges: Sendable {
    private let open = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let acceptedTotal = Atomic<UInt64>(0)
    private let requestsTotal = Atomic<UInt64>(0)
    private let refusals = Mutex([UInt64](repeating: 0, count: HTTPRefusal.all.count))

    /// Connections open now, those that have not sent anything yet included.
    package var connections: Int { open.load(ordering: .relaxed) }
    /// Requests suspended now.
    package var suspended: Int { waiting.load(ordering: .relaxed) }
    package var accepted: UInt64 { acceptedTotal.load(ordering: .relaxed) }
    package var requests: UInt64 { requestsTotal.load(ordering: .relaxed) }

    /// Counts by reason, zeros included, in the order of `HTTPRefusal.all`.
    package var refused: [(code: StaticString, count: UInt64)] {
        let counts = refusals.withLock { $0 }
        return zip(HTTPRefusal.all, counts).map { (code: $0.code, count: $1) }
    }

    // The HTTP thread is the only writer: a load and a store instead of a locked instruction.
    func opened() { open.store(open.load(ordering: .relaxed) + 1, ordering: .relaxed) }
    func closed() { open.store(open.load(ordering: .relaxed) - 1, ordering: .relaxed) }
    func wait(_ change: Int) { waiting.store(waiting.load(ordering: .relaxed) + change, ordering: .relaxed) }
    func accept() { acceptedTotal.store(acceptedTotal.load(ordering: .relaxed) + 1, ordering: .relaxed) }
    func request() { requestsTotal.store(requestsTotal.load(ordering: .relaxed) + 1, ordering: .relaxed) }
    func refuse(_ refusal: HTTPRefusal) { refusals.withLock { $0[refusal.index] += 1 } }
}

import Domain
import Glibc
import Synchronization

/// The requests that wait for the writer, in the order in which they came.
///
/// Many threads put, the writer takes everything at once: what queued during the last fsync is the next batch.
// SAFETY: the list is behind a Mutex; `wake` is a POSIX semaphore, made for use by many threads, allocated once and freed in `deinit`.
final class WriterQueue: @unchecked Sendable {
    private struct State {
        var waiting: [any WriteRequest] = []
        var isOpen = true
        var writerSleeps = false
    }

    private let state = Mutex(State())
    private let wake: UnsafeMutablePointer<sem_t>
    /// Requests taken by the writer but not begun: they count against the limit too.
    let taken = Atomic<Int>(0)

    init() {
        wake = .allocate(capacity: 1)
        sem_init(wake, 0, 0)
    }

    deinit {
        sem_destroy(wake)
        wake.deallocate()
    }

    var count: Int { state.withLock { $0.waiting.count } + taken.load(ordering: .relaxed) }

    func put(_ request: any WriteRequest) throws(StoreError) {
        let (refusal, mustWake): (StoreError?, Bool) = state.withLock { state in
            guard state.isOpen else { return (StoreError(.closed, "submit to a writer that has stopped"), false) }
            guard state.waiting.count + taken.load(ordering: .relaxed) < Limits.writerQueueMax else {
                return (StoreError(.busy, "submit to a full queue"), false)
            }
            state.waiting.append(request)
            let mustWake = state.writerSleeps
            state.writerSleeps = false
            return (nil, mustWake)
        }
        if let refusal { throw refusal }
        if mustWake { sem_post(wake) }
    }

    /// Swaps everything that waits into `requests`, which must be empty; sleeps while there is nothing.
    ///
    /// - Returns: false when the queue is closed and nothing is left.
    func take(into requests: inout [any WriteRequest]) -> Bool {
        while true {
            enum Outcome { case got, end, sleep }
            var empty: [any WriteRequest] = []
            swap(&empty, &requests)
            let outcome: Outcome = state.withLock { state in
                if !state.waiting.isEmpty {
                    // The two arrays change places and keep their storage.
                    swap(&state.waiting, &empty)
                    taken.store(empty.count, ordering: .relaxed)
                    return .got
                }
                if !state.isOpen { return .end }
                state.writerSleeps = true
                return .sleep
            }
            swap(&empty, &requests)
            switch outcome {
            case .got: return true
            case .end: return false
            case .sleep: while sem_wait(wake) != 0 {}
            }
        }
    }

    /// Refuses new requests; those that wait will still be taken.
    func close() {
        let mustWake = state.withLock { state in
            state.isOpen = false
            defer { state.writerSleeps = false }
            return state.writerSleeps
        }
        if mustWake { sem_post(wake) }
    }
}

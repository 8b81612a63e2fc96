import CPlatform
import Domain
import Glibc
import Synchronization

/// Makes pages, one after the other, beside the thread that answers requests: a walk over the most instances that a node holds takes tens of
/// milliseconds, in which no look-up should wait.
// SAFETY: the list is behind a Mutex; `wake` is a POSIX semaphore, made for use by many threads, allocated once and freed in `deinit`;
// `thread` is written by `start` and read by `stop`, both of the thread that owns the daemon.
final class PageThread: @unchecked Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isOpen = true
    }

    private let state = Mutex(State())
    private let wake: UnsafeMutablePointer<sem_t>
    private var thread: pthread_t?

    init() {
        wake = .allocate(capacity: 1)
        sem_init(wake, 0, 0)
    }

    deinit {
        sem_destroy(wake)
        wake.deallocate()
    }

    func start() {
        var made = pthread_t()
        // SAFETY: the thread takes over the reference that is retained here.
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &made, nil,
            { argument in
                posto_name_thread("posto-pages")
                Unmanaged<PageThread>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(code == 0, "no thread for pages")
        thread = made
    }

    /// Makes what waits, then ends.
    func stop() {
        state.withLock { $0.isOpen = false }
        sem_post(wake)
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    /// - Returns: false if as many wait as may, or the thread ends; nothing was taken then.
    func put(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = state.withLock { state in
            guard state.isOpen, state.waiting.count < Limits.consoleWaitingMax else { return false }
            state.waiting.append(job)
            return true
        }
        if isTaken { sem_post(wake) }
        return isTaken
    }

    private func run() {
        while true {
            while sem_wait(wake) != 0 {}
            let (job, isOver): ((@Sendable () -> Void)?, Bool) = state.withLock { state in
                state.waiting.isEmpty ? (nil, !state.isOpen) : (state.waiting.removeFirst(), false)
            }
            job?()
            if isOver { return }
        }
    }
}

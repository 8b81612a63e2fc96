import Glibc
import Synchronization

/// A value that one thread sets once and others wait for.
// SAFETY: the value is behind a Mutex, the semaphore is made for many threads.
package final class AnswerBox<T: Sendable>: @unchecked Sendable {
    private let value = Mutex<T?>(nil)
    private let isSet = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() { sem_init(isSet, 0, 0) }

    deinit {
        sem_destroy(isSet)
        isSet.deallocate()
    }

    package func set(_ answer: T) {
        value.withLock { value in
            precondition(value == nil, "answered twice")
            value = answer
        }
        sem_post(isSet)
    }

    package func wait() -> T {
        while sem_wait(isSet) != 0 {}
        // Whoever asks again is answered again.
        sem_post(isSet)
        return value.withLock { $0! }
    }
}

import Domain
import Glibc
import Store
import Synchronization

@testable import Registry

/// A folder of its own for one test, removed at the end.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/posto-registry-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)!) }
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }
}

/// Time that stands still until the test moves it.
final class ManualTime: Sendable {
    private let uptimeMilliseconds = Atomic<Int64>(10_000)
    private let wallMilliseconds = Atomic<Int64>(1_795_000_000_000)

    func advance(_ duration: Duration) {
        uptimeMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
        wallMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
    }

    /// Another boot: uptime begins anew, the wall clock goes on.
    func reboot(after duration: Duration) {
        uptimeMilliseconds.store(5_000, ordering: .relaxed)
        wallMilliseconds.add(duration.wholeMilliseconds, ordering: .relaxed)
    }

    var uptime: Uptime { Uptime(milliseconds: uptimeMilliseconds.load(ordering: .relaxed)) }
    var now: Timestamp { Timestamp(milliseconds: wallMilliseconds.load(ordering: .relaxed)) }
    var source: TimeSource { TimeSource(uptime: { self.uptime }, timestamp: { self.now }) }
}

/// A generator whose seed a test prints (SplitMix64; Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A value that one thread sets once and another waits for.
// SAFETY: the value is behind a Mutex, the semaphore is made for many threads.
final class AnswerBox<T: Sendable>: @unchecked Sendable {
    private let value = Mutex<T?>(nil)
    private let isSet = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(isSet, 0, 0) }

    deinit {
        sem_destroy(isSet)
        isSet.deallocate()
    }

    func set(_ answer: T) {
        value.withLock { value in
            precondition(value == nil, "answered twice")
            value = answer
        }
        sem_post(isSet)
    }

    func wait() -> T {
        while sem_wait(isSet) != 0 {}
        // Whoever asks again is answered again.
        sem_post(isSet)
        return value.withLock { $0! }
    }
}

/// Holds the writer until it is opened, so that what is submitted meanwhile becomes one batch.
final class Gate: WriteRequest {
    private let isReached = AnswerBox<Bool>()
    private let isOpen = AnswerBox<Bool>()
    private let isDone = AnswerBox<Bool>()
    private let isPassed = Atomic<Bool>(false)

    let priority = RecordPriority.state

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        guard !isPassed.exchange(true, ordering: .relaxed) else { return }
        isReached.set(true)
        _ = isOpen.wait()
    }

    func committed() { isDone.set(true) }
    func failed(_ error: StoreError) { isDone.set(true) }

    func awaitWriter() { _ = isReached.wait() }
    func open() { isOpen.set(true) }
    func awaitEnd() { _ = isDone.wait() }
}

/// Writes a row and then fails, so that the whole batch is performed a second time.
final class FailingRequest: WriteRequest {
    let priority = RecordPriority.state

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        try context.transaction.put(.addresses, StoreKey(.addresses, Array("nowhere".utf8)), [1], revision: 1)
        throw StoreError(.system, "fail as the test wants it")
    }

    func committed() { preconditionFailure("a request that fails was committed") }
    func failed(_ error: StoreError) {}
}

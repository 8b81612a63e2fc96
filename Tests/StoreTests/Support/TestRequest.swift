import Domain
import Glibc
import Store
import Synchronization

/// A request made of closures, whose answer can be waited for.
// SAFETY: the answer is behind a Mutex, the semaphore is made for many threads; everything else never changes.
final class TestRequest: WriteRequest, @unchecked Sendable {
    enum Answer: Equatable {
        case committed
        case failed(StoreError.Code)
    }

    let priority: RecordPriority
    let isFenced: Bool
    let releasesSpace: Bool
    private let body: @Sendable (borrowing StoreWriteContext) throws(StoreError) -> Void
    private let onRefused: @Sendable (borrowing StoreWriteContext) throws(StoreError) -> Void
    private let answered = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let answers = Mutex<[Answer]>([])

    init(
        priority: RecordPriority = .state, isFenced: Bool = false, releasesSpace: Bool = false,
        onRefused: @escaping @Sendable (borrowing StoreWriteContext) throws(StoreError) -> Void = { (_) throws(StoreError) in },
        _ body: @escaping @Sendable (borrowing StoreWriteContext) throws(StoreError) -> Void
    ) {
        self.priority = priority
        self.isFenced = isFenced
        self.releasesSpace = releasesSpace
        self.onRefused = onRefused
        self.body = body
        sem_init(answered, 0, 0)
    }

    deinit {
        sem_destroy(answered)
        answered.deallocate()
    }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) { try body(context) }
    func refused(_ context: borrowing StoreWriteContext) throws(StoreError) { try onRefused(context) }
    func committed() { answer(.committed) }
    func failed(_ error: StoreError) { answer(.failed(error.code)) }

    private func answer(_ answer: Answer) {
        answers.withLock { $0.append(answer) }
        sem_post(answered)
    }

    func wait() -> Answer {
        while sem_wait(answered) != 0 {}
        return answers.withLock { answers in
            precondition(answers.count == 1, "a request was answered \(answers.count) times")
            return answers[0]
        }
    }
}

/// What a writer reported.
final class WriterReports: Sendable {
    private let batches = Mutex<[BatchSummary]>([])
    private let fatal = Mutex<StoreError?>(nil)

    func add(_ batch: BatchSummary) { batches.withLock { $0.append(batch) } }
    func end(_ error: StoreError) { fatal.withLock { $0 = error } }

    var all: [BatchSummary] { batches.withLock { $0 } }
    var fatalError: StoreError? { fatal.withLock { $0 } }
}

extension TestRequest {
    /// Puts `value` under `name` in the table `things`.
    static func put(_ name: String, _ value: [UInt8], priority: RecordPriority = .state, isFenced: Bool = false) -> TestRequest {
        TestRequest(priority: priority, isFenced: isFenced) { (context) throws(StoreError) in
            try context.transaction.put(.things, StoreKey(.things, Array(name.utf8)), value, revision: 1)
        }
    }
}

extension StoreEnvironment {
    func value(_ name: String) throws(StoreError) -> [UInt8]? {
        try read { (transaction) throws(StoreError) in
            try transaction.withValue(.things, StoreKey(.things, Array(name.utf8))) { (payload, _) throws(StoreError) in Array(payload) }
        }
    }

    func lines(_ stream: StreamID, after seq: UInt64 = 0) throws(StoreError) -> [String] {
        try read { (transaction) throws(StoreError) in
            var lines: [String] = []
            try transaction.scan(stream, after: seq, recordsMax: .max) { (entry) throws(StoreError) in
                lines.append(String(decoding: entry.cloudEvent, as: UTF8.self))
                return true
            }
            return lines
        }
    }
}

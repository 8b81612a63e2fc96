import Domain
import Store
import Synchronization
// The other files of these tests see it through this one.
@_exported import TestSupport

@testable import Registry

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

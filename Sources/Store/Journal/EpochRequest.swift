import Domain

/// Begins a new epoch while the daemon runs: a receiver knows another history under ours. Records that are appended afterwards carry it.
package final class EpochRequest: WriteRequest {
    private let epoch: UInt32
    private let journal: Journal
    private let completion: @Sendable (StoreError?) -> Void

    package init(epoch: UInt32, journal: Journal, completion: @escaping @Sendable (StoreError?) -> Void) {
        self.epoch = epoch
        self.journal = journal
        self.completion = completion
    }

    package var priority: RecordPriority { .audit }

    package func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        try StoreIdentity.write(epoch: epoch, in: context.transaction)
    }

    package func committed() {
        journal.beganEpoch(epoch)
        completion(nil)
    }

    package func failed(_ error: StoreError) { completion(error) }
}

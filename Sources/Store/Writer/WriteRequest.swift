import Domain

/// One request of the writer: it decides and writes on the writer's thread, and learns there whether the disk has it.
///
///     submit ──▶ perform ──▶ (commit, fsync) ──▶ committed
///                   │               └──▶ failed(.full | .diskFailed)
///                   └──▶ failed(…)
///
/// Exactly one of `committed` and `failed` is called, once, on the writer's thread; neither may wait for anything.
/// `perform` may run more than once: whatever it decides must follow from the store and the context, and it writes over what it had decided
/// before. When it runs again nothing of the run before is in the store.
package protocol WriteRequest: AnyObject, Sendable {
    /// Which share of the budget it may use, and whether the reserve is for it.
    var priority: RecordPriority { get }
    /// Run in a child transaction of its own (below a microsecond): for code that may throw after its first write.
    var isFenced: Bool { get }
    /// Deletes and adds little: allowed when there is no room, because it makes some.
    var releasesSpace: Bool { get }

    /// Decides, then writes. A refusal (a conflict, an unknown id) is an answer to be kept for `committed`, not an error.
    ///
    /// - Throws: `StoreError`: nothing that it wrote will be in the store, and no other request feels it.
    func perform(_ context: borrowing StoreWriteContext) throws(StoreError)

    /// There was no room for it. The chance to write a record of that, of audit priority, into the reserve; it is durable before `failed`
    /// is called, if there was room for that. May run more than once.
    func refused(_ context: borrowing StoreWriteContext) throws(StoreError)

    /// The disk has it.
    func committed()

    /// Nothing of it is in the store.
    func failed(_ error: StoreError)
}

extension WriteRequest {
    package var isFenced: Bool { false }
    package var releasesSpace: Bool { false }
    package func refused(_ context: borrowing StoreWriteContext) throws(StoreError) {}
}

/// What a request works with, lent by the writer for the length of `perform`.
package struct StoreWriteContext: ~Copyable {
    package let transaction: WriteTransaction
    package let journal: Journal
    /// The wall clock of the batch.
    package let now: Timestamp
    /// The boot clock of the batch.
    package let uptime: Uptime
    /// The number that the commit of this batch will have.
    package let transactionNumber: UInt64

    /// Adds a record to a stream; see `Journal.append`.
    @discardableResult
    package borrowing func append(
        _ stream: StreamID, _ draft: EventDraft, data: (inout JSONWriter, _ seq: UInt64) -> Void
    ) throws(StoreError) -> UInt64 {
        try journal.append(stream, draft, in: transaction, now: now, uptime: uptime, data: data)
    }
}

import Domain
import Testing

@testable import Store

/// What a salvage leaves: rows of streams and their records from different moments.
@Suite("streams after a salvage")
struct ReconcileTests {
    private func record() -> TestRequest {
        TestRequest { (context) throws(StoreError) in
            for stream in [context.journal.stream("state")!, context.journal.stream("audit")!] {
                try context.append(stream, EventDraft(type: "t", tenant: "default", priority: .state)) { json, seq in json.unsigned(seq) }
            }
        }
    }

    /// A stopped store with ten records in each stream.
    private func store() throws -> TestStore {
        let store = try TestStore()
        for _ in 0..<10 { try store.run(record()) }
        store.writer.stop()
        return store
    }

    private func row(_ store: TestStore, _ stream: StreamID) throws -> StreamRow {
        try store.environment.read { (transaction) throws(StoreError) in try transaction.streamRow(stream)! }
    }

    private func put(_ store: TestStore, _ row: StreamRow) throws {
        try store.environment.write { (transaction) throws(StoreError) in
            try transaction.put(.streams, StreamRow.key(row.id), row.encode(), revision: row.last)
        }
    }

    private func lose(_ store: TestStore, _ stream: StreamID, _ seqs: ClosedRange<UInt64>) throws {
        try store.environment.write { (transaction) throws(StoreError) in
            for seq in seqs { try transaction.delete(stream.table, StoreKey(stream.table, seq)) }
        }
    }

    /// Opens the journal anew and appends; the seq that was given to `state`.
    private func append(_ store: TestStore) throws -> UInt64 {
        let journal = try Journal.open(store.environment, nodeID: "3f2a", epoch: 2, policies: TestStore.policies)
        let writer = StoreWriter(
            environment: store.environment, journal: journal, time: store.time.source, onBatchCommitted: { _ in }, onFatal: { _ in })
        writer.start()
        let request = record()
        try writer.submit(request)
        #expect(request.wait() == .committed)
        writer.stop()
        return journal.head(store.state)
    }

    @Test("a sound store is left as it is")
    func sound() throws {
        let store = try store()
        let before = try [row(store, store.state), row(store, store.audit)]
        try Journal.reconcile(store.environment)
        #expect(try [row(store, store.state), row(store, store.audit)] == before)
        #expect(try append(store) == 11)
    }

    @Test("rows that are older than their records follow them; the chain goes on")
    func oldRow() throws {
        let store = try store()
        for stream in [store.state, store.audit] {
            var old = try row(store, stream)
            old.last = 4
            old.records = 4
            old.bytes = 1
            old.lastHash = Digest32()
            try put(store, old)
        }
        try Journal.reconcile(store.environment)
        #expect(try row(store, store.state).records == 10)
        #expect(try append(store) == 11)
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
        #expect(try JournalVerifier.verify(store.state, in: store.environment).finding == .intact)
    }

    @Test("a lost row is made anew from what is there")
    func lostRow() throws {
        let store = try store()
        let audit = try row(store, store.audit)
        try put(store, StreamRow(id: store.audit, policy: audit.policy))
        try Journal.reconcile(store.environment)
        let made = try row(store, store.audit)
        #expect(made.last == 10 && made.records == 10 && made.bytes == audit.bytes && made.lastHash == audit.lastHash)
        _ = try append(store)
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
    }

    @Test("no number is given twice: not one of the row, of a checkpoint, or that is known from elsewhere")
    func floors() throws {
        let store = try store()
        try lose(store, store.state, 8...10)
        try Journal.reconcile(store.environment)
        #expect(try row(store, store.state).last == 10 && row(store, store.state).records == 7)
        try Journal.reconcile(store.environment, floors: ["state": 40])
        #expect(try append(store) == 41)
        try store.environment.write { (transaction) throws(StoreError) in
            let checkpoint = JournalCheckpoint(seq: 60, hash: Digest32(), time: store.time.now)
            try transaction.put(.checkpoints, JournalCheckpoint.key(store.audit, 60), checkpoint.encode(), revision: 60)
        }
        try Journal.reconcile(store.environment)
        #expect(try row(store, store.audit).last == 60)
        _ = try append(store)
        guard case .broken = try JournalVerifier.verify(store.audit, in: store.environment).finding else {
            Issue.record("the lost records were passed over")
            return
        }
    }

    @Test("what was lost at the beginning counts as gone, and a gap in the middle stays one")
    func beginningAndMiddle() throws {
        let store = try store()
        try lose(store, store.state, 1...3)
        try lose(store, store.audit, 5...6)
        try Journal.reconcile(store.environment)
        let state = try row(store, store.state)
        #expect(state.trimmed == 3 && state.records == 7 && state.last == 10)
        let audit = try row(store, store.audit)
        #expect(audit.trimmed == 0 && audit.records == 8)
        _ = try append(store)
        #expect(try JournalVerifier.verify(store.state, in: store.environment).finding == .intact)
        guard case .broken(seq: 5, _) = try JournalVerifier.verify(store.audit, in: store.environment).finding else {
            Issue.record("the gap was passed over")
            return
        }
    }

    @Test("a stream that lost everything goes on behind it")
    func allLost() throws {
        let store = try store()
        try lose(store, store.state, 1...10)
        try lose(store, store.audit, 1...10)
        try Journal.reconcile(store.environment)
        let state = try row(store, store.state)
        #expect(state.trimmed == 10 && state.records == 0 && state.bytes == 0)
        #expect(try append(store) == 11)
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
    }

    @Test("an identity that was lost begins in the epoch that the salvage found, or later")
    func identity() throws {
        let store = try TestStore(starts: false)
        try store.environment.write { (transaction) throws(StoreError) in
            for row: UInt8 in 2...5 { try transaction.delete(.meta, StoreKey(.meta, [row])) }
        }
        func load(_ epochMin: UInt32) throws -> StoreIdentity {
            try StoreIdentity.loadOrCreate(
                in: store.environment, nodeID: nil, proposedNodeID: "new", epochMin: epochMin, now: store.time.now,
                randomBytes: { [UInt8](repeating: 9, count: $0) })
        }
        #expect(try load(7).epoch == 7)
        #expect(try load(3).epoch == 7)
        #expect(try load(9).epoch == 9)
        #expect(store.environment.epoch == 9)
    }
}

import Crypto
import Domain
import Store
import Testing

@testable import Store

/// Someone with the file in hand changes records and gives them right check sums; the chain must tell where.
@Suite("A chained stream")
struct ChainTests {
    func store(_ count: Int) throws -> TestStore {
        let store = try TestStore()
        try JournalTests.append(store, store.audit, count)
        return store
    }

    func record(_ store: TestStore, _ seq: UInt64) throws -> (payload: [UInt8], flags: RecordHeader.Flags) {
        try store.environment.read { (transaction) throws(StoreError) in
            try transaction.withValue(store.audit.table, StoreKey(store.audit.table, seq)) { (payload, header) throws(StoreError) in
                (Array(payload), header.flags)
            }
        }!
    }

    func hash(_ store: TestStore, _ seq: UInt64) throws -> Digest32 {
        let payload = try record(store, seq).payload
        return payload.withUnsafeBytes { JournalPrefix($0, isChained: true)!.hash! }
    }

    func put(_ store: TestStore, _ seq: UInt64, _ record: (payload: [UInt8], flags: RecordHeader.Flags)) throws {
        try store.environment.write { (transaction) throws(StoreError) in
            try record.payload.span.withUnsafeBytes { (payload) throws(StoreError) in
                try transaction.put(store.audit.table, StoreKey(store.audit.table, seq), payload, flags: record.flags, revision: seq)
            }
        }
    }

    func delete(_ store: TestStore, _ seqs: ClosedRange<UInt64>) throws {
        try store.environment.write { (transaction) throws(StoreError) in
            for seq in seqs { try transaction.delete(store.audit.table, StoreKey(store.audit.table, seq)) }
        }
    }

    func setRow(_ store: TestStore, _ change: (inout StreamRow) -> Void) throws {
        try store.environment.write { (transaction) throws(StoreError) in
            var row = try transaction.streamRow(store.audit)!
            change(&row)
            try transaction.put(.streams, StreamRow.key(store.audit), row.encode(), revision: row.last)
        }
    }

    func brokenAt(_ store: TestStore) throws -> UInt64? {
        if case .broken(let seq, _) = try JournalVerifier.verify(store.audit, in: store.environment).finding { seq } else { nil }
    }

    @Test("is whole, over many slices and a reopen")
    func whole() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder)
            try JournalTests.append(store, store.audit, 1_700)
        }
        let store = try TestStore(in: folder)
        try JournalTests.append(store, store.audit, 1_700)
        #expect(
            try JournalVerifier.verify(store.audit, in: store.environment)
                == JournalVerification(finding: .intact, records: 3_400, first: 1, last: 3_400))
    }

    @Test("an empty one is whole")
    func empty() throws {
        let store = try store(0)
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
    }

    @Test("a changed byte is found at its record")
    func flip() throws {
        let store = try store(100)
        var record = try record(store, 40)
        record.payload[JournalPrefix.chainedSize + 30] ^= 1
        try put(store, 40, record)
        #expect(try brokenAt(store) == 40)
    }

    @Test("a changed record with a hash of its own is found at the next one")
    func forged() throws {
        let store = try store(100)
        var forged = try record(store, 40)
        forged.payload[JournalPrefix.chainedSize + 30] ^= 1
        let before = try hash(store, 39)
        let line = Array(forged.payload[JournalPrefix.chainedSize...])
        let hash = line.withUnsafeBytes { chainHash(SHA256(), before, $0) }
        hash.withBytes { hash in for i in 0..<32 { forged.payload[JournalPrefix.size + i] = hash[i] } }
        try put(store, 40, forged)
        #expect(try brokenAt(store) == 41)
    }

    @Test("a deleted record is found at its place")
    func deleted() throws {
        let store = try store(100)
        try delete(store, 40...40)
        #expect(try brokenAt(store) == 40)
    }

    @Test("two records that changed places are found at the first")
    func reordered() throws {
        let store = try store(100)
        let a = try record(store, 40)
        let b = try record(store, 41)
        try put(store, 40, b)
        try put(store, 41, a)
        #expect(try brokenAt(store) == 40)
    }

    @Test("a tail cut off is found against the stream's row")
    func truncated() throws {
        let store = try store(100)
        try delete(store, 91...100)
        #expect(try brokenAt(store) == 91)
    }

    @Test("a tail cut off together with the row is found against the last checkpoint")
    func truncatedWithRow() throws {
        let store = try store(1_050)
        try delete(store, 991...1_050)
        let hash = try hash(store, 990)
        try setRow(store) { row in
            row.last = 990
            row.records = 990
            row.lastHash = hash
            row.checkpoint = 0
        }
        #expect(try brokenAt(store) == 991)
    }

    @Test("records added without the writer are found after the row's end")
    func invented() throws {
        let store = try store(100)
        try put(store, 101, try record(store, 100))
        #expect(try brokenAt(store) == 101)
    }

    @Test("a head cut off without retention is found")
    func headless() throws {
        let store = try store(100)
        try delete(store, 1...10)
        #expect(try brokenAt(store) == 1)
    }

    @Test("a checkpoint stands after a thousand records, and after five minutes when something is new")
    func checkpoints() throws {
        let store = try store(1_020)
        func seqs() throws -> [UInt64] {
            try store.environment.read { (transaction) throws(StoreError) in
                var seqs: [UInt64] = []
                try transaction.scan(.checkpoints, prefix: StoreKey(.checkpoints)) { (_, payload, _) throws(StoreError) in
                    seqs.append(JournalCheckpoint(payload)!.seq)
                    return true
                }
                return seqs
            }
        }
        #expect(try seqs() == [1_000])
        store.time.advance(.seconds(299))
        try store.runCheckpoints()
        #expect(try seqs() == [1_000])
        store.time.advance(.seconds(1))
        try store.runCheckpoints()
        #expect(try seqs() == [1_000, 1_020])
        store.time.advance(.seconds(600))
        try store.runCheckpoints()
        #expect(try seqs() == [1_000, 1_020])
    }
}

extension TestStore {
    func runCheckpoints() throws(StoreError) {
        try writer.submit(CheckpointRequest())
        try run(TestRequest(priority: .audit) { (_) throws(StoreError) in })
    }
}

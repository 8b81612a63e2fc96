import Domain
import Store
import Synchronization
import Testing

@testable import Store

@Suite("The journal")
struct JournalTests {
    /// Appends events to `stream`, `perCommit` in a commit, with data of `bytes` bytes.
    static func append(_ store: TestStore, _ stream: StreamID, _ count: Int, bytes: Int = 20, perCommit: Int = 50) throws {
        var left = count
        while left > 0 {
            let now = min(perCommit, left)
            let answer = try store.run(
                TestRequest(priority: .audit) { (context) throws(StoreError) in
                    for _ in 0..<now {
                        try context.append(stream, EventDraft(type: "t", tenant: "default", priority: .audit)) { json, seq in
                            json.string(String(repeating: Character(UnicodeScalar(UInt8(97 + seq % 26))), count: bytes))
                        }
                    }
                })
            #expect(answer == .committed)
            left -= now
        }
    }

    static func data(_ store: TestStore, _ stream: StreamID) throws -> [Int] {
        try store.environment.read { (transaction) throws(StoreError) in
            var sizes: [Int] = []
            try transaction.scan(stream, after: 0, recordsMax: .max) { (entry) throws(StoreError) in
                sizes.append(entry.data.count)
                return true
            }
            return sizes
        }
    }

    @Test("a record of any length comes back whole, and its data is found without parsing")
    func pieces() throws {
        let store = try TestStore()
        let lengths = [1, 100, 1_700, 3_600, 3_700, 3_760, 3_770, 3_780, 3_800, 4_056, 4_080, 4_096, 8_000, 65_536, 1 << 20]
        for stream in [store.audit, store.state] {
            for length in lengths { try Self.append(store, stream, 1, bytes: length) }
            #expect(try Self.data(store, stream) == lengths.map { $0 + 2 })
            let lines = try store.environment.lines(stream)
            for (at, line) in lines.enumerated() {
                let letter = Character(UnicodeScalar(UInt8(97 + (at + 1) % 26)))
                #expect(line.hasSuffix(#""data":""# + String(repeating: letter, count: lengths[at]) + #""}"#))
            }
            let row = try #require(try store.environment.read { (transaction) throws(StoreError) in try transaction.streamRow(stream) })
            #expect(row.records == UInt64(lengths.count))
            #expect(try JournalVerifier.verify(stream, in: store.environment).finding == .intact)
            // The counter of bytes is what lies in the table.
            let stored = try store.environment.read { (transaction) throws(StoreError) in
                var bytes = 0
                try transaction.scan(stream.table, prefix: StoreKey(stream.table)) { (key, payload, _) throws(StoreError) in
                    bytes += key.count + RecordHeader.size + payload.count
                    return true
                }
                return bytes
            }
            #expect(row.bytes == UInt64(stored))
        }
    }

    @Test("every length around the border of one value comes back whole")
    func pieceBorder() throws {
        let store = try TestStore()
        let lengths = Array(3_650...3_850)
        for length in lengths { try Self.append(store, store.audit, 1, bytes: length) }
        #expect(try Self.data(store, store.audit) == lengths.map { $0 + 2 })
    }

    @Test("a scan stops at its bounds of bytes and records, and goes on from there")
    func bounds() throws {
        let store = try TestStore()
        try Self.append(store, store.state, 100, bytes: 1_000)
        let (seq, count) = try store.environment.read { (transaction) throws(StoreError) in
            var count = 0
            let seq = try transaction.scan(store.state, after: 10, bytesMax: 5_000) { (_) throws(StoreError) in
                count += 1
                return true
            }
            return (seq, count)
        }
        #expect(count == 3 && seq == 13)
        let one = try store.environment.read { (transaction) throws(StoreError) in
            try transaction.scan(store.state, after: 13, bytesMax: 1, recordsMax: 7) { (_) throws(StoreError) in true }
        }
        #expect(one == 14)
        let none = try store.environment.read { (transaction) throws(StoreError) in
            try transaction.scan(store.state, after: 100) { (_) throws(StoreError) in true }
        }
        #expect(none == 100)
    }

    @Test("a stream keeps its number, whatever the configuration says later")
    func numbers() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder)
            #expect(store.audit.number == 0 && store.state.number == 1)
            try Self.append(store, store.state, 3)
        }
        let store = try TestStore(
            in: folder, policies: [StreamPolicy(name: "new", priority: .business), StreamPolicy(name: "state", priority: .business)])
        #expect(store.journal.stream("new")?.number == 2)
        #expect(store.state.number == 1)
        #expect(store.audit.number == 0)
        #expect(store.journal.position(store.state).last == 3)
        #expect(
            try store.environment.read { (transaction) throws(StoreError) in try transaction.streamRow(store.state)?.policy.priority }
                == .business)
    }

    @Test("a stream that refuses new records at its bound says so, and takes them again after a deletion")
    func rejectNew() throws {
        let store = try TestStore(policies: [StreamPolicy(name: "events", priority: .business, bytesMax: 3_000, whenFull: .rejectNew)])
        let events = try #require(store.journal.stream("events"))
        func add() throws -> TestRequest.Answer {
            try store.run(
                TestRequest(priority: .business) { (context) throws(StoreError) in
                    try context.append(events, EventDraft(type: "t", tenant: "default", priority: .business)) { json, _ in
                        json.string(String(repeating: "x", count: 1_000))
                    }
                })
        }
        var taken = 0
        while try add() == .committed { taken += 1 }
        #expect(taken == 3)
        #expect(try store.submitAndWait { RetentionSlice(stream: events, through: 1, onDone: $0) } == .success(1))
        #expect(try add() == .committed)
        #expect(store.journal.position(events).last == 4)
    }

    @Test("the clock's worth is in each record")
    func timeQuality() throws {
        let store = try TestStore()
        store.journal.timeQuality = .synced
        try Self.append(store, store.state, 1)
        #expect(try store.environment.lines(store.state)[0].contains(#""postotimeq":"synced""#))
    }

    @Test("opening reads the rows of the streams, not the streams")
    func openIsConstant() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder, budgetBytes: 1 << 30)
            try Self.append(store, store.state, 40_000, perCommit: 2_000)
        }
        let store = try TestStore(in: folder, budgetBytes: 1 << 30)
        let clock = ContinuousClock()
        let spent = try clock.measure { _ = try Journal.open(store.environment, nodeID: "3f2a", epoch: 1, policies: TestStore.policies) }
        #expect(spent < .milliseconds(50))
        #expect(store.journal.position(store.state).last == 40_000)
        try Self.append(store, store.state, 1)
        #expect(store.journal.position(store.state).last == 40_001)
    }
}

extension TestStore {
    /// Submits a request that answers through a closure, and waits.
    func submitAndWait<T: Sendable>(_ make: (@escaping @Sendable (T) -> Void) -> any WriteRequest) throws(StoreError) -> T {
        let box = AnswerBox<T>()
        try writer.submit(make { box.set($0) })
        return box.wait()
    }
}

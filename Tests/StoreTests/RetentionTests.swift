import Domain
import Store
import Synchronization
import Testing

@Suite("Retention")
struct RetentionTests {
    static func policies(bytesMax: UInt64? = nil, ageMax: Duration? = nil) -> [StreamPolicy] {
        [StreamPolicy(name: "audit", priority: .audit, bytesMax: bytesMax, ageMax: ageMax, isChained: true)]
    }

    /// Plans and runs slices until nothing is due; returns how many records went with each.
    func run(_ store: TestStore, isClockTrusted: Bool = true, now: Timestamp? = nil, keptAfter: UInt64 = .max) throws -> [UInt64] {
        var slices: [UInt64] = []
        while true {
            let box = AnswerBox<Result<UInt64, StoreError>>()
            guard
                let slice = try RetentionSlice.plan(
                    store.audit, in: store.environment, now: now ?? store.time.now, isClockTrusted: isClockTrusted, keptAfter: keptAfter,
                    onDone: { box.set($0) })
            else { return slices }
            try store.writer.submit(slice)
            slices.append(try box.wait().get())
        }
    }

    func row(_ store: TestStore) throws -> StreamRow {
        try store.environment.read { (transaction) throws(StoreError) in try transaction.streamRow(store.audit)! }
    }

    @Test("by bytes: the oldest go in slices until the stream is within its bound; the rest is still one chain")
    func bytes() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder, budgetBytes: 1 << 30, policies: Self.policies(bytesMax: 100_000))
            try JournalTests.append(store, store.audit, 3_500, bytes: 100)
            let slices = try run(store)
            #expect(slices.count >= 4)
            #expect(slices.allSatisfy { $0 <= Limits.sliceRecordsMax })
            let row = try row(store)
            #expect(row.bytes <= 100_000 && row.bytes > 99_000)
            #expect(row.trimmed == slices.reduce(0, +))
            #expect(row.records == 3_500 - row.trimmed)
            #expect(store.journal.position(store.audit).trimmed == row.trimmed)
            #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
        }
        let store = try TestStore(in: folder, budgetBytes: 1 << 30, policies: Self.policies(bytesMax: 100_000))
        try JournalTests.append(store, store.audit, 10)
        let verification = try JournalVerifier.verify(store.audit, in: store.environment)
        #expect(verification.finding == .intact && verification.last == 3_510)
        // What is written now says what is gone, for salvage.
        let row = try row(store)
        _ = try store.environment.read { (transaction) throws(StoreError) in
            try transaction.scan(store.audit, after: 3_509) { (entry) throws(StoreError) in
                #expect(entry.trimmedThrough == row.trimmed)
                return true
            }
        }
    }

    @Test("long records go with all their pieces, fewer in a slice")
    func pieces() throws {
        let store = try TestStore(budgetBytes: 1 << 30, policies: Self.policies(bytesMax: 1_000_000))
        try JournalTests.append(store, store.audit, 200, bytes: 30_000, perCommit: 10)
        let slices = try run(store)
        #expect(slices.allSatisfy { $0 <= UInt64(Limits.slicePagesMax) / 8 })
        let row = try row(store)
        #expect(row.bytes <= 1_000_000)
        #expect(
            try JournalVerifier.verify(store.audit, in: store.environment)
                == JournalVerification(
                    finding: .intact, records: row.records, first: row.trimmed + 1, last: 200))
    }

    @Test("by age: what is older goes, what is younger stays")
    func age() throws {
        let store = try TestStore(policies: Self.policies(ageMax: .seconds(3_600)))
        try JournalTests.append(store, store.audit, 60)
        store.time.advance(.seconds(1_800))
        try JournalTests.append(store, store.audit, 40)
        #expect(try run(store) == [])
        store.time.advance(.seconds(1_800))
        #expect(try run(store) == [60])
        #expect(try row(store).records == 40)
    }

    @Test("a clock that is not trusted, or went back, deletes nothing by age")
    func clock() throws {
        let store = try TestStore(policies: Self.policies(ageMax: .seconds(3_600)))
        try JournalTests.append(store, store.audit, 60)
        #expect(try run(store, isClockTrusted: false, now: store.time.now + .seconds(1_000_000)) == [])
        #expect(try run(store, now: Timestamp(milliseconds: 0)) == [])
        #expect(try row(store).records == 60)
    }

    @Test("what somebody still waits for stays")
    func kept() throws {
        let store = try TestStore(budgetBytes: 1 << 30, policies: Self.policies(bytesMax: 0))
        try JournalTests.append(store, store.audit, 60)
        #expect(try run(store, keptAfter: 20) == [20])
        #expect(try run(store) == [40])
        #expect(try row(store).bytes == 0)
        try JournalTests.append(store, store.audit, 1)
        #expect(
            try JournalVerifier.verify(store.audit, in: store.environment)
                == JournalVerification(
                    finding: .intact, records: 1, first: 61, last: 61))
    }

    @Test("checkpoints go with what they stood for")
    func checkpoints() throws {
        let store = try TestStore(budgetBytes: 1 << 30, policies: Self.policies(bytesMax: 0))
        try JournalTests.append(store, store.audit, 3_000)
        _ = try run(store)
        let count = try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.checkpoints) }
        #expect(count <= 1)
    }

    /// As in a daemon that lives for moments: nothing is ever planned.
    @Test(
        "a writer to which nobody comes to delete keeps its streams bounded by itself: four budgets are written and nothing is refused",
        arguments: [100, 1_200, 2_100, 30_000])
    func forced(bytes: Int) throws {
        let budget = 16 << 20
        let policies = [
            StreamPolicy(name: "audit", priority: .audit, bytesMax: UInt64(budget / 4), isChained: true),
            StreamPolicy(name: "state", priority: .state, bytesMax: UInt64(budget / 4)),
        ]
        let store = try TestStore(budgetBytes: budget, policies: policies)
        let streams = [store.audit, store.state]
        var written: UInt64 = 0
        var highest = 0
        while written < UInt64(4 * budget) {
            let answer = try store.run(
                TestRequest(priority: .state) { (context) throws(StoreError) in
                    for number in 0..<max(2, 200_000 / (bytes + 400)) {
                        let draft = EventDraft(type: "t", tenant: "default", priority: .state)
                        try context.append(streams[number % 2], draft) { json, _ in json.string(String(repeating: "x", count: bytes)) }
                    }
                })
            #expect(answer == .committed)
            if answer != .committed { break }
            written += 200_000
            highest = max(highest, try store.environment.usage().usedPages)
        }
        #expect(highest * StoreEnvironment.pageBytes < budget / 100 * 72, "\(highest) pages")
        for stream in streams {
            #expect(store.journal.position(stream).bytes > UInt64(budget / 8), "more was deleted than had to be")
            #expect(try JournalVerifier.verify(stream, in: store.environment).finding == .intact)
        }
    }

    @Test("the writer calls once when a stream passes its bound, and again when it was heard and the stream is still beyond")
    func signal() throws {
        let calls = Atomic<Int>(0)
        let store = try TestStore(budgetBytes: 16 << 20, policies: Self.policies(bytesMax: 1 << 20), starts: false)
        store.writer.retention.onRaise { calls.add(1, ordering: .relaxed) }
        store.writer.start()
        try JournalTests.append(store, store.audit, 1_000, bytes: 600)
        #expect(calls.load(ordering: .relaxed) == 0 && !store.writer.retention.isRaised)
        try JournalTests.append(store, store.audit, 300, bytes: 600)
        #expect(calls.load(ordering: .relaxed) == 1)
        #expect(store.writer.retention.take() && !store.writer.retention.take())
        try JournalTests.append(store, store.audit, 1)
        #expect(calls.load(ordering: .relaxed) == 2 && store.writer.retention.take())
        _ = try run(store)
        try JournalTests.append(store, store.audit, 1)
        #expect(!store.writer.retention.isRaised)
    }

    @Test("a request that finds no room calls too, so that what is no longer kept is deleted at once and the next one is taken")
    func refusalHeals() throws {
        let store = try TestStore(budgetBytes: 16 << 20, policies: Self.policies(ageMax: .seconds(3_600)))
        for records in [10, 1] {
            while try store.run(
                TestRequest(priority: .state) { (context) throws(StoreError) in
                    for _ in 0..<records {
                        let draft = EventDraft(type: "t", tenant: "default", priority: .state)
                        try context.append(context.journal.stream("audit")!, draft) { json, _ in
                            json.string(String(repeating: "x", count: 3_000))
                        }
                    }
                }) == .committed
            {}
        }
        #expect(store.writer.retention.take())
        #expect(try store.run(.put("x", [1])) == .failed(.full))
        #expect(store.writer.retention.take())
        store.time.advance(.seconds(3_600))
        _ = try run(store)
        #expect(try store.run(.put("x", [1])) == .committed)
    }

    @Test("a stream that refuses new records keeps the old ones, however full it is")
    func refusing() throws {
        let store = try TestStore(
            policies: [StreamPolicy(name: "audit", priority: .audit, bytesMax: 1_000, whenFull: .rejectNew)])
        try JournalTests.append(store, store.audit, 1, bytes: 3_000)
        #expect(try run(store) == [])
        #expect(!store.writer.retention.isRaised)
    }
}

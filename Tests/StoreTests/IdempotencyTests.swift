import Domain
import Store
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    func answer(_ store: TestStore, status: UInt16 = 201, body: [UInt8] = [1, 2]) -> IdempotentAnswer {
        IdempotentAnswer(digest: Digest32(), status: status, body: body, created: store.time.now)
    }

    func remember(_ store: TestStore, _ key: String, _ answer: IdempotentAnswer) throws {
        let done = try store.run(
            TestRequest { (context) throws(StoreError) in try context.transaction.remember(answer, for: Array(key.utf8), revision: 1) })
        #expect(done == .committed)
    }

    func recall(_ store: TestStore, _ key: String) throws -> IdempotentAnswer? {
        try store.environment.read { (transaction) throws(StoreError) in try transaction.idempotentAnswer(Array(key.utf8)) }
    }

    func expire(_ store: TestStore, isClockTrusted: Bool = true, keysMax: Int = 1_000_000) throws {
        while true {
            let box = AnswerBox<StoreError?>()
            guard
                let slice = try IdempotencySlice.plan(
                    in: store.environment, now: store.time.now, isClockTrusted: isClockTrusted, keysMax: keysMax, onDone: { box.set($0) })
            else { return }
            try store.writer.submit(slice)
            #expect(box.wait() == nil)
        }
    }

    @Test("the answer comes back as it was given, over a reopen")
    func recall() throws {
        let folder = TemporaryFolder()
        var given: IdempotentAnswer?
        do {
            let store = try TestStore(in: folder)
            given = answer(store, body: [UInt8](repeating: 7, count: Limits.idempotencyAnswerBytesMax))
            try remember(store, String(repeating: "k", count: 256), given!)
        }
        let store = try TestStore(in: folder)
        #expect(try recall(store, String(repeating: "k", count: 256)) == given)
        #expect(try recall(store, "other") == nil)
    }

    @Test("a key is forgotten after a day by a trusted clock, and not before")
    func age() throws {
        let store = try TestStore()
        for i in 0..<500 { try remember(store, "old\(i)", answer(store)) }
        store.time.advance(.seconds(86_399))
        try remember(store, "young", answer(store))
        try expire(store)
        #expect(try recall(store, "old0") != nil)
        store.time.advance(.seconds(1))
        try expire(store, isClockTrusted: false)
        #expect(try recall(store, "old0") != nil)
        try expire(store)
        #expect(try recall(store, "old0") == nil)
        #expect(try recall(store, "old499") == nil)
        #expect(try recall(store, "young") != nil)
        let counts = try store.environment.read { (transaction) throws(StoreError) in
            [try transaction.count(.dedup), try transaction.count(.dedupByAge)]
        }
        #expect(counts == [1, 1])
    }

    @Test("beyond the bound the oldest keys are forgotten; one remembered again is young")
    func count() throws {
        let store = try TestStore()
        for i in 0..<10 { try remember(store, "k\(i)", answer(store)) }
        try remember(store, "k0", answer(store, status: 200))
        try expire(store, keysMax: 4)
        let left = try (0..<10).filter { try recall(store, "k\($0)") != nil }
        #expect(left == [0, 7, 8, 9])
        #expect(try recall(store, "k0")?.status == 200)
    }

    @Test("keys never take more than their share of the budget: the oldest give way to new ones, and nothing is refused")
    func share() throws {
        let store = try TestStore(budgetBytes: 16 << 20)
        let kept = answer(store, body: [UInt8](repeating: 7, count: 700))
        for batch in 0..<100 {
            let done = try store.run(
                TestRequest { (context) throws(StoreError) in
                    for i in 0..<100 {
                        try context.transaction.remember(kept, for: Array("key-\(batch * 7919 % 100)-\(i)".utf8), revision: 1)
                    }
                })
            #expect(done == .committed)
        }
        let (pages, count) = try store.environment.read { (transaction) throws(StoreError) in
            (try transaction.pages(.dedup) + transaction.pages(.dedupByAge), try transaction.count(.dedup))
        }
        #expect(pages <= (16 << 20) / 4_096 / Limits.idempotencyBudgetShare + 8 && count > 500 && count < 3_000, "\(pages) \(count)")
        #expect(try recall(store, "key-\(99 * 7919 % 100)-99") == kept)
        #expect(try recall(store, "key-0-0") == nil)
    }
}

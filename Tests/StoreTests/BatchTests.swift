import Domain
import Store
import Synchronization
import Testing

/// Requests that share a commit: one of them fails in some way, its neighbours must not feel it.
@Suite("A batch")
struct BatchTests {
    enum Failure: String, CaseIterable, Sendable {
        case beforeWriting, afterWriting, afterAppending, afterDeleting, afterWritingFenced, afterAppendingFenced
    }

    @Test("a request that fails disturbs no neighbour", arguments: Failure.allCases, [0, 3, 7])
    func isolation(failure: Failure, position: Int) throws {
        let store = try TestStore(starts: false)
        let state = store.state
        let audit = store.audit
        try store.environment.write { (transaction) throws(StoreError) in
            try transaction.put(.things, StoreKey(.things, Array("old".utf8)), [1], revision: 0)
        }
        let isFenced = failure == .afterWritingFenced || failure == .afterAppendingFenced
        let requests = (0..<8).map { number in
            TestRequest(isFenced: number == position && isFenced) { (context) throws(StoreError) in
                if number == position, failure == .beforeWriting { throw StoreError(.busy, "fail") }
                let draft = EventDraft(type: "t\(number)", tenant: "default", priority: .state)
                if number != position || failure == .afterWriting || failure == .afterWritingFenced {
                    try context.transaction.put(.things, StoreKey(.things, Array("k\(number)".utf8)), [UInt8(number)], revision: 1)
                }
                if number != position || failure == .afterAppending || failure == .afterAppendingFenced {
                    try context.append(state, draft) { json, seq in json.unsigned(seq) }
                    try context.append(audit, draft) { json, seq in json.unsigned(seq) }
                }
                if number == position {
                    if failure == .afterDeleting { try context.transaction.delete(.things, StoreKey(.things, Array("old".utf8))) }
                    throw StoreError(.busy, "fail")
                }
            }
        }
        for request in requests { try store.writer.submit(request) }
        store.writer.start()
        for (number, request) in requests.enumerated() {
            #expect(request.wait() == (number == position ? .failed(.busy) : .committed))
        }
        store.writer.stop()
        // One commit for all of them, and exactly the neighbours' work in it.
        #expect(store.reports.all.map(\.requests) == [8])
        for number in 0..<8 {
            #expect(try store.environment.value("k\(number)") == (number == position ? nil : [UInt8(number)]))
        }
        #expect(try store.environment.value("old") == [1])
        for stream in [state, audit] {
            let lines = try store.environment.lines(stream)
            #expect(lines.count == 7)
            for (at, number) in (0..<8).filter({ $0 != position }).enumerated() {
                #expect(lines[at].contains(#""type":"t\#(number)""#))
                #expect(lines[at].contains(#""postoseq":"\#(at + 1)""#))
                #expect(lines[at].hasSuffix(#""data":\#(at + 1)}"#))
            }
            #expect(try JournalVerifier.verify(stream, in: store.environment).finding == .intact)
            #expect(store.journal.position(stream).last == 7)
        }
    }

    @Test("a batch takes at most 256 requests, and about a mebibyte of values")
    func bounds() throws {
        let store = try TestStore(starts: false)
        let small = (0..<300).map { _ in TestRequest(priority: .audit) { (_) throws(StoreError) in } }
        let large = (0..<10).map { number in
            TestRequest(priority: .audit) { (context) throws(StoreError) in
                for part in 0..<100 {
                    let key = StoreKey(.things, UInt64(number * 1_000 + part))
                    try context.transaction.put(.things, key, [UInt8](repeating: 0, count: 4_000), revision: 0)
                }
            }
        }
        for request in small + large { try store.writer.submit(request) }
        store.writer.start()
        for request in small + large { #expect(request.wait() == .committed) }
        store.writer.stop()
        #expect(store.reports.all.map(\.requests) == [256, 44 + 3, 3, 3, 1])
    }

    @Test("a full queue says busy, a stopped writer says closed; what was taken is answered")
    func queue() throws {
        let store = try TestStore(starts: false)
        let count = Atomic<Int>(0)
        let first = TestRequest { (_) throws(StoreError) in }
        try store.writer.submit(first)
        for _ in 1..<Limits.writerQueueMax {
            try store.writer.submit(TestRequest { (_) throws(StoreError) in count.add(1, ordering: .relaxed) })
        }
        #expect(store.writer.queued == Limits.writerQueueMax)
        #expect {
            try store.writer.submit(TestRequest { (_) throws(StoreError) in })
        } throws: {
            ($0 as? StoreError)?.code == .busy
        }
        store.writer.start()
        store.writer.stop()
        #expect(first.wait() == .committed)
        #expect(count.load(ordering: .relaxed) == Limits.writerQueueMax - 1)
        #expect {
            try store.writer.submit(TestRequest { (_) throws(StoreError) in })
        } throws: {
            ($0 as? StoreError)?.code == .closed
        }
    }

    @Test("many producers: every acknowledged request is there, and the figures count them")
    func producers() async throws {
        let store = try TestStore()
        let state = store.state
        let writer = store.writer
        await withTaskGroup(of: Void.self) { group in
            for producer in 0..<8 {
                group.addTask {
                    for number in 0..<100 {
                        let request = TestRequest { (context) throws(StoreError) in
                            try context.transaction.put(.things, StoreKey(.things, UInt64(producer * 1_000 + number)), [1], revision: 1)
                            try context.append(state, EventDraft(type: "t", tenant: "d", priority: .state)) { json, seq in
                                json.unsigned(seq)
                            }
                        }
                        try? writer.submit(request)
                        #expect(request.wait() == .committed)
                    }
                }
            }
        }
        #expect(try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) } == 800)
        #expect(store.writer.figures.requests.load(ordering: .relaxed) == 800)
        #expect(store.writer.figures.commitHistogram.reduce(0, +) == store.writer.figures.batches.load(ordering: .relaxed))
        #expect(try JournalVerifier.verify(state, in: store.environment).records == 800)
    }
}

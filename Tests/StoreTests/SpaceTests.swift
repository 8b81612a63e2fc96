import CPlatform
import Domain
import Glibc
import Store
import Synchronization
import Testing

@Suite("When there is no room")
struct SpaceTests {
    static let draft = EventDraft(type: "t", tenant: "default", priority: .audit)

    /// Puts values of a page under new keys, some in a request, until the writer refuses; returns how many it took.
    func fill(_ store: TestStore, priority: RecordPriority, from first: Int, most: Int = 100_000, perRequest: Int = 1) throws -> Int {
        var taken = 0
        while taken < most {
            let key = UInt64(first + taken)
            let answer = try store.run(
                TestRequest(priority: priority) { (context) throws(StoreError) in
                    for number in 0..<UInt64(perRequest) {
                        try context.transaction.put(
                            .things, StoreKey(.things, key + number), [UInt8](repeating: 1, count: 4_000), revision: 1)
                    }
                })
            if answer == .failed(.full) { return taken }
            #expect(answer == .committed)
            taken += perRequest
        }
        return taken
    }

    func appendAudit(_ store: TestStore) throws -> TestRequest.Answer {
        let audit = store.audit
        return try store.run(
            TestRequest(priority: .audit) { (context) throws(StoreError) in
                try context.append(audit, Self.draft) { json, seq in json.unsigned(seq) }
            })
    }

    @Test("each priority may use its share of the budget: bulk 75 %, business 85 %, state 95 %, audit all")
    func shares() throws {
        let store = try TestStore(budgetBytes: 16 << 20)
        func share() throws -> Double {
            let usage = try store.environment.usage()
            return Double(usage.usedPages) / Double(usage.budgetPages) * 100
        }
        var key = 0
        for (priority, percent) in [(RecordPriority.bulk, 75.0), (.business, 85.0), (.state, 95.0), (.audit, 100.0)] {
            key += try fill(store, priority: priority, from: key, perRequest: 10)
            key += try fill(store, priority: priority, from: key)
            #expect(try abs(share() - percent) < 0.5, "\(priority)")
            // What those below may not do at all stays refused.
            #expect(try store.run(.put("x", [1], priority: .bulk)) == .failed(.full))
        }
        // Reads go on, deletions are taken, and after them everything is again.
        #expect(try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) } == key)
        for slice in 0..<8 {
            let answer = try store.run(
                TestRequest(priority: .bulk, releasesSpace: true) { (context) throws(StoreError) in
                    for number in 0..<200 { try context.transaction.delete(.things, StoreKey(.things, UInt64(slice * 200 + number))) }
                })
            #expect(answer == .committed)
        }
        #expect(try store.run(.put("x", [1], priority: .bulk)) == .committed)
    }

    @Test("a request that reaches its share half way leaves nothing, and its neighbours stay")
    func halfWay() throws {
        let store = try TestStore(budgetBytes: 16 << 20, starts: false)
        let big = TestRequest(priority: .bulk) { (context) throws(StoreError) in
            for number in 0..<4_000 {
                try context.transaction.put(.things, StoreKey(.things, UInt64(number)), [UInt8](repeating: 1, count: 4_000), revision: 1)
            }
        }
        let before = TestRequest.put("before", [1])
        let after = TestRequest.put("after", [1])
        for request in [before, big, after] { try store.writer.submit(request) }
        store.writer.start()
        #expect(before.wait() == .committed)
        #expect(big.wait() == .failed(.full))
        #expect(after.wait() == .committed)
        #expect(try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) } == 2)
    }

    @Test("below the least free space only audit and deletions are taken; the refusal is in the audit; it ends by itself")
    func diskFull() throws {
        let disk = ManualDisk()
        let store = try TestStore(disk: disk.disk)
        let audit = store.audit
        func put() throws -> TestRequest.Answer {
            try store.run(
                TestRequest(
                    priority: .state,
                    onRefused: { (context) throws(StoreError) in
                        try context.append(audit, Self.draft) { json, _ in json.string("refused") }
                    }
                ) { (context) throws(StoreError) in
                    try context.transaction.put(.things, StoreKey(.things, 1), [1], revision: 1)
                })
        }
        #expect(try put() == .committed)
        disk.free.store(1_000, ordering: .relaxed)
        // Asked at most each 100 ms.
        #expect(try put() == .committed)
        store.time.advance(.milliseconds(100))
        #expect(try put() == .failed(.full))
        #expect(store.writer.isDiskFull)
        #expect(try store.environment.lines(audit).count == 1)
        #expect(try appendAudit(store) == .committed)
        #expect(try store.environment.value("nothing") == nil)
        #expect(
            try store.run(
                TestRequest(priority: .state, releasesSpace: true) { (context) throws(StoreError) in
                    try context.transaction.delete(.things, StoreKey(.things, 1))
                }) == .committed)
        disk.free.store(1 << 40, ordering: .relaxed)
        store.time.advance(.milliseconds(100))
        #expect(try put() == .committed)
        #expect(!store.writer.isDiskFull)
        #expect(store.reports.fatalError == nil)
    }

    @Test("a refusal's audit record that itself fails changes nothing")
    func refusedFails() throws {
        let disk = ManualDisk()
        disk.free.store(0, ordering: .relaxed)
        let store = try TestStore(disk: disk.disk, starts: false)
        let audit = store.audit
        let request = TestRequest(
            priority: .state,
            onRefused: { (context) throws(StoreError) in
                try context.append(audit, Self.draft) { json, _ in json.null() }
                throw StoreError(.system, "fail after appending")
            }
        ) { (_) throws(StoreError) in }
        try store.writer.submit(request)
        store.writer.start()
        #expect(request.wait() == .failed(.full))
        #expect(try store.environment.lines(audit) == [])
        #expect(try appendAudit(store) == .committed)
        #expect(try JournalVerifier.verify(audit, in: store.environment).finding == .intact)
    }

    @Test(
        "on a full file system state is refused, audit goes on in the reserve, nothing acknowledged is lost, and room heals it",
        .enabled(if: SmallDisk.isPossible, "needs root and mount(8): a tmpfs of 24 MiB"), arguments: [true, false])
    func realDisk(preallocates: Bool) throws {
        let disk = try SmallDisk(mebibytes: 24)
        let path = disk.path + "/state.mdb"
        var keys = 0
        do {
            // The least free space is asked of the disk, but too small to be reached: so the commit itself fails.
            let store = try TestStore(path: path, budgetBytes: 12 << 20, preallocate: preallocates, diskFreeBytesMin: 4_096)
            keys = try fill(store, priority: .state, from: 0, most: 500)
            #expect(keys == 500)
            disk.fill()
            let more = try fill(store, priority: .state, from: keys)
            keys += more
            if !preallocates {
                #expect(more < 5)
            } else {
                // Room was kept: audit goes on where state may not.
                let audits = try (0..<200).map { _ in try appendAudit(store) }
                #expect(audits.allSatisfy { $0 == .committed })
            }
            #expect(try store.run(.put("x", [UInt8](repeating: 1, count: 4_000))) == .failed(.full))
            #expect(try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) } == keys)
            #expect(store.reports.fatalError == nil)
            // Room again: no reopen, only the next look.
            disk.empty()
            store.time.advance(.seconds(1))
            #expect(try store.run(.put("x", [UInt8](repeating: 1, count: 4_000), priority: .audit)) == .committed)
            #expect(try appendAudit(store) == .committed)
            if !preallocates { #expect(try fill(store, priority: .state, from: keys, most: 100) == 100) }
        }
        let store = try TestStore(path: path, budgetBytes: 12 << 20)
        let count = try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) }
        #expect(count == keys + 1 + (preallocates ? 0 : 100))
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
    }

    @Test(
        "without preallocation the ballast is given up at the first full commit, so that audit is written",
        .enabled(if: SmallDisk.isPossible))
    func ballast() throws {
        let disk = try SmallDisk(mebibytes: 24)
        let unsupported = StoreDisk(freeBytes: StoreDisk.system.freeBytes, preallocate: { _, _ in EOPNOTSUPP })
        let store = try TestStore(
            path: disk.path + "/state.mdb", budgetBytes: 80 << 20, preallocate: true, disk: unsupported, diskFreeBytesMin: 4_096)
        #expect(try store.environment.usage().reserve.reservedBytes == 4 << 20)
        #expect(try appendAudit(store) == .committed)
        disk.fill()
        var audits = 0
        while audits < 300, try appendAudit(store) == .committed { audits += 1 }
        #expect(audits == 300)
        #expect(try store.environment.usage().reserve.reservedBytes == 0)
        disk.empty()
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.isComplete)
        #expect(try JournalVerifier.verify(store.audit, in: store.environment).finding == .intact)
    }

    @Test(
        "what the ballast gave back is for audit alone: changes are refused until it is whole again or the disk has as much more",
        .enabled(if: SmallDisk.isPossible))
    func ballastIsForAudit() throws {
        let disk = try SmallDisk(mebibytes: 48)
        let unsupported = StoreDisk(freeBytes: StoreDisk.system.freeBytes, preallocate: { _, _ in EOPNOTSUPP })
        let store = try TestStore(
            path: disk.path + "/state.mdb", budgetBytes: 80 << 20, preallocate: true, ballastBytes: 8 << 20, disk: unsupported,
            diskFreeBytesMin: 1 << 20)
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve == StoreReserve(method: .ballast, wantedBytes: 8 << 20, reservedBytes: 8 << 20))
        #expect(try fill(store, priority: .state, from: 0, most: 100) == 100)
        disk.fill()
        while try store.environment.usage().reserve.reservedBytes > 0 { #expect(try appendAudit(store) == .committed) }
        #expect(try !store.environment.usage().reserve.isComplete && store.environment.reserve.owedBytes == 8 << 20)
        // Free is now almost all of the ballast, far above the least; it is not for changes.
        for _ in 0..<100 {
            store.time.advance(.seconds(1))
            #expect(try store.run(.put("x", [1])) == .failed(.full))
            #expect(try appendAudit(store) == .committed)
        }
        disk.empty()
        store.time.advance(.seconds(1))
        #expect(try store.run(.put("x", [1])) == .committed)
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.reservedBytes == 4 << 20 && store.environment.reserve.owedBytes == 4 << 20)
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.isComplete && store.environment.reserve.owedBytes == 0)
    }

    @Test("a map that is full grows by itself while others read, once an hour; then deletions are taken, and what comes after")
    func mapFull() throws {
        let store = try TestStore(budgetBytes: 1 << 30, mapBytes: 4 << 20)
        let isReading = Atomic<Bool>(true)
        let environment = store.environment
        let readers = (0..<2).map { _ in
            CareThread {
                while isReading.load(ordering: .relaxed) {
                    _ = try? environment.read { (transaction) throws(StoreError) in
                        try transaction.scan(.things, prefix: StoreKey(.things)) { (_, payload, _) throws(StoreError) in
                            precondition(payload.count == 4_000 && payload[3_999] == 1)
                            return true
                        }
                    }
                    _ = try? environment.usage()
                }
            }
        }
        defer {
            isReading.store(false, ordering: .relaxed)
            for reader in readers { reader.join() }
        }
        let first = try fill(store, priority: .state, from: 0, most: 1_000)
        #expect(first > 0 && first < 1_000)
        #expect(store.environment.mapGrowthCount == 1)
        #expect(store.writer.retention.take(), "what is no longer kept should go now")
        let delete = { (range: Range<Int>) in
            TestRequest(priority: .state, releasesSpace: true) { (context) throws(StoreError) in
                for number in range { try context.transaction.delete(.things, StoreKey(.things, UInt64(number))) }
            }
        }
        #expect(try store.run(delete(0..<300)) == .committed)
        #expect(try fill(store, priority: .state, from: first, most: 500) == 500)
        #expect(try appendAudit(store) == .committed)
        // The second time within the hour it stays full.
        let second = try fill(store, priority: .state, from: first + 500, perRequest: 50)
        _ = try fill(store, priority: .state, from: first + 500 + second)
        #expect(second > 1_000 && store.environment.mapGrowthCount == 1)
        #expect(try store.run(.put("x", [UInt8](repeating: 1, count: 4_000))) == .failed(.full))
        store.time.advance(.seconds(3_600))
        #expect(try store.run(.put("x", [UInt8](repeating: 1, count: 4_000))) == .failed(.full))
        #expect(store.environment.mapGrowthCount == 2)
        #expect(try store.run(.put("x", [UInt8](repeating: 1, count: 4_000))) == .committed)
        #expect(store.reports.fatalError == nil)
    }

    /// A limit on the size of files makes LMDB's write a short one, which it reports as EIO: to the store that is a disk that fails.
    @Test("a commit that fails while the disk has room is the end: nothing is acknowledged, the writer says why and takes no more")
    func diskFailed() async {
        await #expect(processExitsWith: .success) {
            let store = try TestStore()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 300 * 4_096 + 100, rlim_max: 300 * 4_096 + 100)
            precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            var acknowledged = 0
            var last = TestRequest.Answer.committed
            while last == .committed, acknowledged < 2_000 {
                let key = UInt64(acknowledged)
                last = try store.run(
                    TestRequest(priority: .audit) { (context) throws(StoreError) in
                        try context.transaction.put(.things, StoreKey(.things, key), [UInt8](repeating: 1, count: 4_000), revision: 1)
                    })
                if last == .committed { acknowledged += 1 }
            }
            precondition(last == .failed(.diskFailed), "\(last)")
            precondition(acknowledged > 100)
            store.writer.stop()
            precondition(store.reports.fatalError?.code == .diskFailed)
            do {
                try store.writer.submit(TestRequest.put("x", [1]))
                preconditionFailure("a writer whose disk failed took a request")
            } catch {
                precondition((error as? StoreError)?.code == .closed)
            }
            let count = try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) }
            precondition(count == acknowledged)
        }
    }
}

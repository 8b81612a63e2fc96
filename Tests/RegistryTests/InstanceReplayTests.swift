import Domain
import Store
import Testing

@testable import Registry

@Suite("Replaying instances from their records")
struct InstanceReplayTests {
    private func open(_ test: TestRegistry) throws -> StoreEnvironment {
        test.stop()
        let environment = try StoreEnvironment.open(
            StoreEnvironment.Options(path: test.folder.file("state.mdb"), budgetBytes: 64 << 20, diskFreeBytesMin: 1 << 20))
        try environment.openTables([.stream(0, named: "state"), .stream(1, named: "audit")])
        return environment
    }

    private func rows(_ environment: StoreEnvironment) throws -> [InstanceKey: InstanceRow] {
        var rows: [InstanceKey: InstanceRow] = [:]
        try environment.read { (transaction) throws(StoreError) in
            var keys: [InstanceKey] = []
            try InstanceTable.walk(from: StoreKey(.instances), prefix: StoreKey(.instances), in: transaction, onDamage: { _ in }) {
                (instance) throws(StoreError) in
                keys.append(instance.key)
                return true
            }
            for key in keys { rows[key] = try InstanceTable.row(of: key, in: transaction) }
        }
        return rows
    }

    private func drop(_ key: InstanceKey, _ environment: StoreEnvironment) throws {
        try environment.write { (transaction) throws(StoreError) in
            let row = try InstanceTable.row(of: key, in: transaction)!
            try InstanceTable.delete(key, partCount: UInt8(row.encode().continuations.count), in: transaction)
        }
    }

    /// Short and long ones, changed ones, of another tenant, with checks' answers, removed ones.
    private func makeHistory() throws -> TestRegistry {
        let test = try TestRegistry()
        let long = (0..<60).map { (key: "key-\($0)", value: String(repeating: "v\\\"é", count: 60)) }
        for number in 0..<10 {
            try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number), ttl: 3_600, metadata: number % 3 == 0 ? long : []))
        }
        try test.register(.test("svc-1", port: 9_101, ttl: 120, metadata: [("n", "second")]))
        try test.register(.test("other", host: "fe80::1", port: 9_200, tenant: "tenant-b"))
        try test.setHealth(.test("svc-2", port: 9_002), .critical)
        try test.deregister(InstanceKey(.test("svc-4")))
        try test.deregister(InstanceKey(.test("svc-5")))
        try test.register(.test("svc-5", port: 9_005, metadata: [("n", "again")]))
        return test
    }

    @Test("every row that is lost comes back as it was, but for its place on the lease board; what was removed stays removed")
    func everything() throws {
        let test = try makeHistory()
        let environment = try open(test)
        let before = try rows(environment)
        #expect(before.count == 10)
        for key in before.keys { try drop(key, environment) }
        #expect(try InstanceReplay.run(in: environment) == InstanceReplay.Report(restored: 10, removed: 0, unreadable: 0))
        try InstanceIndex.rebuild(in: environment)
        let after = try rows(environment)
        #expect(after.keys == before.keys)
        for (key, row) in after {
            var expected = try #require(before[key])
            #expect(row.generation == 0)
            (expected.slot, expected.generation) = (row.slot, 0)
            #expect(row == expected)
        }
        #expect(Set(after.values.map(\.slot)) == Set(0..<10))
        #expect(try InstanceReplay.run(in: environment) == InstanceReplay.Report(), "a second time there is nothing to do")
    }

    @Test("a row older than its last record is brought up to it and keeps its lease; one that is newer stays; one that was removed goes")
    func olderAndDead() throws {
        let test = try makeHistory()
        let environment = try open(test)
        let before = try rows(environment)
        let (changed, dead) = (InstanceKey(.test("svc-1")), InstanceKey(.test("svc-4")))
        try environment.write { (transaction) throws(StoreError) in
            var old = before[changed]!
            (old.revision, old.port, old.members) = (2, 9_001, Registration.test("svc-1", port: 9_001, ttl: 3_600).members())
            try InstanceTable.put(old, at: changed, in: transaction)
            var risen = before[InstanceKey(.test("svc-3"))]!
            (risen.revision, risen.slot) = (5, 40)
            try InstanceTable.put(risen, at: dead, in: transaction)
        }
        #expect(try InstanceReplay.run(in: environment) == InstanceReplay.Report(restored: 1, removed: 1, unreadable: 0))
        #expect(try rows(environment) == before)
    }

    @Test("after a replay the registry works: what came back is expired until it is renewed, and new ones get other slots")
    func goesOn() throws {
        let test = try makeHistory()
        do {
            let environment = try open(test)
            for name in ["svc-0", "svc-1", "svc-8"] { try drop(InstanceKey(.test(name)), environment) }
            #expect(try InstanceReplay.run(in: environment).restored == 3)
            try InstanceIndex.rebuild(in: environment)
        }
        try test.start()
        try test.announce()
        #expect(try test.look("svc-0").map(\.freshness) == ["expired"] && test.look("svc-9").map(\.freshness) == ["fresh"])
        guard case .renewed = try test.renew("svc-0") else {
            Issue.record("the holder came back and was not let in")
            return
        }
        #expect(try test.look("svc-0").map(\.freshness) == ["fresh"])
        guard case .registered(_, isNew: true) = try test.register(.test("new", port: 9_300)) else {
            Issue.record("no slot for a new one")
            return
        }
        #expect(try test.list().count == 10)
        test.time.advance(.seconds(3_600 + 15))
        try test.sweep()
        try test.sweep()
        #expect(try test.look("svc-8").isEmpty, "nobody renewed it")
    }
}

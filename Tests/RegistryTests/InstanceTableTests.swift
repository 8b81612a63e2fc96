import Domain
import Glibc
import Store
import Testing

@testable import Registry

@Suite("the rows of instances")
struct InstanceTableTests {
    /// As long as the rules allow, and beyond: characters that take six bytes in JSON.
    private func long(_ service: String, pairs: Int = 64, valueBytes: Int = 512, escaped: Bool = false) -> Registration {
        let value = String(repeating: escaped ? "\u{1}" : "v", count: valueBytes)
        return .test(
            service,
            metadata: (0..<pairs).map { number in
                (key: String(("\(number)" + String(repeating: "k", count: 128)).prefix(128)), value: value)
            })
    }

    private func roundTrip(_ test: TestRegistry, _ registration: Registration) throws {
        try test.register(registration)
        let row = try test.run.environment.read { (transaction) throws(StoreError) in
            try InstanceTable.row(of: InstanceKey(registration), in: transaction)
        }
        #expect(row?.members == registration.members())
        #expect(row?.port == registration.port && row?.ttlSeconds == registration.ttlSeconds)
        #expect(row.map { String(decoding: $0.host, as: UTF8.self) } == registration.host)
        let shown = try test.look(registration.serviceName)
        #expect(shown.count == 1 && shown[0].id == registration.id)
    }

    private func rowCount(_ test: TestRegistry) throws -> Int {
        try test.run.environment.read { (transaction) throws(StoreError) in try transaction.count(.instances) }
    }

    @Test("registrations of every length come back as they went in, growing and shrinking")
    func lengths() throws {
        let test = try TestRegistry()
        try roundTrip(test, .test("teller"))
        #expect(try rowCount(test) == 1)
        try roundTrip(test, long("teller"))
        #expect(try rowCount(test) > 8)
        try roundTrip(test, long("teller", escaped: true))
        try roundTrip(test, long("teller", pairs: 30))
        try roundTrip(test, long("teller", pairs: 1, valueBytes: 10))
        #expect(try rowCount(test) == 1)
        try roundTrip(test, long("teller"))
        try test.deregister(InstanceKey(.test("teller")))
        #expect(try rowCount(test) == 0)
    }

    @Test("every length around the end of a row")
    func edges() throws {
        let test = try TestRegistry()
        let base = Registration.test("teller", metadata: [(key: "k", value: "")]).members().count
        let room = InstanceRow.payloadBytesMax - InstanceRow.fixedSize - "127.0.0.1".utf8.count
        for length in [room - 2, room - 1, room, room + 1, room + InstanceRow.payloadBytesMax, room + InstanceRow.payloadBytesMax + 1] {
            // Not within the field rules, which the rows do not know.
            let registration = Registration.test("teller", metadata: [(key: "k", value: String(repeating: "v", count: length - base))])
            #expect(registration.members().count == length)
            try roundTrip(test, registration)
            #expect(try rowCount(test) == 1 + max(0, (length - room + InstanceRow.payloadBytesMax - 1) / InstanceRow.payloadBytesMax))
        }
    }

    @Test("neighbours by prefix, and the same names of other tenants, keep apart")
    func neighbours() throws {
        let test = try TestRegistry()
        var port: UInt16 = 9_000
        var all: [Registration] = []
        for tenant in ["default", "default-2", "d"] {
            for service in ["abc", "abc-d", "abc_d", "abcd", "abc0"] {
                for id in ["1", "10", "1-0", "1.0"] {
                    port += 1
                    all.append(.test(service, id: id, port: port, tenant: tenant, metadata: port % 7 == 0 ? long(service).metadata : []))
                }
            }
        }
        for registration in all.shuffled() { try test.register(registration) }
        for tenant in ["default", "default-2", "d"] {
            let list = try test.list(ListQuery(tenant: tenant), limit: 3)
            let expected = all.filter { $0.tenant == tenant }.map { ListCursor(service: $0.serviceName, id: $0.id) }.sorted()
            #expect(list.map { ListCursor(service: $0.service, id: $0.id) } == expected)
            #expect(try test.look("abc", tenant: tenant).map(\.id) == ["1", "1-0", "1.0", "10"])
        }
        #expect(try test.list(ListQuery(tenant: "default-")).isEmpty)
        // One takes its neighbours' rows for its own neither when it goes nor when it is renewed.
        try test.deregister(InstanceKey(tenant: "default", service: "abc", id: "1"))
        #expect(try test.look("abc").map(\.id) == ["1-0", "1.0", "10"])
        guard case .renewed(_, let id) = try test.renew("abc", id: "10") else {
            Issue.record("not renewed")
            return
        }
        #expect(id == "10")
        guard
            case .done(.ambiguous(let ids)) = test.registry.renew(tenant: "default".utf8, service: "abc".utf8, id: nil as String.UTF8View?)
        else {
            Issue.record("not ambiguous")
            return
        }
        #expect(ids == ["1-0", "1.0", "10"])
    }

    @Test(
        "one address in several spellings is one address",
        arguments: [
            ("::1", "0:0:0:0:0:0:0:1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:DB8::10", "2001:db8:0::10"), ("Host-A", "host-a"),
        ])
    func spellings(one: String, other: String) throws {
        let test = try TestRegistry()
        try test.register(.test("svc-a", host: one))
        #expect(try test.register(.test("svc-b", host: other)) == .addressInUse(holder: "svc-a"))
        // The same instance may change its spelling, and gives the address back when it goes.
        guard case .registered(_, isNew: false) = try test.register(.test("svc-a", host: other)) else {
            Issue.record("refused")
            return
        }
        try test.deregister(InstanceKey(.test("svc-a")))
        guard case .registered(_, isNew: true) = try test.register(.test("svc-b", host: one)) else {
            Issue.record("the address was not given back")
            return
        }
    }

    @Test("another tenant's holder of an address is not named")
    func foreignHolder() throws {
        let test = try TestRegistry()
        try test.register(.test("svc-a", tenant: "a"))
        #expect(try test.register(.test("svc-a", tenant: "b")) == .addressInUse(holder: nil))
    }

    @Test("one damaged row takes away itself only, and registering again heals it", arguments: [false, true])
    func damage(isLong: Bool) throws {
        let test = try TestRegistry()
        let victim = isLong ? long("svc-b") : Registration.test("svc-b")
        try test.register(.test("svc-a", port: 9_001))
        try test.register(victim)
        try test.register(.test("svc-c", port: 9_003))
        test.stop()
        try damageLastRow(of: victim, in: test.folder.file("state.mdb"))
        try test.start()
        #expect(try test.list().map(\.service) == ["svc-a", "svc-c"])
        #expect(try test.list(limit: 1).map(\.service) == ["svc-a", "svc-c"])
        #expect(try test.look("svc-b").isEmpty)
        #expect(test.registry.damagedInstances == 1)
        test.time.advance(.seconds(61))
        try test.sweep()
        #expect(try test.list().map(\.freshness) == ["expired", "expired"])
        guard case .registered(_, isNew: true) = try test.register(victim) else {
            Issue.record("it could not come back")
            return
        }
        #expect(try test.look("svc-b").map(\.freshness) == ["fresh"])
        #expect(test.registry.damagedInstances == 0)
        try test.deregister(InstanceKey(victim))
        #expect(try test.list().map(\.service) == ["svc-a", "svc-c"])
    }

    @Test("a damaged holder does not keep its address from others for ever")
    func ghostAddress() throws {
        let test = try TestRegistry()
        try test.register(.test("svc-b"))
        test.stop()
        try damageLastRow(of: .test("svc-b"), in: test.folder.file("state.mdb"))
        try test.start()
        guard case .registered(_, isNew: true) = try test.register(.test("svc-x")) else {
            Issue.record("refused for a ghost")
            return
        }
    }

    /// Flips a bit in the value of the instance's row, or of the last row that continues it, wherever it lies in the file.
    private func damageLastRow(of registration: Registration, in path: String) throws {
        let key = InstanceKey(registration)
        let environment = try StoreEnvironment.open(StoreEnvironment.Options(path: path, budgetBytes: 64 << 20, diskFreeBytesMin: 1 << 20))
        let needle = try environment.read { (transaction) throws(StoreError) -> [UInt8] in
            let parts = try InstanceTable.row(of: key, in: transaction)!.encode().continuations.count
            let place = parts == 0 ? StoreKey(instance: key) : StoreKey(continuationOf: key, number: UInt8(parts))
            return try transaction.withValue(.instances, place) { (payload, _) throws(StoreError) in Array(payload) }!
        }
        withExtendedLifetime(environment) {}
        let file = open(path, O_RDWR)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        #expect(pread(file, &bytes, bytes.count, 0) == bytes.count)
        var hits = 0
        var at = 0
        while at + needle.count <= bytes.count {
            if bytes[at] == needle[0], memcmp(Array(bytes[at..<at + needle.count]), needle, needle.count) == 0 {
                var flipped = bytes[at + needle.count - 1] ^ 1
                pwrite(file, &flipped, 1, off_t(at + needle.count - 1))
                hits += 1
                at += needle.count
            } else {
                at += 1
            }
        }
        #expect(hits > 0)
    }

    @Test("the indexes are made anew from the instances, and of two on one address the later change stays")
    func rebuild() throws {
        let test = try TestRegistry()
        for number in 0..<20 { try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number))) }
        test.stop()
        let environment = try StoreEnvironment.open(
            StoreEnvironment.Options(path: test.folder.file("state.mdb"), budgetBytes: 64 << 20, diskFreeBytesMin: 1 << 20))
        try environment.write { (transaction) throws(StoreError) in
            // A lost lease row, a lost address, a stray one, and an old instance that a salvage brought back on a slot and an address in use.
            try transaction.delete(.leases, StoreKey(leaseSlot: 3))
            try transaction.delete(.addresses, StoreKey(host: "127.0.0.1".utf8, port: 9_004))
            try transaction.put(.addresses, StoreKey(host: "127.0.0.1".utf8, port: 9_999), InstanceKey(.test("gone")).bytes, revision: 1)
            var row = try InstanceTable.row(of: InstanceKey(.test("svc-5", port: 9_005)), in: transaction)!
            row.revision = 1
            try InstanceTable.put(row, at: InstanceKey(.test("old-5")), in: transaction)
        }
        try InstanceIndex.rebuild(in: environment)
        #expect(try InstanceIndex.highestRevision(in: environment) == 20)
        try environment.read { (transaction) throws(StoreError) in
            #expect(try transaction.count(.instances) == 20)
            #expect(try transaction.count(.leases) == 20)
            #expect(try transaction.count(.addresses) == 20)
            #expect(try InstanceTable.row(of: InstanceKey(.test("old-5")), in: transaction) == nil)
            for slot in 0..<20 {
                let (key, row) = try InstanceTable.holder(ofSlot: slot, in: transaction)!
                #expect(row.slot == slot)
                let holder = try transaction.withValue(.addresses, StoreKey(host: row.host, port: row.port)) {
                    (payload, _) throws(StoreError) in
                    InstanceKey(payload: payload)
                }
                #expect(holder == key)
            }
        }
    }
}

import Domain
import Store
import Testing

@testable import Registry

@Suite("lists")
struct ListTests {
    private func fixed(_ service: String, _ id: String, tenant: String = "default") -> StaticInstance {
        let registration = Registration.test(service, id: id, port: 7_000, tenant: tenant)
        return StaticInstance(
            tenant: tenant, service: service, id: id, members: registration.members(), loadedAt: Timestamp(milliseconds: 0))
    }

    @Test("pages over live and static instances are whole, sorted and without repetition", arguments: [1, 2, 3, 4] as [UInt64])
    func pages(seed: UInt64) throws {
        print("list: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let names = (0..<12).map { "svc-\(["a", "b", "c"][$0 % 3])\($0)" }
        var statics: [StaticInstance] = []
        for name in names where Bool.random(using: &random) {
            for id in ["1", "5", "9"] { statics.append(fixed(name, id)) }
        }
        statics.append(fixed("other", "1", tenant: "b"))
        let test = try TestRegistry(statics: statics)
        var live: [Registration] = []
        var port: UInt16 = 9_000
        for name in names where Bool.random(using: &random) {
            for id in ["0", "3", "7"].prefix(Int.random(in: 1...3, using: &random)) {
                port += 1
                live.append(.test(name, id: id, port: port))
                try test.register(live.last!)
            }
        }
        let living = Set(live.map(\.serviceName))
        let expected =
            (live.map { ListCursor(service: $0.serviceName, id: $0.id) }
            + statics.filter { $0.tenant == "default" && !living.contains($0.service) }.map { ListCursor(service: $0.service, id: $0.id) })
            .sorted()
        for limit in [1, 2, 3, 7, 1_000] {
            let list = try test.list(limit: limit)
            #expect(list.map { ListCursor(service: $0.service, id: $0.id) } == expected, "limit \(limit)")
            #expect(list.allSatisfy { ($0.source == "live") == living.contains($0.service) })
        }
        #expect(try test.look("other", tenant: "b").map(\.source) == ["static"])
    }

    @Test("changes to others between two pages lose and repeat nobody", arguments: [1, 2, 3] as [UInt64])
    func concurrent(seed: UInt64) throws {
        print("list under change: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let test = try TestRegistry(statics: [fixed("stay-static", "1"), fixed("stay-static", "2")])
        let staying = (0..<30).map { Registration.test("stay-\($0)", port: 8_000 + UInt16($0)) }
        for registration in staying { try test.register(registration) }
        var query = ListQuery(tenant: "default")
        query.limit = 3
        var seen: [ShownInstance] = []
        while true {
            let (shown, next) = try test.page(query)
            seen += shown.filter { $0.service.hasPrefix("stay-") }
            guard let next else { break }
            query.after = next
            for _ in 0..<3 {
                let other = Registration.test(
                    "come-\(Int.random(in: 0..<20, using: &random))", port: UInt16.random(in: 9_000...9_020, using: &random))
                if Bool.random(using: &random) { try test.register(other) } else { try test.deregister(InstanceKey(other)) }
            }
        }
        let expected =
            (staying.map { ListCursor(service: $0.serviceName, id: $0.id) }
            + [ListCursor(service: "stay-static", id: "1"), ListCursor(service: "stay-static", id: "2")]).sorted()
        #expect(seen.map { ListCursor(service: $0.service, id: $0.id) } == expected)
    }

    @Test("a page that ended behind the only live instances of a service does not show its static ones")
    func cursorBehindLive() throws {
        let test = try TestRegistry(statics: [fixed("svc-a", "9")])
        try test.register(.test("svc-a", id: "1", port: 9_001))
        try test.register(.test("svc-a", id: "2", port: 9_002))
        var query = ListQuery(tenant: "default")
        query.limit = 2
        query.after = ListCursor(service: "svc-a", id: "2")
        try test.deregister(InstanceKey(tenant: "default", service: "svc-a", id: "2"))
        #expect(try test.page(query).shown.isEmpty)
        try test.deregister(InstanceKey(tenant: "default", service: "svc-a", id: "1"))
        #expect(try test.page(query).shown.map(\.source) == ["static"])
    }

    @Test("filters hold all together, for static instances too")
    func filters() throws {
        let test = try TestRegistry()
        var one = Registration.test("svc-a", port: 9_001)
        one.tags = ["prod", "blue"]
        one.version = "1.2.3"
        one.capabilities = ["read"]
        var two = Registration.test("svc-b", port: 9_002)
        two.tags = ["prod"]
        two.transport = .grpc
        two.capabilities = ["read", "write"]
        for registration in [one, two, .test("svc-c", port: 9_003)] { try test.register(registration) }
        try test.setHealth(two, .critical)
        func names(_ change: (inout ListQuery) -> Void) throws -> [String] {
            var query = ListQuery(tenant: "default")
            change(&query)
            return try test.list(query).map(\.service)
        }
        #expect(try names { $0.tags = ["prod"] } == ["svc-a", "svc-b"])
        #expect(try names { $0.tags = ["prod", "blue"] } == ["svc-a"])
        #expect(try names { $0.tags = ["pro"] } == [])
        #expect(try names { $0.version = "1.2.3" } == ["svc-a"])
        #expect(try names { $0.transport = "grpc" } == ["svc-b"])
        #expect(try names { $0.transport = "http" } == ["svc-a", "svc-c"])
        #expect(try names { $0.health = .critical } == ["svc-b"])
        #expect(try names { $0.health = .unknown } == ["svc-a", "svc-c"])
        #expect(try names { $0.capabilities = ["read", "write"] } == ["svc-b"])
        #expect(
            try names {
                $0.capabilities = ["read"]; $0.tags = ["blue"]; $0.health = .critical
            } == [])
        #expect(try names { $0.tenant = "nobody" } == [])
    }

    @Test(
        "a cursor is what `text` gave, and nothing else", arguments: ["", "%%", "YQ", "YQBiAGM", "AA", String(repeating: "A", count: 400)])
    func cursors(text: String) {
        let cursor = ListCursor(text: text)
        if let cursor { #expect(cursor.text == text) }
        #expect(ListCursor(text: ListCursor(service: "abc", id: "1").text) == ListCursor(service: "abc", id: "1"))
    }

    @Test("the hint for a name that is not known is found among many instances of few services, and few of many")
    func hints() throws {
        let test = try TestRegistry()
        for number in 0..<300 { try test.register(.test("teller", id: "t\(number)", port: 9_000 + UInt16(number))) }
        for number in 0..<80 { try test.register(.test("atm-\(number)", port: 10_000 + UInt16(number))) }
        try test.register(.test("vault", port: 11_000))
        #expect(test.registry.nearestService(to: "teler", tenant: "default") == "teller")
        #expect(test.registry.nearestService(to: "vautl", tenant: "default") == "vault")
        #expect(test.registry.nearestService(to: "xxxxxxxxxxx", tenant: "default") == nil)
        #expect(test.registry.nearestService(to: "teler", tenant: "b") == nil)
        #expect(test.registry.nearestService(to: "", tenant: "default") == nil)
    }
}

@Suite("changes")
struct ChangesTests {
    @Test("pages of every size give each change once, in order")
    func pages() throws {
        let test = try TestRegistry()
        for number in 0..<25 { try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number))) }
        let all = try test.changes(since: 0).lines
        #expect(all.count == 25)
        for limit in [1, 2, 7, 24, 25, 26] {
            var since: UInt64 = 0
            var seen: [String] = []
            repeat {
                let (lines, revision) = try test.changes(since: since, limit: limit)
                #expect(lines.count <= limit && revision == since + UInt64(lines.count))
                seen += lines
                since = revision
            } while since < test.registry.revision
            #expect(seen == all)
        }
    }

    @Test("a page that is cut by bytes goes on where it ended, whatever the size of one change")
    func bytes() throws {
        let test = try TestRegistry()
        let big = (0..<64).map { (key: "k\($0)", value: String(repeating: "v", count: 512)) }
        for number in 0..<6 { try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number), metadata: big)) }
        for form in [ChangesPage.Form.json, .ndjson, .eventStream] {
            var since: UInt64 = 0
            var pages = 0
            while since < 6 {
                guard case .page(let page) = try test.registry.changes(since: since, limit: 100, form: form, bytesMax: 10_000) else {
                    return
                }
                #expect(page.count == 1 && page.revision == since + 1)
                since = page.revision
                pages += 1
            }
            #expect(pages == 6)
        }
    }

    /// Deletes the oldest changes, as retention does.
    private func trim(_ test: TestRegistry, through seq: UInt64) throws {
        try test.registry.submit(RetentionSlice(stream: .state, through: seq))
        try test.settle()
    }

    @Test("older than what is kept: gone; ahead: said so; without a number: the oldest that is kept")
    func ends() throws {
        let test = try TestRegistry()
        for number in 0..<10 { try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number))) }
        guard case .ahead(revision: 10) = try test.registry.changes(since: 11, limit: 5, form: .json) else {
            Issue.record("not ahead")
            return
        }
        try trim(test, through: 4)
        guard case .gone(oldest: 4) = try test.registry.changes(since: 3, limit: 5, form: .json) else {
            Issue.record("not gone")
            return
        }
        #expect(try test.changes(since: 4).lines.first == "registered svc-4/svc-4-1")
        #expect(try test.changes(since: nil).lines.count == 6)
        try trim(test, through: 10)
        #expect(try test.changes(since: nil) == ([], 10))
        #expect(try test.changes(since: 10) == ([], 10))
    }

    @Test("a change that was lost is never passed over in silence")
    func gaps() throws {
        let test = try TestRegistry()
        for number in 0..<10 { try test.register(.test("svc-\(number)", port: 9_000 + UInt16(number))) }
        try test.run.environment.write { (transaction) throws(StoreError) in
            _ = try transaction.delete(StreamID.state.table, StoreKey(StreamID.state.table, 6))
        }
        let (lines, revision) = try test.changes(since: 0)
        #expect(lines.count == 5 && revision == 5)
        guard case .lost = try test.registry.changes(since: 5, limit: 10, form: .json) else {
            Issue.record("the gap was passed over")
            return
        }
        #expect(try test.changes(since: 6).lines.count == 4)
        // Lost at the end: a watcher must not ask for ever.
        try test.run.environment.write { (transaction) throws(StoreError) in
            for seq: UInt64 in 9...10 { try transaction.delete(StreamID.state.table, StoreKey(StreamID.state.table, seq)) }
        }
        guard case .lost = try test.registry.changes(since: 8, limit: 10, form: .json) else {
            Issue.record("a watcher would ask for ever")
            return
        }
        #expect(try test.changes(since: 10) == ([], 10))
    }

    @Test("events carry id, kind and data; lines are JSON")
    func forms() throws {
        let test = try TestRegistry()
        try test.register(.test("teller"))
        try test.deregister(InstanceKey(.test("teller")))
        guard case .page(let events) = try test.registry.changes(since: 0, limit: 10, form: .eventStream),
            case .page(let lines) = try test.registry.changes(since: 0, limit: 10, form: .ndjson)
        else { return }
        let text = String(decoding: events.body, as: UTF8.self)
        #expect(text.hasPrefix("id: 1\nevent: registered\ndata: {"))
        #expect(text.contains("\n\nid: 2\nevent: removed\ndata: {"))
        #expect(text.hasSuffix("}\n\n"))
        let split = lines.body.split(separator: UInt8(ascii: "\n"))
        #expect(split.count == 2)
        for line in split { _ = try JSONDocument.parse(Array(line)) }
    }
}

@Suite("idempotency keys")
struct IdempotencyTests {
    private func claim(_ key: String, _ body: UInt8, principal: String = "uid:1") -> IdempotencyClaim {
        let bytes = [UInt8](repeating: body, count: 32)
        return IdempotencyClaim(key: Array("\(principal)\u{0}\(key)".utf8), digest: bytes.withUnsafeBytes { Digest32($0) })
    }

    @Test("the same request is answered as before and changes nothing; another with the same key is refused")
    func replay() throws {
        let test = try TestRegistry()
        try test.register(.test("teller"), claim: claim("k", 1))
        let revision = test.registry.revision
        #expect(try test.register(.test("teller"), claim: claim("k", 1)) == .replayed(status: 201, body: Array("registered".utf8)))
        #expect(try test.register(.test("teller", port: 9_777), claim: claim("k", 2)) == .idempotencyKeyReused)
        #expect(test.registry.revision == revision)
        // Another caller's key is another key.
        guard case .renewed = try test.register(.test("teller"), claim: claim("k", 3, principal: "uid:2")) else {
            Issue.record("a stranger's key was taken for this one's")
            return
        }
        // It survives a restart, and what happened since.
        try test.deregister(InstanceKey(.test("teller")), claim: claim("d", 9))
        try test.start()
        #expect(try test.register(.test("teller"), claim: claim("k", 1)) == .replayed(status: 201, body: Array("registered".utf8)))
        #expect(try test.deregister(InstanceKey(.test("teller")), claim: claim("d", 9)) == .replayed(status: 204, body: []))
        #expect(try test.look("teller").isEmpty)
    }

    @Test("a conflict is remembered, a full registry is not")
    func refusals() throws {
        let test = try TestRegistry(capacity: 1)
        try test.register(.test("svc-a"))
        #expect(try test.register(.test("svc-b"), claim: claim("c", 1)) == .addressInUse(holder: "svc-a"))
        #expect(try test.register(.test("svc-b"), claim: claim("c", 1)) == .replayed(status: 409, body: Array("refused".utf8)))
        #expect(try test.register(.test("svc-c", port: 9_001), claim: claim("f", 1)) == .full)
        try test.deregister(InstanceKey(.test("svc-a")))
        guard case .registered = try test.register(.test("svc-c", port: 9_001), claim: claim("f", 1)) else {
            Issue.record("still full")
            return
        }
    }

    @Test("refusals leave a trail: 409 and 507 are in the audit stream")
    func audit() throws {
        let test = try TestRegistry(capacity: 1)
        try test.register(.test("svc-a"))
        try test.register(.test("svc-a", port: 9_005))
        try test.register(.test("svc-b", port: 9_005))
        try test.register(.test("svc-c", port: 9_001))
        var statuses: [Int64] = []
        try test.run.environment.read { (transaction) throws(StoreError) in
            _ = try transaction.scan(.audit, after: 0) { (entry) throws(StoreError) in
                let document = try? JSONDocument.parse(Array(entry.data))
                statuses.append(document?.root["result"]?["status"]?.int64 ?? 0)
                return true
            }
        }
        #expect(statuses == [201, 200, 409, 507])
    }
}

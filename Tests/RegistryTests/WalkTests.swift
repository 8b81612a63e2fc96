import Domain
import Store
import Testing

@testable import Registry

@Suite("walks over all instances")
struct WalkTests {
    private func fixed(_ service: String, _ id: String, tenant: String = "default") -> StaticInstance {
        let registration = Registration.test(service, id: id, port: 7_000, tenant: tenant)
        return StaticInstance(
            tenant: tenant, service: service, id: id, members: registration.members(), loadedAt: Timestamp(milliseconds: 0))
    }

    @Test("a walk shows what the lists of all tenants show, in their order", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func sameAsLists(seed: UInt64) throws {
        print("walk: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let tenants = ["a", "default", "z"]
        let names = (0..<12).map { "svc-\($0)" }
        var statics: [StaticInstance] = []
        for tenant in tenants {
            for name in names where Bool.random(using: &random) {
                for id in ["1", "5"] { statics.append(fixed(name, id, tenant: tenant)) }
            }
        }
        let test = try TestRegistry(statics: statics)
        var port: UInt16 = 9_000
        // The last tenant has static instances only, in some of the runs.
        for tenant in tenants.prefix(Int.random(in: 1...3, using: &random)) {
            for name in names where Bool.random(using: &random) {
                for id in ["0", "3", "7"].prefix(Int.random(in: 1...3, using: &random)) {
                    port += 1
                    let registration = Registration.test(name, id: id, port: port, tenant: tenant)
                    try test.register(registration)
                    if Bool.random(using: &random) { try test.setHealth(registration, .critical) }
                }
            }
        }
        test.time.advance(.seconds(Int.random(in: 0...70, using: &random)))
        var expected: [String] = []
        for tenant in tenants {
            var query = ListQuery(tenant: tenant)
            query.limit = Limits.listPageMax
            let list = try JSONDocument.parse(test.registry.list(query).body).root
            for instance in list["services"]!.elements {
                func text(_ key: StaticString) -> String { instance[key]?.string ?? "" }
                let port = instance["port"]?.int64 ?? 0
                let age = instance["age_seconds"]?.int64 ?? 0
                expected.append(
                    "\(tenant) \(text("service_name")) \(text("id")) \(text("host")) \(port) \(text("health")) \(text("freshness")) \(age) \(text("source"))"
                )
            }
        }
        var walked: [String] = []
        let revision = try test.registry.walk { instance in
            func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
            walked.append(
                "\(text(instance.tenant)) \(text(instance.service)) \(text(instance.id)) \(text(instance.host)) \(instance.port) \(instance.health.name) \(instance.freshness.name) \(instance.ageSeconds) \(instance.isStatic ? "static" : "live")"
            )
        }
        #expect(walked == expected)
        #expect(revision == test.registry.revision)
        #expect(!walked.isEmpty)
    }
}

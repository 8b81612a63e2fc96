import Domain
import HTTPServer
import Testing

@testable import API
@testable import Registry

@Suite("rendered look-ups that are kept")
struct LookupCacheTests {
    private func at(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

    private func service(_ text: String, until: Int64 = 1_000_000) -> RenderedService {
        RenderedService(body: Array(text.utf8), revision: 1, validUntil: at(until))
    }

    private func stripe(_ name: String) -> UInt64 { VersionStripes.hash(tenant: "default".utf8, service: name.utf8) }

    private func target(_ name: String, tenant: String?) -> [UInt8] {
        Array(("/api/v1/services/" + name + (tenant.map { "?tenant=" + $0 } ?? "")).utf8)
    }

    private func keep(
        _ cache: inout LookupCache, _ name: String, _ text: String, version: UInt64 = 1, tenant: String? = nil,
        until: Int64 = 1_000_000
    ) {
        let stamp = LookupCache.Stamp(stripe: stripe(name), version: version, validUntil: at(until))
        _ = target(name, tenant: tenant).withUnsafeBufferPointer {
            cache.keep(service(text, until: until), stamp: stamp, route: .shortService, target: $0, now: at(0))
        }
    }

    private func find(_ cache: inout LookupCache, _ name: String, version: UInt64 = 1, tenant: String? = nil, now: Int64 = 1)
        -> String?
    {
        target(name, tenant: tenant).withUnsafeBufferPointer {
            let found = cache.find($0, now: at(now)) { asked in
                #expect(asked == stripe(name))
                return version
            }
            guard let found else { return nil }
            #expect(found.route == .shortService)
            return String(decoding: found.answer.body, as: UTF8.self)
        }
    }

    @Test("found while the version is the same and its ages are right; tenants keep apart")
    func validity() {
        var cache = LookupCache()
        keep(&cache, "teller", "one", until: 500)
        #expect(find(&cache, "teller", now: 499) == "one")
        #expect(find(&cache, "teller", now: 500) == nil)
        #expect(find(&cache, "teller", version: 2, now: 1) == nil)
        #expect(find(&cache, "teller", tenant: "b") == nil)
        #expect(find(&cache, "telle") == nil)
        keep(&cache, "teller", "two", version: 2)
        #expect(find(&cache, "teller", version: 2) == "two" && find(&cache, "teller") == nil)
        #expect(cache.count == 1 && cache.bytes == 3 && cache.evictions == 0)
        #expect(cache.hits == 2 && cache.misses == 2)
    }

    @Test("whatever is kept and found, what is found is what was kept last under this version", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) {
        print("look-up cache: seed \(seed)")
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var cache = LookupCache()
        var kept: [String: (version: UInt64, text: String)] = [:]
        for step in 0..<20_000 {
            let name = "svc-\(random(3_000))"
            let version = random(3)
            if random(2) == 0 {
                kept[name] = (version, "\(step)")
                keep(&cache, name, "\(step)", version: version)
            } else if let found = find(&cache, name, version: version) {
                #expect(kept[name]?.version == version && kept[name]?.text == found, "seed \(seed) step \(step)")
            }
        }
        #expect(cache.count <= Limits.lookupCacheEntriesMax && cache.evictions > 0 && cache.hits > 0)
    }

    @Test("a body that would push it over its bound is not kept")
    func bound() {
        var cache = LookupCache()
        let big = String(repeating: "x", count: Limits.lookupCacheBytesMax / 2 + 1)
        keep(&cache, "svc-1", big)
        keep(&cache, "svc-2", big)
        #expect(cache.count == 1 && find(&cache, "svc-2") == nil)
        keep(&cache, "svc-1", "small", version: 2)
        #expect(cache.bytes == 5)
    }

    @Test("a version read before a change never fits after it")
    func stripes() {
        let stripes = VersionStripes()
        for name in ["a", "b", "teller"] {
            let before = stripes.version(of: stripe(name))
            stripes.bump(stripe(name))
            #expect(stripes.version(of: stripe(name)) != before)
            let between = stripes.version(of: stripe(name))
            stripes.bumpAll()
            #expect(stripes.version(of: stripe(name)) != between)
        }
        // Tenant and service do not run into each other.
        #expect(VersionStripes.hash(tenant: "ab".utf8, service: "c".utf8) != VersionStripes.hash(tenant: "a".utf8, service: "bc".utf8))
    }
}

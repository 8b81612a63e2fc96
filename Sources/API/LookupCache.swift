import Domain
import Glibc
import HTTPServer
import Registry

/// Rendered look-ups of the HTTP thread: what was answered a moment ago is answered again without looking, as long as nothing about the
/// service changed and no age in it is wrong.
///
/// Set-associative: 256 sets of four, the least recently used of a set goes. Not thread-safe: it belongs to the HTTP thread.
package struct LookupCache {
    private static let ways = 4

    private struct Entry {
        var hash: UInt64 = 0
        var version: UInt64 = 0
        var name: [UInt8] = []
        var answer: PreparedAnswer?
        /// Ages in the answer are right until then.
        var validUntil = Uptime(milliseconds: 0)
        var used: UInt64 = 0
        var filledAt = Uptime(milliseconds: 0)
    }

    private var entries: [Entry]
    private var clock: UInt64 = 0
    package private(set) var bytes = 0
    package private(set) var count = 0
    package private(set) var hits: UInt64 = 0
    package private(set) var misses: UInt64 = 0
    package private(set) var evictions: UInt64 = 0

    package init() {
        entries = Array(repeating: Entry(), count: Limits.lookupCacheEntriesMax)
    }

    /// - Parameter name: tenant ‖ 0 ‖ service is told apart by the hash; the service's bytes are compared as well.
    package mutating func find(hash: UInt64, version: UInt64, name: UnsafeBufferPointer<UInt8>, now: Uptime) -> PreparedAnswer? {
        let first = base(hash)
        for index in first..<first + Self.ways {
            guard entries[index].hash == hash, entries[index].version == version, now < entries[index].validUntil,
                entries[index].name.isEqual(to: name), let answer = entries[index].answer
            else { continue }
            clock &+= 1
            entries[index].used = clock
            hits &+= 1
            return answer
        }
        misses &+= 1
        return nil
    }

    /// - Returns: the answer, also where it is too large to be kept.
    package mutating func keep(
        _ service: RenderedService, hash: UInt64, version: UInt64, name: UnsafeBufferPointer<UInt8>, now: Uptime
    ) -> PreparedAnswer {
        let answer = PreparedAnswer(body: service.body, revision: service.revision)
        let first = base(hash)
        var victim = first
        for index in first..<first + Self.ways {
            if entries[index].hash == hash, entries[index].name.isEqual(to: name) {
                victim = index
                break
            }
            if entries[index].used < entries[victim].used { victim = index }
        }
        // One huge service must not push the cache over its bound; it is rendered each time.
        guard bytes - size(victim) + service.body.count <= Limits.lookupCacheBytesMax else { return answer }
        if entries[victim].answer != nil {
            bytes -= size(victim)
            count -= 1
            if entries[victim].hash != hash { evictions &+= 1 }
        }
        clock &+= 1
        entries[victim] = Entry(
            hash: hash, version: version, name: Array(name), answer: answer, validUntil: service.validUntil, used: clock, filledAt: now)
        bytes += service.body.count
        count += 1
        return answer
    }

    package func oldestAge(now: Uptime) -> Duration {
        var oldest = now
        for entry in entries where entry.answer != nil { oldest = min(oldest, entry.filledAt) }
        return now - oldest
    }

    private func size(_ index: Int) -> Int { entries[index].answer?.body.count ?? 0 }

    /// The low bits choose the stripe of the version; take others for the set.
    private func base(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash >> 20) % UInt64(Limits.lookupCacheEntriesMax / Self.ways)) * Self.ways
    }
}

extension [UInt8] {
    fileprivate func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count, let start = other.baseAddress else { return count == other.count }
        return withUnsafeBufferPointer { memcmp($0.baseAddress!, start, $0.count) == 0 }
    }
}

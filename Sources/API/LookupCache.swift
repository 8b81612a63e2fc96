import Domain
import Glibc
import HTTPServer
import Registry

/// Rendered look-ups of the HTTP thread, by the request target as it was sent: what was answered a moment ago is answered again without
/// finding its route or reading the store, as long as nothing about the service changed and no age in the answer is wrong.
///
/// Set-associative: 256 sets of four, the least recently used of a set goes. Not thread-safe: it belongs to the HTTP thread.
package struct LookupCache {
    private static let ways = 4

    /// What is needed to say that a copy is still right.
    package struct Stamp {
        /// Of the service, see `VersionStripes`.
        package var stripe: UInt64
        /// Of the stripe, read before the store was: a change in between makes the copy old at once, never wrong.
        package var version: UInt64
        /// Ages and freshness are right until then.
        package var validUntil: Uptime

        package init(stripe: UInt64, version: UInt64, validUntil: Uptime) {
            self.stripe = stripe
            self.version = version
            self.validUntil = validUntil
        }
    }

    private struct Entry {
        var hash: UInt64 = 0
        var stamp = Stamp(stripe: 0, version: 0, validUntil: Uptime(milliseconds: .min))
        var target: [UInt8] = []
        var route = Route.service
        var answer: PreparedAnswer?
        var used: UInt64 = 0
        var filledAt = Uptime(milliseconds: 0)
    }

    private var entries: [Entry]
    private var clock: UInt64 = 0
    package private(set) var bytes = 0
    package private(set) var count = 0
    package private(set) var hits: UInt64 = 0
    /// Look-ups that were rendered.
    package private(set) var misses: UInt64 = 0
    package private(set) var evictions: UInt64 = 0

    package init() {
        entries = Array(repeating: Entry(), count: Limits.lookupCacheEntriesMax)
    }

    /// - Parameter version: the present version of a stripe.
    package mutating func find(
        _ target: UnsafeBufferPointer<UInt8>, now: Uptime, version: (_ stripe: UInt64) -> UInt64
    ) -> (answer: PreparedAnswer, route: Route)? {
        let hash = Self.hash(target)
        let first = Self.base(hash)
        for index in first..<first + Self.ways where entries[index].hash == hash {
            guard now < entries[index].stamp.validUntil, version(entries[index].stamp.stripe) == entries[index].stamp.version,
                entries[index].target.isEqual(to: target), let answer = entries[index].answer
            else { continue }
            clock &+= 1
            entries[index].used = clock
            hits &+= 1
            return (answer, entries[index].route)
        }
        return nil
    }

    /// Keeps what was rendered for `target`.
    ///
    /// - Returns: the answer, also where it is too large to be kept.
    package mutating func keep(
        _ service: RenderedService, stamp: Stamp, route: Route, target: UnsafeBufferPointer<UInt8>, now: Uptime
    ) -> PreparedAnswer {
        misses &+= 1
        let answer = PreparedAnswer(body: service.body, revision: service.revision)
        let hash = Self.hash(target)
        let first = Self.base(hash)
        var victim = first
        for index in first..<first + Self.ways {
            if entries[index].hash == hash, entries[index].target.isEqual(to: target) {
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
            hash: hash, stamp: stamp, target: Array(target), route: route, answer: answer, used: clock, filledAt: now)
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

    private static func base(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash >> 32) % UInt64(Limits.lookupCacheEntriesMax / ways)) * ways
    }

    /// Eight bytes at a time; only spread is needed, since what is found is compared in full.
    private static func hash(_ target: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard let start = UnsafeRawPointer(target.baseAddress) else { return 0 }
        var hash = UInt64(target.count)
        var at = 0
        while at + 8 <= target.count {
            hash = (hash ^ start.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            at += 8
        }
        var rest: UInt64 = 0
        while at < target.count {
            rest = rest << 8 | UInt64(target[at])
            at += 1
        }
        hash = (hash ^ rest) &* 0x9e37_79b9_7f4a_7c15
        return hash ^ hash >> 32
    }
}

extension [UInt8] {
    fileprivate func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count, let start = other.baseAddress else { return count == other.count }
        return withUnsafeBufferPointer { memcmp($0.baseAddress!, start, $0.count) == 0 }
    }
}

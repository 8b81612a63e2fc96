import Domain

/// A hierarchical timing wheel over small integer slots (Varghese and Lauck, 1987): arming and firing cost the same for ten timers
/// and for a hundred thousand.
///
/// One timer a slot; arming again moves it. Four wheels of 256 buckets, each 256 times as coarse as the one before: with ticks of
/// 100 ms they reach 13 years. A timer further out waits in the last bucket and is sorted again there. Not thread-safe.
package struct TimerWheel: Sendable {
    private static let wheelCount = 4
    private static let bucketCount = 256
    private static let none: Int32 = -1

    /// Length of a tick in milliseconds.
    package let tickMilliseconds: Int64
    package private(set) var armedCount = 0
    private var now: Int64
    private var heads: [Int32]
    private var next: [Int32]
    private var previous: [Int32]
    private var bucket: [Int32]
    private var due: [Int64]

    package init(slots: Int, tick: Duration, now: Uptime) {
        tickMilliseconds = tick.wholeMilliseconds
        precondition(tickMilliseconds > 0)
        self.now = now.milliseconds / tickMilliseconds
        heads = Array(repeating: Self.none, count: Self.wheelCount * Self.bucketCount)
        next = []
        previous = []
        bucket = []
        due = []
        grow(to: slots)
    }

    /// Fires `slot` once, in the tick that ends at or after `at`.
    package mutating func arm(_ slot: Int, at moment: Uptime) {
        if slot >= next.count { grow(to: max(slot + 1, next.count * 2)) }
        if bucket[slot] != Self.none { unlink(slot) } else { armedCount += 1 }
        due[slot] = (moment.milliseconds + tickMilliseconds - 1) / tickMilliseconds
        link(slot)
    }

    package mutating func disarm(_ slot: Int) {
        guard slot < bucket.count, bucket[slot] != Self.none else { return }
        unlink(slot)
        armedCount -= 1
    }

    /// Moves the time on and hands over what is due, each slot disarmed.
    package mutating func advance(to moment: Uptime, _ fire: (Int) -> Void) {
        let target = moment.milliseconds / tickMilliseconds
        if armedCount == 0 {
            now = max(now, target)
            return
        }
        while now < target {
            now += 1
            cascade()
            var slot = take(bucket: Int(now & 255))
            while slot != Self.none {
                let following = next[Int(slot)]
                bucket[Int(slot)] = Self.none
                armedCount -= 1
                fire(Int(slot))
                slot = following
            }
            if armedCount == 0 { now = target }
        }
    }

    /// No timer fires before this; nil if none is armed. Looks at the finest wheel only, so it may be early, never late.
    package func nextDue() -> Uptime? {
        guard armedCount > 0 else { return nil }
        for ahead in 1...Int64(Self.bucketCount) where heads[Int((now + ahead) & 255)] != Self.none || (now + ahead) & 255 == 0 {
            return Uptime(milliseconds: (now + ahead) * tickMilliseconds)
        }
        return Uptime(milliseconds: (now + 256) * tickMilliseconds)
    }

    private mutating func grow(to slots: Int) {
        let more = slots - next.count
        guard more > 0 else { return }
        next.append(contentsOf: repeatElement(Self.none, count: more))
        previous.append(contentsOf: repeatElement(Self.none, count: more))
        bucket.append(contentsOf: repeatElement(Self.none, count: more))
        due.append(contentsOf: repeatElement(0, count: more))
    }

    private mutating func link(_ slot: Int) {
        // What is due already fires with the next tick.
        let tick = max(due[slot], now + 1)
        let ahead = tick - now
        var wheel = 0
        while wheel < Self.wheelCount - 1, ahead >= Int64(1) << (8 * (wheel + 1)) { wheel += 1 }
        let reachable = min(tick, now + (Int64(1) << (8 * Self.wheelCount)) - 1)
        let place = wheel * Self.bucketCount + Int((reachable >> (8 * wheel)) & 255)
        let head = heads[place]
        next[slot] = head
        previous[slot] = Self.none
        if head != Self.none { previous[Int(head)] = Int32(slot) }
        heads[place] = Int32(slot)
        bucket[slot] = Int32(place)
    }

    private mutating func unlink(_ slot: Int) {
        let before = previous[slot]
        let after = next[slot]
        if before == Self.none { heads[Int(bucket[slot])] = after } else { next[Int(before)] = after }
        if after != Self.none { previous[Int(after)] = before }
        bucket[slot] = Self.none
    }

    private mutating func take(bucket place: Int) -> Int32 {
        let head = heads[place]
        heads[place] = Self.none
        return head
    }

    /// When a finer wheel has gone round, the coarser one's next bucket is dealt out again.
    private mutating func cascade() {
        var wheel = 1
        while wheel < Self.wheelCount, now & ((Int64(1) << (8 * wheel)) - 1) == 0 {
            var slot = take(bucket: wheel * Self.bucketCount + Int((now >> (8 * wheel)) & 255))
            while slot != Self.none {
                let following = next[Int(slot)]
                relink(Int(slot))
                slot = following
            }
            wheel += 1
        }
    }

    /// As `link`, but what is due in this very tick goes into the bucket that is about to be emptied.
    private mutating func relink(_ slot: Int) {
        if due[slot] <= now {
            let place = Int(now & 255)
            let head = heads[place]
            next[slot] = head
            previous[slot] = Self.none
            if head != Self.none { previous[Int(head)] = Int32(slot) }
            heads[place] = Int32(slot)
            bucket[slot] = Int32(place)
        } else {
            link(slot)
        }
    }
}

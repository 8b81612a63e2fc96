import Domain

/// How many a second, of late: a mean that forgets half of what it knows in ten seconds. A value.
struct RateMeter: Equatable, Sendable {
    private var rate = 0.0
    private var counted = 0
    private var since: Uptime?

    mutating func add(_ count: Int, now: Uptime) {
        if since == nil { since = now }
        fold(now)
        counted += count
    }

    mutating func perSecond(now: Uptime) -> Double {
        fold(now)
        return rate
    }

    private mutating func fold(_ now: Uptime) {
        guard let since else { return }
        let milliseconds = (now - since).wholeMilliseconds
        guard milliseconds >= 500 else { return }
        let seconds = Double(milliseconds) / 1_000
        let current = Double(counted) / seconds
        // The share of the new: 1 − 2^(−t/10), near enough by t/(t + 10).
        let share = rate == 0 ? 1 : seconds / (seconds + 10)
        rate += (current - rate) * share
        if rate < 0.01 { rate = 0 }
        counted = 0
        self.since = now
    }
}

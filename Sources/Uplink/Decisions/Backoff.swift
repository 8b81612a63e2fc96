import Domain

/// How long to wait after a failure: full jitter, taken after the cap, so that a fleet that has been cut off for hours spreads over the
/// whole cap and not over its last step.
package struct Backoff: Equatable, Sendable {
    package private(set) var attempts = 0

    package init() {}

    package mutating func succeeded() { attempts = 0 }

    /// `rand(0, min(cap, base × 2ⁿ))`; or what the other side asks for, spread by ±20 %.
    package mutating func failed(retryAfter: Duration?, using random: inout some RandomNumberGenerator) -> Duration {
        defer { attempts = min(attempts + 1, 62) }
        // "At once" is what everybody would do.
        if let retryAfter, retryAfter > .zero { return Self.spread(min(retryAfter, Limits.uplinkRetryAfterMax), using: &random) }
        let base = Limits.uplinkBackoffBase.wholeMilliseconds
        let cap = Limits.uplinkBackoffCap.wholeMilliseconds
        let bound = attempts >= 20 ? cap : min(cap, base << Int64(attempts))
        return .milliseconds(Int64.random(in: 0...bound, using: &random))
    }

    /// `duration` ± 20 %, so that those who were told the same do not come together.
    package static func spread(_ duration: Duration, using random: inout some RandomNumberGenerator) -> Duration {
        let milliseconds = max(0, duration.wholeMilliseconds)
        return .milliseconds(milliseconds - milliseconds / 5 + Int64.random(in: 0...(milliseconds * 2 / 5), using: &random))
    }
}

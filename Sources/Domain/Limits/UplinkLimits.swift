/// Events that come in, and the uplink that sends them on.
extension Limits {
    // MARK: Intake

    /// Of the body of `POST /api/v1/events/{stream}`: one commit holds it, and 2,500 events of 400 bytes fit.
    package static let eventBodyBytesMax = 1 << 20
    /// Events in one request: with their envelopes (380 bytes each) they stay below 2,000 dirty pages of a commit.
    package static let eventsPerRequestMax = 4_096
    /// Bytes of events that wait for the writer, all requests together: a second of 10 MB/s several times over.
    package static let eventBytesPendingMax = 32 << 20
    /// Of CloudEvents' `type` and `subject` that a caller gives.
    package static let eventAttributeBytesMax = 256

    // MARK: Batches

    /// Records of a request to a receiver at most: rejects are told one by one.
    package static let uplinkBatchRecordsMax = 10_000
    /// Bytes of lines in a request before compression, at most: what a receiver must hold.
    package static let uplinkBatchBytesMax = 8 << 20
    /// Of a receiver's answer: an ack with a few thousand ranges.
    package static let uplinkAnswerBytesMax = 1 << 20
    /// Ranges of missing records that are kept of a stream; a receiver that misses more is asked again.
    package static let uplinkGapsMax = 256
    /// Rejects of a record, all alike, after which it is a dead letter.
    package static let uplinkRejectsMax = 3

    // MARK: Patience

    /// Back-off: `rand(0, min(cap, base × 2ⁿ))`, the jitter after the cap, so that a fleet spreads over the cap too.
    package static let uplinkBackoffBase = Duration.seconds(1)
    package static let uplinkBackoffCap = Duration.seconds(900)
    /// Longest `Retry-After` that is obeyed: a mistake of the other side must not silence a node for a year.
    package static let uplinkRetryAfterMax = Duration.seconds(3_600)
    /// Circuit breaker (registry specification): failures that open it, how long it stays open, successes that close it again.
    package static let breakerFailures = 3
    package static let breakerOpen = Duration.seconds(30)
    package static let breakerHalfOpen = Duration.seconds(10)
    package static let breakerSuccesses = 2
    /// While it is half open a batch has this share of its records.
    package static let breakerHalfOpenPercent = 10
    /// An outage this long was probably common to many nodes: the first reconnect is spread.
    package static let uplinkOutageMin = Duration.seconds(60)
    /// Of one request, from connect to the last byte.
    package static let uplinkTimeout = Duration.seconds(60)
    package static let uplinkConnectTimeout = Duration.seconds(10)
    /// Below this many bytes a second for `uplinkLowSpeedTime` a transfer is ended.
    package static let uplinkLowSpeedBytes = 64
    package static let uplinkLowSpeedTime = Duration.seconds(20)

    // MARK: Keeping

    /// How often cursors are written at most: a commit a second while something is sent. What is lost with them the receiver tells again.
    package static let uplinkCursorPeriod = Duration.seconds(1)
    /// Acknowledged records are kept for a receiver that was restored from a backup.
    package static let uplinkGrace = Duration.seconds(86_400)
    /// Share of a stream's `bytes_max` at which acknowledged records go before their grace is over.
    package static let uplinkGracePercent = 90
    /// Dead letters that are kept, and for how long.
    package static let deadLettersMax = 10_000
    package static let deadLetterAge = Duration.seconds(30 * 86_400)
    /// Epochs begun because a receiver refused ours, in one life of the daemon: more means that a clone runs.
    package static let epochRenewalsMax = 3
}

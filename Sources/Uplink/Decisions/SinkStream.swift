import Domain

/// How far a sink is with one stream. A value.
///
///     1 ………………… settled.contiguous ……… gaps ……… settled.high ………………… head
///     acknowledged, dead or gone      to be sent again              not yet sent
package struct SinkStream: Equatable, Sendable {
    package let name: String
    /// 0 audit … 5 bulk.
    package let priority: UInt8
    /// What needs no more sending: acknowledged, a dead letter, or no longer there.
    package private(set) var settled: SequenceMarks
    /// What the receiver itself confirmed to this process or to its cursor: its word counts beyond it only after the records were sent again
    /// and compared, because a clone of this node may have sent others under the same numbers.
    private(set) var confirmed: SequenceMarks
    /// What was acknowledged in an earlier epoch, for the receiver to check; 0: nothing.
    package private(set) var base: UInt64
    package private(set) var head: UInt64 = 0
    package private(set) var trimmed: UInt64 = 0
    /// Mean size of a record, for estimates.
    package private(set) var recordBytes: UInt64 = 512
    /// Records that are no more and were never acknowledged.
    package private(set) var dropped: UInt64 = 0
    /// Since when something waits.
    var pendingSince: Uptime?
    /// Most records of the next batch; less after the receiver found one too large.
    var recordsMax: Int
    /// Share of the link that it has had, over its weight.
    var served: Double = 0
    private(set) var rejects: [UInt64: Reject] = [:]
    private(set) var dead: Set<UInt64>
    private(set) var redrives: Set<UInt64> = []

    struct Reject: Equatable, Sendable {
        var count: Int
        var code: String
        var retryAt: Uptime
    }

    package init(name: String, priority: UInt8, settled: SequenceMarks, base: UInt64, dead: Set<UInt64>, recordsMax: Int) {
        self.name = name
        self.priority = priority
        self.settled = settled
        self.confirmed = settled
        self.base = base
        self.dead = dead
        self.recordsMax = recordsMax
    }

    var isUrgent: Bool { priority <= 1 }
    /// Weights of priorities 2 to 5 where they share the link.
    var weight: Double { [8, 8, 8, 4, 2, 1][Int(min(priority, 5))] }

    /// Records that wait.
    package var lag: UInt64 {
        var lag = head - min(head, settled.high) + UInt64(rejects.count) + UInt64(redrives.count)
        for gap in settled.gaps { lag += gap.upperBound - gap.lowerBound + 1 }
        return lag
    }

    /// The stream moved on; what was trimmed unsent is dropped.
    mutating func moved(head: UInt64, trimmed: UInt64, records: UInt64, bytes: UInt64, now: Uptime) {
        self.head = max(self.head, head)
        if records > 0 { recordBytes = max(1, bytes / records) }
        if trimmed > self.trimmed {
            self.trimmed = trimmed
            gone(through: trimmed)
        }
        if lag > 0, pendingSince == nil { pendingSince = now }
        if lag == 0 { pendingSince = nil }
    }

    /// The records through `seq` cannot be read any more.
    private mutating func gone(through seq: UInt64) {
        if seq > settled.high { dropped += seq - settled.high }
        for gap in settled.gaps where gap.lowerBound <= seq { dropped += min(gap.upperBound, seq) - gap.lowerBound + 1 }
        dropped += UInt64(rejects.keys.filter { $0 <= seq }.count)
        rejects = rejects.filter { $0.key > seq }
        settled.forget(through: seq)
    }

    /// A read of this range found nothing: a damaged record, or one that went meanwhile.
    mutating func unreadable(_ range: ClosedRange<UInt64>) {
        for seq in range where rejects.removeValue(forKey: seq) != nil { dropped += 1 }
        for gap in settled.gaps where gap.overlaps(range) {
            dropped += min(gap.upperBound, range.upperBound) - max(gap.lowerBound, range.lowerBound) + 1
        }
        if range.upperBound > settled.high { dropped += range.upperBound - max(settled.high, range.lowerBound - 1) }
        settled.insert(range)
    }

    /// What to send next, oldest need first; nil: nothing waits.
    func next(now: Uptime) -> ClosedRange<UInt64>? {
        if let seq = redrives.min() { return seq...seq }
        if let seq = rejects.filter({ $0.value.retryAt <= now }).keys.min() { return seq...seq }
        if let gap = settled.gaps.first { return gap }
        return head > settled.high ? (settled.high + 1)...head : nil
    }

    /// When `next` may change by itself.
    var nextRetry: Uptime? { rejects.values.map(\.retryAt).min() }

    /// The receiver's word about this stream in our epoch, when it is asked. False: it knows what we never wrote.
    mutating func resumed(_ marks: SequenceMarks?) -> Bool {
        guard let marks else {
            // Nothing in this epoch: what was acknowledged in an earlier one is offered as the base, and checked there.
            if base > 0 { settle(SequenceMarks(through: base)) } else { settle(SequenceMarks()) }
            return true
        }
        guard marks.high <= max(head, confirmed.high) else { return false }
        settle(marks.intersection(confirmed))
        return true
    }

    /// An ack that counts. `sent` was sent just now. False: it claims what we never wrote.
    mutating func acknowledged(_ ack: Ack, sent: [UInt64], now: Uptime) -> (isOurs: Bool, hasProgress: Bool) {
        guard ack.marks.high <= max(head, confirmed.high) else { return (false, false) }
        let before = (settled, rejects, redrives)
        let refused = Set(ack.rejects.map(\.seq))
        for seq in sent where ack.marks.contains(seq) && !refused.contains(seq) {
            rejects[seq] = nil
            if redrives.remove(seq) != nil { dead.remove(seq) }
            confirmed.insert(seq)
        }
        base = 0
        settle(ack.marks.intersection(confirmed))
        return (true, before != (settled, rejects, redrives) || !ack.rejects.isEmpty)
    }

    private mutating func settle(_ marks: SequenceMarks) {
        confirmed = marks
        settled = marks
        for seq in dead { settled.insert(seq) }
        for seq in rejects.keys { settled.insert(seq) }
        settled.forget(through: trimmed)
    }

    /// Refused by itself; returns how often now, in a row and for the same reason.
    mutating func rejected(_ seq: UInt64, code: String, now: Uptime) -> Int {
        let before = rejects[seq]
        let count = before?.code == code ? before!.count + 1 : 1
        rejects[seq] = Reject(count: count, code: code, retryAt: now + Limits.uplinkBackoffBase)
        settled.insert(seq)
        return count
    }

    /// It goes to the dead letters; the line behind it is free.
    mutating func died(_ seq: UInt64) {
        rejects[seq] = nil
        redrives.remove(seq)
        dead.insert(seq)
        settled.insert(seq)
    }

    /// It could not be kept among the dead letters: it stays in the stream, and is tried again.
    mutating func resurrect(_ seq: UInt64) {
        dead.remove(seq)
        settled.remove(seq...seq)
    }

    mutating func redrive(_ seq: UInt64) {
        guard dead.contains(seq) else { return }
        redrives.insert(seq)
    }

    mutating func forgetDead(_ seq: UInt64) {
        dead.remove(seq)
        redrives.remove(seq)
    }

    /// A new epoch: the receiver has nothing in it yet.
    mutating func beganEpoch() {
        base = confirmed.contiguous
        settle(SequenceMarks(through: base))
    }

    func isRedrive(_ seq: UInt64) -> Bool { redrives.contains(seq) }
    func rejectCode(_ seq: UInt64) -> (count: Int, code: String)? { rejects[seq].map { ($0.count, $0.code) } }
}

extension SinkStream {
    /// What a cursor keeps: what needs no more sending even after a restart. At most as many gaps as a row holds.
    package var durable: SequenceMarks {
        var marks = settled
        for seq in rejects.keys { marks.remove(seq...seq) }
        while marks.gaps.count > SequenceMarks.storedGapsMax {
            // From the end: less is known then, and sent again.
            marks = SequenceMarks(high: marks.gaps.last!.lowerBound - 1, gaps: marks.gaps.dropLast()) ?? SequenceMarks()
        }
        return marks
    }
}

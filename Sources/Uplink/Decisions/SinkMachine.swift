import Domain

/// Decides what a sink does next: ask, send, or wait. A value without clock, chance or input and output of its own; the thread of the sink
/// carries out its steps, and a simulation runs it over an invented world.
///
///              ┌──────────────── failure: breaker, back-off ───────────────┐
///              ▼                                                           │
///     (start) unknown ── ask ──▶ known ── send ──▶ ack ──▶ cursor moves ───┤
///              ▲                   │                                       │
///              │                   └──▶ fenced ──▶ a new epoch ──┐         │
///              └─────────────────────────────────────────────────┴─────────┘
package struct SinkMachine: Equatable, Sendable {
    package struct Settings: Equatable, Sendable {
        package var batchRecords: Int
        package var batchBytes: Int
        /// For priorities 2 and more.
        package var linger: Duration
        /// The first reconnect after an outage is spread over this.
        package var spread: Duration

        package init(batchRecords: Int, batchBytes: Int, linger: Duration, spread: Duration) {
            self.batchRecords = batchRecords
            self.batchBytes = batchBytes
            self.linger = linger
            self.spread = spread
        }
    }

    /// One request to the receiver.
    package struct Send: Equatable, Sendable {
        package var stream: Int
        package var range: ClosedRange<UInt64>
        package var recordsMax: Int
        package var bytesMax: Int
        /// The single record of the range comes out of the dead letters.
        package var isRedrive: Bool
        package var kept: UInt64
        /// 0: not said.
        package var base: UInt64
    }

    package enum Step: Equatable, Sendable {
        /// Nothing to do until then, or until something new; nil: until something new.
        case wait(until: Uptime?)
        /// Ask the receiver what it has.
        case ask
        case send(Send)
        /// Begin an epoch above this one, durably, and tell `beganEpoch`.
        case beginEpoch(above: UInt32)
    }

    /// What the thread has to do after an answer.
    package enum Effect: Equatable, Sendable {
        /// Keep the record with why it was refused; it was given up.
        case bury(stream: Int, seq: UInt64, code: String)
        /// It came out of the dead letters and was taken.
        case revived(stream: Int, seq: UInt64)
        case acknowledged(stream: Int, records: Int)
        case breakerOpened(reason: String)
        case breakerClosed
        case linkBack(outage: Duration)
        /// No more epochs are begun: something that is a copy of this node sends too.
        case cloned
        case unauthorised(status: Int)
    }

    package private(set) var streams: [SinkStream]
    package private(set) var epoch: UInt32
    package private(set) var breaker: Breaker
    package private(set) var backoff = Backoff()
    package private(set) var isKnown = false
    /// Until the restart, or a probe.
    package private(set) var isCloned = false
    package private(set) var lastFailure: String?
    package private(set) var outageSince: Uptime?
    package private(set) var isCompressing: Bool
    package private(set) var notBefore: Uptime?
    private var renewAbove: UInt32?
    private var renewals = 0
    private var spreadUntil: Uptime?
    private var urgentBudget = 0
    private var windowBytes: Int?
    private let settings: Settings

    package init(streams: [SinkStream], epoch: UInt32, breaker: Breaker, settings: Settings, isCompressing: Bool) {
        self.streams = streams
        self.epoch = epoch
        self.breaker = breaker
        self.settings = settings
        self.isCompressing = isCompressing
    }

    // MARK: What is new

    package mutating func moved(_ stream: Int, head: UInt64, trimmed: UInt64, records: UInt64, bytes: UInt64, now: Uptime) {
        streams[stream].moved(head: head, trimmed: trimmed, records: records, bytes: bytes, now: now)
    }

    /// A person asks for a try now.
    package mutating func probe() {
        breaker.probe()
        notBefore = nil
        spreadUntil = nil
        isKnown = false
        if isCloned {
            isCloned = false
            renewals = 0
        }
    }

    package mutating func redrive(_ stream: Int, _ seq: UInt64) { streams[stream].redrive(seq) }
    package mutating func forgetDead(_ stream: Int, _ seq: UInt64) { streams[stream].forgetDead(seq) }

    /// The disk did not take it: see `SinkStream.resurrect`.
    package mutating func resurrect(_ stream: Int, _ seq: UInt64) { streams[stream].resurrect(seq) }

    package var lag: UInt64 { streams.reduce(0) { $0 + $1.lag } }

    // MARK: The next step

    package mutating func next(now: Uptime) -> Step {
        if isCloned { return .wait(until: nil) }
        if let renewAbove { return .beginEpoch(above: renewAbove) }
        if let until = breaker.waits(now: now) { return .wait(until: until) }
        if let notBefore, now < notBefore { return .wait(until: notBefore) }
        if !isKnown { return .ask }
        if let spreadUntil, now < spreadUntil {
            // A node's audit and alerts may go at once, one request of them.
            guard urgentBudget > 0, let urgent = choose(now: now, where: { $0.isUrgent }) else { return .wait(until: spreadUntil) }
            urgentBudget -= 1
            return .send(urgent)
        }
        spreadUntil = nil
        if let send = choose(now: now, where: { _ in true }) { return .send(send) }
        return .wait(until: nextReady(now: now))
    }

    /// The stream to serve: the most urgent of audit and alerts; the others in turn, by the share that they have had.
    private mutating func choose(now: Uptime, where admits: (SinkStream) -> Bool) -> Send? {
        var best: Int?
        for index in streams.indices where admits(streams[index]) && isReady(streams[index], now: now) {
            guard let other = best else {
                best = index
                continue
            }
            let a = streams[index]
            let b = streams[other]
            if a.isUrgent || b.isUrgent ? a.priority < b.priority : a.served < b.served { best = index }
        }
        guard let best, let range = streams[best].next(now: now) else { return nil }
        let stream = streams[best]
        var records = min(settings.batchRecords, stream.recordsMax)
        if breaker.isHalfOpen { records = max(1, records * Limits.breakerHalfOpenPercent / 100) }
        return Send(
            stream: best, range: range, recordsMax: records, bytesMax: min(settings.batchBytes, windowBytes ?? .max),
            isRedrive: range.count == 1 && stream.isRedrive(range.lowerBound), kept: stream.trimmed + 1, base: stream.base)
    }

    private func isReady(_ stream: SinkStream, now: Uptime) -> Bool {
        guard let range = stream.next(now: now) else { return false }
        // What is sent again has waited already.
        if stream.isUrgent || range.upperBound < stream.head || range.lowerBound <= stream.settled.high { return true }
        let count = UInt64(range.count)
        return count >= UInt64(settings.batchRecords) || count * stream.recordBytes >= UInt64(settings.batchBytes)
            || now >= (stream.pendingSince ?? now) + settings.linger
    }

    private func nextReady(now: Uptime) -> Uptime? {
        var soonest: Uptime?
        func consider(_ time: Uptime?) {
            if let time { soonest = min(soonest ?? time, time) }
        }
        for stream in streams {
            consider(stream.nextRetry)
            if stream.next(now: now) != nil, let since = stream.pendingSince { consider(since + settings.linger) }
        }
        return soonest
    }

    // MARK: What came of a step

    /// The receiver told what it has.
    package mutating func resumed(
        _ answer: ResumeAnswer, now: Uptime, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        var effects = succeeded(now: now, using: &random)
        if let newer = answer.streams.map(\.epoch).max(), newer > epoch {
            effects += fenced(above: newer)
            return effects
        }
        for index in streams.indices {
            let told = answer.streams.first { $0.name == streams[index].name && $0.epoch == epoch }
            if !streams[index].resumed(told?.marks) {
                effects += fenced(above: epoch)
                return effects
            }
        }
        isKnown = true
        return effects
    }

    /// The answer to a batch of these records.
    package mutating func answered(
        _ answer: BatchAnswer, to send: Send, records sent: [UInt64], bytes: Int, now: Uptime,
        using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let index = send.stream
        streams[index].served += Double(bytes) / streams[index].weight
        switch answer {
        case .ack(let ack): return acknowledged(ack, send, sent, now: now, using: &random)
        case .fenced(let theirs, _): return fenced(above: max(theirs, epoch))
        case .tooLarge:
            if sent.count == 1 { return rejected(index, [Ack.Reject(seq: sent[0], code: "too_large", mayRetry: false)], now: now) }
            streams[index].recordsMax = max(1, sent.count / 2)
            return []
        case .refused(let code):
            if sent.count == 1 { return rejected(index, [Ack.Reject(seq: sent[0], code: code, mayRetry: false)], now: now) }
            streams[index].recordsMax = max(1, sent.count / 2)
            return []
        case .unsupportedEncoding where isCompressing:
            isCompressing = false
            return []
        case .unsupportedEncoding: return failed("the receiver takes no encoding", retryAfter: nil, now: now, using: &random)
        case .unauthorised(let status):
            return failed("status \(status): the receiver does not know this node", retryAfter: nil, now: now, using: &random)
                + [.unauthorised(status: status)]
        case .later(let status, let retryAfter):
            // Asked to slow down is not broken.
            let isBusy = status == 408 || status == 425 || status == 429
            return failed("status \(status)", retryAfter: retryAfter, countsAgainst: !isBusy, now: now, using: &random)
        case .failed(let reason): return failed(reason, retryAfter: nil, now: now, using: &random)
        }
    }

    private mutating func acknowledged(
        _ ack: Ack, _ send: Send, _ sent: [UInt64], now: Uptime, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let index = send.stream
        let (isOurs, hasProgress) = streams[index].acknowledged(ack, sent: sent, now: now)
        guard isOurs else { return fenced(above: epoch) }
        guard hasProgress else { return failed("the receiver took nothing", retryAfter: ack.retryAfter, now: now, using: &random) }
        var effects = succeeded(now: now, using: &random)
        let refused = Set(ack.rejects.map(\.seq))
        effects += rejected(index, ack.rejects.filter { sent.contains($0.seq) }, now: now)
        let taken = sent.filter { ack.marks.contains($0) && !refused.contains($0) }
        if !taken.isEmpty { effects.append(.acknowledged(stream: index, records: taken.count)) }
        if send.isRedrive, let seq = taken.first { effects.append(.revived(stream: index, seq: seq)) }
        if refused.isEmpty { streams[index].recordsMax = min(settings.batchRecords, streams[index].recordsMax * 2) }
        if streams[index].lag > 0 { streams[index].pendingSince = now }
        windowBytes = ack.windowBytes
        if let wait = ack.retryAfter { notBefore = now + Backoff.spread(min(wait, Limits.uplinkRetryAfterMax), using: &random) }
        return effects
    }

    private mutating func rejected(_ index: Int, _ rejects: [Ack.Reject], now: Uptime) -> [Effect] {
        var effects: [Effect] = []
        for reject in rejects {
            // A record that was sent again out of the dead letters has had its chance.
            let isOver =
                streams[index].isRedrive(reject.seq)
                || (!reject.mayRetry && streams[index].rejected(reject.seq, code: reject.code, now: now) >= Limits.uplinkRejectsMax)
            guard isOver else { continue }
            streams[index].died(reject.seq)
            effects.append(.bury(stream: index, seq: reject.seq, code: reject.code))
        }
        return effects
    }

    /// Nothing that can be read lies in this range of a step any more.
    package mutating func unreadable(_ send: Send) { streams[send.stream].unreadable(send.range) }

    /// The request failed: no answer, or none that counts.
    package mutating func failed(
        _ reason: String, retryAfter: Duration?, countsAgainst: Bool = true, now: Uptime, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let wasOpen = breaker.stored == .open
        if countsAgainst { breaker.failed(now: now) }
        lastFailure = reason
        isKnown = false
        if outageSince == nil { outageSince = now }
        notBefore = now + backoff.failed(retryAfter: retryAfter, using: &random)
        return breaker.stored == .open && !wasOpen ? [.breakerOpened(reason: reason)] : []
    }

    private mutating func succeeded(now: Uptime, using random: inout some RandomNumberGenerator) -> [Effect] {
        var effects: [Effect] = []
        let wasClosed = breaker.stored == .closed
        breaker.succeeded()
        backoff.succeeded()
        notBefore = nil
        if breaker.stored == .closed, !wasClosed { effects.append(.breakerClosed) }
        if let since = outageSince {
            outageSince = nil
            effects.append(.linkBack(outage: now - since))
            if now - since >= Limits.uplinkOutageMin, settings.spread > .zero {
                spreadUntil = now + .milliseconds(Int64.random(in: 0...settings.spread.wholeMilliseconds, using: &random))
                urgentBudget = 1
            }
        }
        return effects
    }

    private mutating func fenced(above theirs: UInt32) -> [Effect] {
        isKnown = false
        renewals += 1
        guard renewals <= Limits.epochRenewalsMax else {
            isCloned = true
            return [.cloned]
        }
        renewAbove = theirs
        return []
    }

    /// The new epoch is on the disk.
    package mutating func beganEpoch(_ epoch: UInt32) {
        self.epoch = epoch
        renewAbove = nil
        for index in streams.indices { streams[index].beganEpoch() }
    }
}

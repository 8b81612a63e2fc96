import Domain
import Store
import Synchronization

/// The thread of a sink: its machine, its transport, its batches.
final class SinkLoop {
    let sink: UplinkSink
    var machine: SinkMachine
    private let transport: any UplinkTransport
    private var maker: BatchMaker
    private var random = SystemRandomNumberGenerator()
    private var probes: [@Sendable (SinkReport) -> Void] = []
    private var lastAck: Timestamp?
    private var lastFailureAt: Timestamp?
    private var rate = RateMeter()
    private var figures: (batches: UInt64, records: UInt64, bytes: UInt64, failures: UInt64) = (0, 0, 0, 0)
    private var reportedAt: Uptime?
    private var cursorsSavedAt: Uptime?
    private var savedMarks: [SequenceMarks?]
    private var savedBreaker: Breaker.Stored
    private let saving = Saving()
    private var letters: [DeadLetter] = []
    private var droppedTold: [UInt64]
    private var droppedToldAt: Uptime?
    private var lettersCheckedAt: Uptime?

    /// Cursor writes under way; the writers' threads end them.
    private final class Saving: Sendable {
        let underWay = Atomic<Int>(0)
    }

    init(_ sink: UplinkSink) {
        self.sink = sink
        maker = BatchMaker(level: sink.options.compressionLevel)
        transport = sink.makeTransport { [sink] in sink.isStopping.load(ordering: .relaxed) }
        let epoch = sink.state.journal.epoch
        let now = sink.time.uptime()
        var breaker = Breaker()
        letters = (try? sink.state.environment.read { (transaction) throws(StoreError) in try transaction.deadLetters() }) ?? []
        let own = letters.filter { $0.sink == sink.options.name }
        var streams: [SinkStream] = []
        for (index, source) in sink.sources.enumerated() {
            let row = try? source.journal.environment.read { (transaction) throws(StoreError) in
                try transaction.cursor(sink.options.name, source.stream)
            }
            let isSameEpoch = row?.epoch == epoch
            let marks = row.map { isSameEpoch ? $0.marks : SequenceMarks(through: $0.marks.contiguous) } ?? SequenceMarks()
            let dead = own.filter { $0.stream == source.name }
            var stream = SinkStream(
                name: source.name, priority: source.priority.rawValue, settled: marks, base: isSameEpoch ? 0 : marks.contiguous,
                dead: Set(dead.map(\.seq)), recordsMax: sink.options.settings.batchRecords)
            // What was to be sent again when the node stopped still is.
            for letter in dead where letter.redriven != nil { stream.redrive(letter.seq) }
            streams.append(stream)
            sink.durable[index].through.store(isSameEpoch ? marks.contiguous : 0, ordering: .releasing)
            if let row {
                lastAck = max(lastAck ?? row.lastAck, row.lastAck)
                if row.breaker != .closed { breaker = Breaker(restored: row.breaker, now: now) }
            }
        }
        if lastAck?.milliseconds == 0 { lastAck = nil }
        machine = SinkMachine(
            streams: streams, epoch: epoch, breaker: breaker, settings: sink.options.settings,
            isCompressing: sink.options.compressionLevel > 0)
        savedMarks = streams.map { _ in nil }
        savedBreaker = breaker.stored
        droppedTold = streams.map { _ in 0 }
    }

    func run() {
        look()
        publish(isForced: true)
        while !sink.isStopping.load(ordering: .acquiring) { turn() }
        saveCursors(isForced: true)
        // The writers still run: wait until they have the cursors.
        while saving.underWay.load(ordering: .acquiring) > 0 { sink.sleep(until: sink.time.uptime() + .milliseconds(5), hears: false) }
        for completion in probes { completion(report()) }
    }

    private func turn() {
        look()
        let step = machine.next(now: sink.time.uptime())
        switch step {
        case .wait(let until):
            saveCursors(isForced: false)
            publish(isForced: false)
            sink.sleep(until: soonest(until), hears: machine.isKnown && machine.notBefore == nil)
        case .ask: ask()
        case .send(let send): self.send(send)
        case .beginEpoch(let above): beginEpoch(above: above)
        }
        saveCursors(isForced: false)
        publish(isForced: false)
    }

    /// A wait for a cursor that is due, too.
    private func soonest(_ until: Uptime?) -> Uptime? {
        guard hasUnsavedCursors, let saved = cursorsSavedAt else { return until }
        let due = saved + Limits.uplinkCursorPeriod
        return until.map { min($0, due) } ?? due
    }

    /// What is new: heads of streams, commands.
    private func look() {
        let now = sink.time.uptime()
        for (index, source) in sink.sources.enumerated() {
            let position = source.journal.position(source.stream)
            machine.moved(
                index, head: position.last, trimmed: position.trimmed, records: position.records, bytes: position.bytes, now: now)
        }
        for command in sink.takeCommands() {
            switch command {
            case .probe(let completion):
                machine.probe()
                probes.append(completion)
            case .redrive(let stream, let seq):
                if let index = sink.sources.firstIndex(where: { $0.name == stream }) { machine.redrive(index, seq) }
            }
        }
        tellDrops(now)
        forgetOldLetters(now)
    }

    // MARK: Steps

    private func ask() {
        let answer = transport.ask(node: sink.options.nodeID)
        let now = sink.time.uptime()
        if case .answer(let reply) = answer, reply.status == 200, let told = ResumeAnswer.read(reply.body, node: sink.options.nodeID) {
            carryOut(machine.resumed(told, now: now, using: &random), now)
        } else {
            var reason = ""
            var retryAfter: Duration?
            var isBusy = false
            var effects: [SinkMachine.Effect] = []
            switch answer {
            case .failure(let text): reason = text
            case .answer(let reply):
                reason = reply.status == 200 ? "an answer that is no receiver's" : "status \(reply.status)"
                retryAfter = AckReader.retryAfter(reply.retryAfter)
                isBusy = reply.status == 429
                if reply.status == 401 || reply.status == 403 { effects.append(.unauthorised(status: reply.status)) }
            }
            failed()
            effects += machine.failed(reason, retryAfter: retryAfter, countsAgainst: !isBusy, now: now, using: &random)
            carryOut(effects, now)
        }
        endProbes()
    }

    private func send(_ send: SinkMachine.Send) {
        let source = sink.sources[send.stream]
        let batch: OutgoingBatch
        var lineBytes = 0
        do throws(StoreError) {
            if send.isRedrive {
                guard let line = try redrivenLine(source.name, send.range.lowerBound) else {
                    machine.forgetDead(send.stream, send.range.lowerBound)
                    return
                }
                batch = maker.make(line, send, source, epoch: machine.epoch, isCompressing: machine.isCompressing)
                lineBytes = line.count
            } else {
                switch try maker.make(send, source, epoch: machine.epoch, isCompressing: machine.isCompressing) {
                case .gone(let range):
                    var gone = send
                    gone.range = range
                    return machine.unreadable(gone)
                case .batch(let made, let bytes):
                    batch = made
                    lineBytes = bytes
                }
            }
        } catch {
            sink.tell(.storeFailed("\(error)"))
            let now = sink.time.uptime()
            return carryOut(machine.failed("the store: \(error)", retryAfter: nil, countsAgainst: false, now: now, using: &random), now)
        }
        let reply = transport.send(batch, node: sink.options.nodeID)
        let now = sink.time.uptime()
        let answer: BatchAnswer =
            switch reply {
            case .failure(let reason): .failed(reason)
            case .answer(let answer): AckReader.read(answer, epoch: machine.epoch, digest: batch.digest)
            }
        figures.batches += 1
        figures.bytes += UInt64(batch.body.count)
        let effects = machine.answered(answer, to: send, records: batch.seqs, bytes: lineBytes, now: now, using: &random)
        if case .ack = answer {
            lastAck = sink.time.timestamp()
        } else {
            failed()
        }
        carryOut(effects, now)
        if !probes.isEmpty, machine.isKnown { endProbes() }
    }

    private func failed() {
        figures.failures += 1
        lastFailureAt = sink.time.timestamp()
    }

    private func beginEpoch(above: UInt32) {
        let epoch = above + 1
        let outcome = Mutex<[StoreError?]>([])
        var expected = 0
        for writer in [sink.state, sink.bulk] {
            do throws(StoreError) {
                try writer.submit(
                    EpochRequest(epoch: epoch, journal: writer.journal) { error in outcome.withLock { $0.append(error) } })
                expected += 1
            } catch {
                outcome.withLock { $0.append(error) }
                expected += 1
            }
        }
        while outcome.withLock({ $0.count }) < expected { sink.sleep(until: sink.time.uptime() + .milliseconds(5), hears: true) }
        let now = sink.time.uptime()
        if let error = outcome.withLock({ $0.compactMap { $0 }.first }) {
            sink.tell(.storeFailed("\(error)"))
            return carryOut(machine.failed("the store: \(error)", retryAfter: nil, countsAgainst: false, now: now, using: &random), now)
        }
        machine.beganEpoch(epoch)
        sink.tell(.epochBegan(epoch))
        saveCursors(isForced: true)
    }

    private func carryOut(_ effects: [SinkMachine.Effect], _ now: Uptime) {
        for effect in effects {
            switch effect {
            case .acknowledged(_, let records):
                figures.records += UInt64(records)
                rate.add(records, now: now)
            case .bury(let stream, let seq, let code): bury(stream, seq, code)
            case .revived(let stream, let seq): forgetLetter(sink.sources[stream].name, seq)
            case .breakerOpened(let reason): sink.tell(.breakerOpened(reason: reason))
            case .breakerClosed: sink.tell(.breakerClosed)
            case .linkBack(let outage): sink.tell(.linkBack(outageSeconds: Int(outage.components.seconds)))
            case .cloned: sink.tell(.cloned)
            case .unauthorised(let status): sink.tell(.unauthorised(status: status))
            }
        }
    }

    private func endProbes() {
        guard !probes.isEmpty else { return }
        publish(isForced: true)
        let report = sink.report
        for completion in probes { completion(report) }
        probes.removeAll()
    }

    // MARK: Dead letters

    private func redrivenLine(_ stream: String, _ seq: UInt64) throws(StoreError) -> [UInt8]? {
        let environment = sink.state.environment
        let all = try environment.read { (transaction) throws(StoreError) in try transaction.deadLetters() }
        guard let letter = all.first(where: { $0.sink == sink.options.name && $0.stream == stream && $0.seq == seq }) else { return nil }
        return try environment.read { (transaction) throws(StoreError) in try transaction.deadLetter(letter.id)?.line }
    }

    private func bury(_ stream: Int, _ seq: UInt64, _ code: String) {
        let source = sink.sources[stream]
        var line = try? redrivenLine(source.name, seq)
        if line == nil {
            try? source.journal.environment.read { (transaction) throws(StoreError) in
                _ = try transaction.scan(source.stream, after: seq - 1, recordsMax: 1) { (entry) throws(StoreError) in
                    if entry.seq == seq { line = Array(entry.cloudEvent) }
                    return false
                }
            }
        }
        guard let line else { return }
        sink.tell(.deadLetter(stream: source.name, seq: seq, code: code))
        let outcome = Mutex<(isOver: Bool, error: StoreError?)>((false, nil))
        do throws(StoreError) {
            try sink.state.submit(
                BuryRequest(sink: sink.options.name, stream: source.name, seq: seq, code: code, line: line) { error in
                    outcome.withLock { $0 = (true, error) }
                })
            // The cursor that passes the record must not be on the disk before the letter is.
            while !outcome.withLock({ $0.isOver }) { sink.sleep(until: sink.time.uptime() + .milliseconds(5), hears: true) }
            if let error = outcome.withLock({ $0.error }) { throw error }
            readLetters()
        } catch {
            machine.resurrect(stream, seq)
            sink.tell(.storeFailed("\(error)"))
        }
    }

    private func forgetLetter(_ stream: String, _ seq: UInt64) {
        readLetters()
        let found = letters.filter { $0.sink == sink.options.name && $0.stream == stream && $0.seq == seq }
        try? sink.state.submit(ForgetLetters(found))
        letters.removeAll { found.contains($0) }
    }

    private func readLetters() {
        letters = (try? sink.state.environment.read { (transaction) throws(StoreError) in try transaction.deadLetters() }) ?? letters
    }

    /// Once an hour: letters older than their time go.
    private func forgetOldLetters(_ now: Uptime) {
        guard lettersCheckedAt.map({ now - $0 >= .seconds(3_600) }) ?? true else { return }
        lettersCheckedAt = now
        let oldest = sink.time.timestamp() + .zero
        let old = letters.filter { oldest - $0.buried > Limits.deadLetterAge }
        guard !old.isEmpty else { return }
        try? sink.state.submit(ForgetLetters(old))
        letters.removeAll { old.contains($0) }
    }

    // MARK: Drops

    /// One record of the audit trail a minute and stream, not one a drop.
    private func tellDrops(_ now: Uptime) {
        guard droppedToldAt.map({ now - $0 >= .seconds(60) }) ?? true else { return }
        for index in machine.streams.indices where machine.streams[index].dropped > droppedTold[index] {
            let stream = machine.streams[index]
            let records = stream.dropped - droppedTold[index]
            droppedTold[index] = stream.dropped
            droppedToldAt = now
            sink.tell(.dropped(stream: stream.name, records: records))
            try? sink.state.submit(
                DropRecord(
                    sink: sink.options.name, stream: stream.name, records: records, bytes: records * stream.recordBytes,
                    through: stream.trimmed))
        }
    }

    // MARK: Cursors

    private var hasUnsavedCursors: Bool {
        machine.breaker.stored != savedBreaker || machine.streams.indices.contains { savedMarks[$0] != machine.streams[$0].durable }
    }

    /// Hands changed cursors to the writers, at most once a period and never two at a time.
    private func saveCursors(isForced: Bool) {
        let now = sink.time.uptime()
        let isDue = cursorsSavedAt.map { now - $0 >= Limits.uplinkCursorPeriod } ?? true
        guard isForced || (isDue && saving.underWay.load(ordering: .acquiring) == 0) else { return }
        let isBreakerNew = machine.breaker.stored != savedBreaker
        var rows: [Bool: [(index: Int, stream: StreamID, row: CursorRow)]] = [:]
        for (index, source) in sink.sources.enumerated() {
            let marks = machine.streams[index].durable
            guard marks != savedMarks[index] || isBreakerNew || isForced else { continue }
            let row = CursorRow(
                epoch: machine.epoch, lastAck: lastAck ?? Timestamp(milliseconds: 0), breaker: machine.breaker.stored, marks: marks)
            rows[source.isBulk, default: []].append((index, source.stream, row))
        }
        guard !rows.isEmpty else { return }
        cursorsSavedAt = now
        for (isBulk, changed) in rows {
            let saving = self.saving
            let sink = self.sink
            saving.underWay.add(1, ordering: .relaxed)
            let request = CursorRequest(sink: sink.options.name, rows: changed.map { ($0.stream, $0.row) }) { error in
                if error == nil {
                    for (index, _, row) in changed { sink.durable[index].through.store(row.marks.contiguous, ordering: .releasing) }
                }
                saving.underWay.subtract(1, ordering: .releasing)
            }
            do throws(StoreError) {
                try (isBulk ? sink.bulk : sink.state).submit(request)
                for (index, _, row) in changed { savedMarks[index] = row.marks }
                savedBreaker = machine.breaker.stored
            } catch {
                saving.underWay.subtract(1, ordering: .releasing)
            }
        }
    }

    // MARK: Report

    private func publish(isForced: Bool) {
        let now = sink.time.uptime()
        // Soon when it comes to rest, so that nobody waits for the news that nothing waits.
        let isAtRest = machine.lag == 0 && sink.board.withLock { $0.lagRecords > 0 }
        guard isForced || isAtRest || reportedAt.map({ now - $0 >= .milliseconds(250) }) ?? true else { return }
        reportedAt = now
        let report = report()
        sink.board.withLock { $0 = report }
    }

    private func report() -> SinkReport {
        let now = sink.time.uptime()
        return SinkReport(
            name: sink.options.name, url: sink.options.url, epoch: machine.epoch, breaker: "\(machine.breaker.name)",
            failures: machine.breaker.failures, state: machine.isCloned ? "cloned" : machine.isKnown ? "connected" : "waiting",
            lastAck: lastAck, lastFailure: machine.isKnown ? nil : machine.lastFailure, lastFailureAt: lastFailureAt,
            oldestWaiting: oldestWaiting(), recordsPerSecond: rate.perSecond(now: now),
            streams: machine.streams.map { stream in
                SinkReport.Stream(
                    name: stream.name, priority: stream.priority, head: stream.head, ackedTo: stream.settled.contiguous,
                    lagRecords: stream.lag, lagBytes: stream.lag * stream.recordBytes, dropped: stream.dropped)
            },
            deadLetters: letters.filter { $0.sink == sink.options.name }.count, batches: figures.batches, records: figures.records,
            sentBytes: figures.bytes, failuresTotal: figures.failures)
    }

    /// One record of each stream that waits is read for it.
    private func oldestWaiting() -> Timestamp? {
        var oldest: Timestamp?
        for (index, source) in sink.sources.enumerated() where machine.streams[index].lag > 0 {
            let after = machine.streams[index].settled.contiguous
            try? source.journal.environment.read { (transaction) throws(StoreError) in
                _ = try transaction.scan(source.stream, after: after, recordsMax: 1) { (entry) throws(StoreError) in
                    oldest = min(oldest ?? entry.time, entry.time)
                    return false
                }
            }
        }
        return oldest
    }
}

import Domain

@testable import Receiver
@testable import Uplink

/// A node in memory: the real machine over an invented disk and clock.
struct SimulatedNode {
    struct Record: Equatable {
        /// The epoch in which it was written.
        let epoch: UInt32
        /// Unique in the world.
        let number: Int
    }

    struct Stream {
        var records: [UInt64: Record] = [:]
        var last: UInt64 = 0
        var trimmed: UInt64 = 0
        var cursor: SequenceMarks?
        var cursorEpoch: UInt32 = 0
        var dead: [UInt64: Record] = [:]
    }

    struct Disk {
        var epoch: UInt32 = 1
        var streams: [Stream]
    }

    static let names = ["audit", "sales"]
    private static let priorities: [UInt8] = [0, 3]

    private(set) var disk: Disk
    private(set) var memory: Disk
    private(set) var machine: SinkMachine
    private let plant: Plant?
    /// When it may do something again: a request takes its time.
    var busyUntil = Uptime(milliseconds: 0)
    /// Records whose producers wait for the next commit.
    private var waiting: [Int] = []
    private(set) var requests = 0
    private(set) var requestTimes: [Int64] = []
    private var lastAnswer: (status: Int, body: [UInt8])?

    init(_ disk: Disk, plant: Plant?, now: Uptime) {
        self.disk = disk
        memory = disk
        self.plant = plant
        machine = Self.machine(disk, now)
    }

    private static func machine(_ disk: Disk, _ now: Uptime) -> SinkMachine {
        let streams = disk.streams.enumerated().map { index, stream in
            let isSame = stream.cursorEpoch == disk.epoch
            let marks = stream.cursor.map { isSame ? $0 : SequenceMarks(through: $0.contiguous) } ?? SequenceMarks()
            return SinkStream(
                name: names[index], priority: priorities[index], settled: marks, base: isSame ? 0 : marks.contiguous,
                dead: Set(stream.dead.keys), recordsMax: 16)
        }
        return SinkMachine(
            streams: streams, epoch: disk.epoch, breaker: Breaker(),
            settings: SinkMachine.Settings(batchRecords: 16, batchBytes: 1 << 20, linger: .milliseconds(200), spread: .seconds(20)),
            isCompressing: false)
    }

    var lag: UInt64 { machine.lag }

    // MARK: Disk

    /// A producer hands over a record; it is promised with the commit.
    mutating func append(_ stream: Int, _ number: Int, promised: inout Set<Int>) {
        memory.streams[stream].last += 1
        memory.streams[stream].records[memory.streams[stream].last] = Record(epoch: memory.epoch, number: number)
        if plant == .answerBeforeCommit { promised.insert(number) } else { waiting.append(number) }
    }

    mutating func commit(promised: inout Set<Int>, isLucky: Bool) {
        if plant != .skippedSync || isLucky { disk = memory }
        promised.formUnion(waiting)
        waiting = []
    }

    mutating func crash(now: Uptime) {
        memory = disk
        waiting = []
        machine = Self.machine(disk, now)
        busyUntil = now + .milliseconds(50)
    }

    /// The node's disk becomes that of a backup. With `posto restore` its epoch goes up; a rolled back virtual machine knows of nothing.
    mutating func restore(_ backup: Disk, isProper: Bool, now: Uptime) {
        let epoch = max(disk.epoch, backup.epoch)
        disk = backup
        if isProper, plant != .epochKeptAndNothingCompared { disk.epoch = epoch + 1 }
        crash(now: now)
    }

    /// Deletes what is settled, a part of it: the rest is kept for its grace.
    mutating func trim(grace: UInt64) {
        for index in memory.streams.indices {
            var through = disk.streams[index].cursorEpoch == disk.epoch ? (disk.streams[index].cursor?.contiguous ?? 0) : 0
            if plant == .deletedBeforeCursor { through = machine.streams[index].settled.contiguous }
            if plant == .deletedUnsent { through = memory.streams[index].last }
            through -= min(through, plant == .deletedBeforeCursor || plant == .deletedUnsent ? 0 : grace)
            guard through > memory.streams[index].trimmed else { continue }
            for seq in (memory.streams[index].trimmed + 1)...through { memory.streams[index].records[seq] = nil }
            memory.streams[index].trimmed = through
        }
    }

    mutating func saveCursors() {
        for index in memory.streams.indices {
            memory.streams[index].cursor = machine.streams[index].durable
            memory.streams[index].cursorEpoch = machine.epoch
        }
    }

    // MARK: Steps

    /// One step of the machine; `exchange` is the link: it delivers a request or not, and gives the answer that came back.
    mutating func turn(
        now: Uptime, random: inout SeededRandom, exchange: (_ request: Request, _ random: inout SeededRandom) -> (status: Int, body: [UInt8])?
    ) {
        for (index, stream) in disk.streams.enumerated() {
            machine.moved(
                index, head: stream.last, trimmed: stream.trimmed, records: UInt64(stream.records.count),
                bytes: UInt64(stream.records.count) * 100, now: now)
        }
        switch machine.next(now: now) {
        case .wait: return
        case .beginEpoch(let above):
            guard plant != .fenceMeansDone else { return forgetEverything(above, now) }
            memory.epoch = above + 1
            disk.epoch = memory.epoch
            machine.beganEpoch(memory.epoch)
        case .ask:
            note(now)
            guard let answer = exchange(.ask, &random), answer.status == 200, var told = ResumeAnswer.read(answer.body, node: "n") else {
                _ = machine.failed("no answer", retryAfter: nil, now: now, using: &random)
                return
            }
            if plant == .resumeIgnored {
                told.streams = machine.streams.map {
                    ResumeAnswer.Stream(name: $0.name, epoch: machine.epoch, marks: $0.settled)
                }
            }
            if plant == .wordBelievedUpwards { believe(told) }
            _ = machine.resumed(told, now: now, using: &random)
        case .send(let send): self.send(send, now: now, random: &random, exchange: exchange)
        }
    }

    private mutating func send(
        _ send: SinkMachine.Send, now: Uptime, random: inout SeededRandom,
        exchange: (_ request: Request, _ random: inout SeededRandom) -> (status: Int, body: [UInt8])?
    ) {
        let stream = disk.streams[send.stream]
        var seqs: [UInt64] = []
        for seq in send.range.prefix(send.recordsMax) {
            guard stream.records[seq] != nil else { break }
            seqs.append(seq)
        }
        guard let first = seqs.first, let last = seqs.last else {
            var gone = send
            gone.range = send.range.lowerBound...send.range.lowerBound
            return machine.unreadable(gone)
        }
        var bytes: [UInt8] = []
        var lines: [ReceivedLine] = []
        for seq in seqs {
            let record = stream.records[seq]!
            let start = bytes.count
            bytes += Array("\(record.epoch)-\(seq) \(record.number)".utf8)
            lines.append(ReceivedLine(seq: seq, epoch: record.epoch, range: start..<bytes.count))
        }
        let digest = "digest-\(random.next())"
        let batch = ReceivedBatch(
            node: "n", stream: Self.names[send.stream], epoch: machine.epoch, first: first, last: last, kept: send.kept,
            base: send.base > 0 ? send.base : nil, bytes: bytes, lines: lines, digest: digest)
        if plant == .cursorAtSend { saveAtSend(send.stream, last) }
        note(now)
        let answer = exchange(.batch(batch), &random)
        var meaning: BatchAnswer =
            answer.map { AckReader.read(AckReader.Answer(status: $0.status, body: $0.body), epoch: machine.epoch, digest: digest) }
            ?? .failed("no answer")
        distort(&meaning, answer, send, last)
        lastAnswer = answer
        for effect in machine.answered(meaning, to: send, records: seqs, bytes: bytes.count, now: now, using: &random) {
            if case .bury(let index, let seq, _) = effect, plant != .rejectForgotten {
                memory.streams[index].dead[seq] = stream.records[seq]
                disk.streams[index].dead[seq] = stream.records[seq]
            }
        }
    }

    private mutating func note(_ now: Uptime) {
        requests += 1
        requestTimes.append(now.milliseconds)
    }

    enum Request {
        case ask
        case batch(ReceivedBatch)
    }

    // MARK: Plants

    private func distort(_ meaning: inout BatchAnswer, _ answer: (status: Int, body: [UInt8])?, _ send: SinkMachine.Send, _ last: UInt64) {
        switch plant {
        case .digestIgnored:
            guard let answer, answer.status == 200, let root = try? JSONDocument.parse(answer.body).root, let marks = AckReader.marks(root)
            else { return }
            meaning = .ack(Ack(marks: marks))
        case .portalBelieved:
            if answer?.status == 200, case .failed = meaning { meaning = .ack(Ack(marks: SequenceMarks(through: last))) }
        case .gapsIgnored:
            if case .ack(var ack) = meaning {
                ack.marks = SequenceMarks(through: ack.marks.high)
                meaning = .ack(ack)
            }
        default: break
        }
    }

    private mutating func believe(_ told: ResumeAnswer) {
        var streams: [SinkStream] = []
        for (index, stream) in disk.streams.enumerated() {
            let marks = told.streams.first { $0.name == Self.names[index] && $0.epoch == disk.epoch }?.marks ?? SequenceMarks()
            streams.append(
                SinkStream(
                    name: Self.names[index], priority: Self.priorities[index], settled: marks, base: 0, dead: Set(stream.dead.keys),
                    recordsMax: 16))
        }
        machine = SinkMachine(
            streams: streams, epoch: disk.epoch, breaker: machine.breaker,
            settings: SinkMachine.Settings(batchRecords: 16, batchBytes: 1 << 20, linger: .milliseconds(200), spread: .seconds(20)),
            isCompressing: false)
        for (index, stream) in disk.streams.enumerated() {
            machine.moved(index, head: stream.last, trimmed: stream.trimmed, records: 1, bytes: 100, now: Uptime(milliseconds: 0))
        }
    }

    private mutating func saveAtSend(_ index: Int, _ last: UInt64) {
        memory.streams[index].cursor = SequenceMarks(through: last)
        memory.streams[index].cursorEpoch = machine.epoch
        disk.streams[index].cursor = SequenceMarks(through: last)
        disk.streams[index].cursorEpoch = machine.epoch
    }

    private mutating func forgetEverything(_ above: UInt32, _ now: Uptime) {
        memory.epoch = above + 1
        for index in memory.streams.indices {
            memory.streams[index].cursor = SequenceMarks(through: memory.streams[index].last)
            memory.streams[index].cursorEpoch = memory.epoch
        }
        disk = memory
        machine = Self.machine(disk, now)
    }
}

/// xorshift64*; the seed is printed, and gives the same world again.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func chance(_ percent: Double) -> Bool { Double(next() >> 11) / Double(1 << 53) * 100 < percent }
}

extension SimulatedNode {
    fileprivate mutating func withMachine(_ body: (inout SinkMachine) -> Void) { body(&machine) }
    mutating func machineProbe() { withMachine { $0.probe() } }
}

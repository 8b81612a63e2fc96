import Domain

@testable import Receiver
@testable import Uplink

/// One simulated run: a node (and perhaps a clone of it), a link and a receiver, with faults by chance; then everything is healed, and what the
/// receiver holds is checked by a checker that shares nothing with them.
struct World {
    private enum Link: CaseIterable { case up, down, deaf, losesAnswers, lies, portal }

    private var random: SeededRandom
    private let plant: Plant?
    private var now = Uptime(milliseconds: 1_000)
    private var nodes: [SimulatedNode]
    private var receiver: SimulatedReceiver
    private var link = Link.up
    private var nodeBackup: SimulatedNode.Disk
    private var receiverBackup = SimulatedReceiver.Disk()
    private var nextNumber = 1
    private var promised: Set<Int> = []
    /// Promised by a disk that was replaced by an older one: gone with it, unless they had been sent.
    private var excused: Set<Int> = []
    private var refusedNumbers: Set<Int> = []
    private var staleAnswer: (status: Int, body: [UInt8])?

    init(seed: UInt64, plant: Plant?) {
        random = SeededRandom(seed: seed)
        self.plant = plant
        let disk = SimulatedNode.Disk(streams: [SimulatedNode.Stream(), SimulatedNode.Stream()])
        nodes = [SimulatedNode(disk, plant: plant, now: now)]
        nodeBackup = disk
        receiver = SimulatedReceiver(plant: plant)
    }

    /// What is wrong; empty if nothing is.
    mutating func run() -> [String] {
        for _ in 0..<600 { step() }
        heal()
        return check()
    }

    private mutating func step() {
        now = now + .milliseconds(Int64.random(in: 5...400, using: &random))
        if random.chance(4) { link = Link.allCases.randomElement(using: &random)! }
        if random.chance(30) { link = .up }
        for index in nodes.indices {
            if random.chance(40) { produce(index) }
            if random.chance(60) { nodes[index].commit(promised: &promised, isLucky: random.chance(80)) }
            act(index)
            if random.chance(8) { nodes[index].saveCursors() }
            if random.chance(4) { nodes[index].trim(grace: 100_000) }
            if plant == .deletedBeforeCursor || plant == .deletedUnsent, random.chance(5) { nodes[index].trim(grace: 0) }
            if random.chance(1) { nodes[index].crash(now: now) }
        }
        if random.chance(30) { receiver.sync() }
        if random.chance(1.5) { receiver.crash() }
        if random.chance(0.7) { nodeBackup = nodes[0].disk }
        if random.chance(0.7) { receiverBackup = receiver.disk }
        if random.chance(0.3) { restoreNode(isProper: random.chance(60)) }
        if random.chance(0.3) { receiver.restore(receiverBackup) }
        if random.chance(0.15), nodes.count == 1 { clone() }
    }

    private mutating func produce(_ index: Int) {
        let stream = random.chance(25) ? 0 : 1
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            nodes[index].append(stream, nextNumber, promised: &promised)
            if random.chance(0.5) { refusedNumbers.insert(nextNumber) }
            nextNumber += 1
        }
    }

    /// The node's disk becomes an older one; what was written since is lost with it, but for what was sent.
    private mutating func restoreNode(isProper: Bool) {
        func numbers(_ disk: SimulatedNode.Disk) -> Set<Int> { Set(disk.streams.flatMap { $0.records.values.map(\.number) }) }
        excused.formUnion(numbers(nodes[0].disk).subtracting(numbers(nodeBackup)))
        excused.formUnion(numbers(nodes[0].memory).subtracting(numbers(nodeBackup)))
        nodes[0].restore(nodeBackup, isProper: isProper, now: now)
    }

    /// A second node with the same disk, the same name and the same epoch.
    private mutating func clone() { nodes.append(SimulatedNode(nodes[0].disk, plant: plant, now: now)) }

    private mutating func act(_ index: Int) {
        guard now >= nodes[index].busyUntil else { return }
        var receiver = self.receiver
        let link = self.link
        var stale = staleAnswer
        receiver.refused = refusedTexts(index)
        nodes[index].turn(now: now, random: &random) { request, random in
            let answer = Self.exchange(request, over: link, with: &receiver, stale: &stale, random: &random)
            return answer
        }
        self.receiver = receiver
        staleAnswer = stale
        nodes[index].busyUntil = now + .milliseconds(Int64.random(in: 1...60, using: &random))
    }

    private func refusedTexts(_ index: Int) -> Set<[UInt8]> {
        var texts: Set<[UInt8]> = []
        for stream in nodes[index].disk.streams {
            for (seq, record) in stream.records where refusedNumbers.contains(record.number) {
                texts.insert(Array("\(record.epoch)-\(seq) \(record.number)".utf8))
            }
        }
        return texts
    }

    private static func exchange(
        _ request: SimulatedNode.Request, over link: Link, with receiver: inout SimulatedReceiver,
        stale: inout (status: Int, body: [UInt8])?, random: inout SeededRandom
    ) -> (status: Int, body: [UInt8])? {
        switch link {
        case .down: return nil
        case .portal: return (200, Array("<html>please log in</html>".utf8))
        case .deaf: return (503, [])
        case .up, .losesAnswers, .lies: break
        }
        let answer: (status: Int, body: [UInt8])
        switch request {
        case .ask: answer = (200, receiver.told(node: "n"))
        case .batch(let batch):
            // A proxy that answers out of its memory: an ack that was right for another request.
            if case .lies = link, let stale { return stale }
            answer = receiver.receive(batch, diesHalfway: random.chance(20))
            if answer.status == 200 { stale = answer }
        }
        if answer.status == 0 { return nil }
        if case .losesAnswers = link { return nil }
        return answer
    }

    // MARK: The end

    /// Everything works again, until nothing waits.
    private mutating func heal() {
        link = .up
        for index in nodes.indices { nodes[index].commit(promised: &promised, isLucky: true) }
        for _ in 0..<6_000 {
            now = now + .milliseconds(2_000)
            for index in nodes.indices {
                // A person separates two clones by asking each again.
                if nodes[index].machine.isCloned { nodes[index].probe() }
                act(index)
                nodes[index].saveCursors()
                nodes[index].commit(promised: &promised, isLucky: true)
            }
            receiver.sync()
            if nodes.allSatisfy({ $0.lag == 0 && $0.machine.isKnown }) { return }
        }
    }

    private func check() -> [String] {
        var faults: [String] = []
        var count: [Int: Int] = [:]
        for stored in receiver.disk.log { count[Self.number(stored.line), default: 0] += 1 }
        for (number, times) in count where times > 1 { faults.append("record \(number) arrived \(times) times") }
        var dead: Set<Int> = []
        for node in nodes { for stream in node.disk.streams { dead.formUnion(stream.dead.values.map(\.number)) } }
        for number in promised.sorted() where count[number] == nil && !excused.contains(number) && !dead.contains(number) {
            faults.append("record \(number) was promised and never arrived")
        }
        for number in count.keys where number >= nextNumber || number < 1 { faults.append("record \(number) was never written") }
        for node in nodes where node.lag > 0 { faults.append("\(node.lag) records wait although everything works") }
        var last: [String: (seq: UInt64, number: Int)] = [:]
        for stored in receiver.disk.log.sorted(by: { ($0.key.stream, $0.key.epoch, $0.seq) < ($1.key.stream, $1.key.epoch, $1.seq) }) {
            let key = "\(stored.key.stream)/\(stored.key.epoch)"
            let number = Self.number(stored.line)
            // Two clones number their records alike, each in its own order: then only one of them is looked at.
            if nodes.count == 1, let before = last[key], before.number > number {
                faults.append("record \(number) stands behind \(before.number)")
            }
            last[key] = (stored.seq, number)
        }
        return faults
    }

    private static func number(_ line: [UInt8]) -> Int {
        Int(String(decoding: line, as: UTF8.self).split(separator: " ").last ?? "") ?? -1
    }
}

extension SimulatedNode {
    mutating func probe() { machineProbe() }
}

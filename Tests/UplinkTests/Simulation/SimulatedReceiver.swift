import Domain
import HTTPServer

@testable import Receiver

/// A receiver in memory: the real decision over an invented disk.
struct SimulatedReceiver {
    struct Key: Hashable {
        let stream: String
        let epoch: UInt32
    }

    /// One line as it was stored; a log, so that a line that is stored twice is there twice.
    struct Stored: Equatable {
        let key: Key
        let seq: UInt64
        let line: [UInt8]
    }

    struct Disk {
        var epoch: UInt32?
        var marks: [Key: SequenceMarks] = [:]
        var log: [Stored] = []
        var index: [Key: [UInt64: [UInt8]]] = [:]
    }

    private(set) var disk = Disk()
    /// What is answered but not on the disk; only with a plant.
    private var memory: Disk?
    private let plant: Plant?
    /// Texts of events that are refused, as a schema would.
    var refused: Set<[UInt8]> = []

    init(plant: Plant?) { self.plant = plant }

    mutating func crash() { memory = nil }
    mutating func restore(_ backup: Disk) {
        disk = backup
        memory = nil
    }

    func told(node: String) -> [UInt8] {
        let disk = memory ?? self.disk
        let series = disk.marks.map { key, marks in
            var series = ReceivedSeries(node: node, stream: key.stream, epoch: key.epoch, number: 1)
            series.marks = marks
            return series
        }
        return ReceiverAnswer.node(node, series.sorted { ($0.stream, $0.epoch) < ($1.stream, $1.epoch) })
    }

    /// - Parameter diesHalfway: the receiver crashes between the two commits of a plant that makes two.
    mutating func receive(_ original: ReceivedBatch, diesHalfway: Bool) -> (status: Int, body: [UInt8]) {
        var disk = memory ?? self.disk
        let batch = ReceivedBatch(
            node: original.node, stream: original.stream, epoch: original.epoch, first: original.first, last: original.last,
            kept: original.kept, base: original.base, bytes: original.bytes,
            lines: original.lines.map { line in
                let text = Array(original.bytes[line.range])
                return ReceivedLine(
                    seq: line.seq, epoch: line.epoch, range: line.range, refusal: refused.contains(text) ? "schema" : nil)
            }, digest: original.digest)
        let known = ReceiveDecision.Known(
            epoch: plant == .noFence || plant == .epochKeptAndNothingCompared ? nil : disk.epoch,
            marks: disk.marks.filter { $0.key.stream == batch.stream }.map { ($0.key.epoch, $0.value) }.sorted { $0.0 < $1.0 })
        var compared: [ReceiveDecision.Place: ReceiveDecision.Sameness] = [:]
        for place in ReceiveDecision.comparisons(batch, known: known) {
            let line = batch.lines[place.line]
            let there = disk.index[Key(stream: batch.stream, epoch: place.epoch)]?[line.seq]
            let isBlind = plant == .epochKeptAndNothingCompared
            compared[place] = there == nil ? .absent : isBlind || there == Array(batch.bytes[line.range]) ? .same : .different
        }
        let decision = ReceiveDecision.decide(batch, known: known, compared: compared)
        if decision.outcome == .received {
            let key = Key(stream: batch.stream, epoch: batch.epoch)
            let stores = plant == .noDeduplication ? Array(batch.lines.indices.filter { batch.lines[$0].refusal == nil }) : decision.stores
            for index in stores {
                let line = batch.lines[index]
                let text = Array(batch.bytes[line.range])
                disk.log.append(Stored(key: key, seq: line.seq, line: text))
                disk.index[key, default: [:]][line.seq] = text
            }
            if plant == .marksApartFromData, diesHalfway {
                self.disk.log = disk.log
                return (0, [])
            }
            disk.marks[key] = decision.marks
            disk.epoch = max(disk.epoch ?? 0, batch.epoch)
            if plant == .receiverAnswersBeforeCommit { memory = disk } else { self.disk = disk }
        }
        let response = ReceiverAnswer.response(decision, batch)
        guard case .bytes(let body) = response.body else { return (Int(response.status), []) }
        return (Int(response.status), body)
    }

    /// What was answered comes onto the disk, later.
    mutating func sync() {
        if let memory { disk = memory }
        memory = nil
    }
}

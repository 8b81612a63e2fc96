import Domain

/// Decides what becomes of a batch: what is stored, what is known already, what is refused, and whether the sender is the node it says.
///
///     epoch older than the node's      → fenced: a clone, or a store from before a restore
///     number known, other bytes        → fenced: two histories in one epoch
///     number known, same bytes         → known, counted as received
///     written in an older epoch, and
///       received then, same bytes      → known: the node was restored, and sends again
///     number gone (dead letter)        → stored
///     anything else                    → stored under the sender's epoch
///
/// A value; what is stored comes in compared, so that a simulation runs it over memory.
package struct ReceiveDecision: Equatable, Sendable {
    package enum Outcome: Equatable, Sendable {
        /// The node's epoch is this; nothing was stored.
        case fenced(epoch: UInt32, isConflict: Bool)
        /// There would be more gaps than are kept; nothing was stored.
        case tooManyGaps
        case received
    }

    package struct Refusal: Equatable, Sendable {
        package let seq: UInt64
        package let code: String
    }

    package private(set) var outcome = Outcome.received
    /// What the receiver has under the sender's epoch, with this batch.
    package private(set) var marks = SequenceMarks()
    /// Lines to store, by their place in the batch.
    package private(set) var stores: [Int] = []
    package private(set) var refusals: [Refusal] = []

    /// What the receiver keeps, as the decision asks for it.
    package struct Known {
        /// The node's epoch; nil: it was never heard of.
        package var epoch: UInt32?
        /// What there is of the stream, by epoch, ascending.
        package var marks: [(epoch: UInt32, marks: SequenceMarks)]

        package init(epoch: UInt32?, marks: [(epoch: UInt32, marks: SequenceMarks)]) {
            self.epoch = epoch
            self.marks = marks
        }
    }

    /// What is stored under an epoch and number, beside a line.
    package enum Sameness: Equatable, Sendable { case absent, same, different }

    /// A line of the batch beside what may be stored under an epoch and the line's number.
    package struct Place: Hashable, Sendable {
        package let epoch: UInt32
        package let line: Int
    }

    /// What has to be compared before `decide`; nothing for a batch that is new.
    package static func comparisons(_ batch: ReceivedBatch, known: Known) -> [Place] {
        var places: [Place] = []
        for (epoch, marks) in known.marks where epoch <= batch.epoch && marks.high >= batch.first {
            for (index, line) in batch.lines.enumerated() where line.refusal == nil && line.epoch <= epoch && marks.contains(line.seq) {
                places.append(Place(epoch: epoch, line: index))
            }
        }
        return places
    }

    /// - Parameter compared: for each place that `comparisons` names, what is stored there.
    package static func decide(_ batch: ReceivedBatch, known: Known, compared: [Place: Sameness]) -> ReceiveDecision {
        var decision = ReceiveDecision()
        if let epoch = known.epoch, batch.epoch < epoch {
            decision.outcome = .fenced(epoch: epoch, isConflict: false)
            return decision
        }
        let own = known.marks.first { $0.epoch == batch.epoch }?.marks
        let older = known.marks.filter { $0.epoch < batch.epoch }
        decision.marks = own ?? SequenceMarks(through: min(batch.base ?? 0, older.map(\.marks.contiguous).max() ?? 0))
        // Before the lines: what is forgotten may come all the same, out of the dead letters.
        if let kept = batch.kept { decision.marks.forget(through: kept - min(kept, 1)) }
        for (index, line) in batch.lines.enumerated() {
            if let refusal = line.refusal {
                decision.refusals.append(Refusal(seq: line.seq, code: refusal))
                continue
            }
            let here = compared[Place(epoch: batch.epoch, line: index)] ?? .absent
            if here == .different { return ReceiveDecision(fencedBy: batch.epoch) }
            decision.marks.insert(line.seq)
            let isKnown = here == .same || older.contains { compared[Place(epoch: $0.epoch, line: index)] == .same }
            if !isKnown { decision.stores.append(index) }
        }
        if decision.marks.gaps.count > SequenceMarks.storedGapsMax {
            decision.outcome = .tooManyGaps
            decision.stores = []
        }
        return decision
    }

    private init() {}

    private init(fencedBy epoch: UInt32) { outcome = .fenced(epoch: epoch, isConflict: true) }

    /// What the answer calls missing: the gaps without what was refused just now.
    package var missing: [ClosedRange<UInt64>] {
        var marks = marks
        for refusal in refusals where refusal.seq < marks.high { marks.insert(refusal.seq) }
        return marks.gaps
    }
}

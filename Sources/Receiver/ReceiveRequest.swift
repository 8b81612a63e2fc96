import Domain
import Store

/// Stores a batch, its marks and the node's epoch in one transaction.
// SAFETY: `decision` is touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
final class ReceiveRequest: WriteRequest, @unchecked Sendable {
    let priority = RecordPriority.business
    private let batch: ReceivedBatch
    private let completion: @Sendable (Result<ReceiveDecision, StoreError>) -> Void
    private var decision: ReceiveDecision?

    init(_ batch: ReceivedBatch, completion: @escaping @Sendable (Result<ReceiveDecision, StoreError>) -> Void) {
        self.batch = batch
        self.completion = completion
    }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        let series = try context.transaction.receivedSeries(batch.node, batch.stream)
        let epoch = try context.transaction.receivedEpoch(batch.node)
        let known = ReceiveDecision.Known(epoch: epoch, marks: series.map { ($0.epoch, $0.marks) })
        var compared: [ReceiveDecision.Place: ReceiveDecision.Sameness] = [:]
        for place in ReceiveDecision.comparisons(batch, known: known) {
            let number = series.first { $0.epoch == place.epoch }!.number
            let line = batch.lines[place.line]
            compared[place] = try ReceivedRecord.compare(batch.bytes[line.range], number, line.seq, in: context.transaction)
        }
        let decision = ReceiveDecision.decide(batch, known: known, compared: compared)
        if decision.outcome == .received { try write(decision, series, epoch: epoch, context) }
        self.decision = decision
    }

    private func write(
        _ decision: ReceiveDecision, _ known: [ReceivedSeries], epoch: UInt32?, _ context: borrowing StoreWriteContext
    ) throws(StoreError) {
        var series: ReceivedSeries
        if let found = known.first(where: { $0.epoch == batch.epoch }) {
            series = found
        } else {
            series = ReceivedSeries(
                node: batch.node, stream: batch.stream, epoch: batch.epoch, number: try nextSeries(context.transaction))
        }
        for index in decision.stores {
            let line = batch.lines[index]
            try ReceivedRecord.put(batch.bytes[line.range], series.number, line.seq, in: context.transaction)
            series.records += 1
            series.bytes += UInt64(line.range.count)
        }
        series.marks = decision.marks
        series.lastReceived = context.now
        try context.transaction.put(
            ReceivedSeries.table, ReceivedSeries.key(batch.node, batch.stream, batch.epoch), series.encode(), revision: series.marks.high)
        if epoch != batch.epoch {
            try context.transaction.put(
                ReceivedNode.table, ReceivedNode.key(batch.node), withUnsafeBytes(of: batch.epoch.littleEndian) { Array($0) },
                revision: UInt64(batch.epoch))
        }
    }

    /// Numbers rise by one and are never used again; the last one stands in a row of its own.
    private func nextSeries(_ transaction: borrowing WriteTransaction) throws(StoreError) -> UInt32 {
        let key = StoreKey(ReceivedNode.table, [0])
        let last = try transaction.withValue(ReceivedNode.table, key) { (payload, _) throws(StoreError) in
            ReceivedNode.epoch(payload)
        }
        let number = ((last ?? 0) ?? 0) + 1
        try transaction.put(
            ReceivedNode.table, StoreKey(ReceivedNode.table, [0]), withUnsafeBytes(of: number.littleEndian) { Array($0) },
            revision: UInt64(number))
        return number
    }

    func committed() { completion(.success(decision!)) }
    func failed(_ error: StoreError) { completion(.failure(error)) }
}

import Crypto
import Domain
import Synchronization

/// The streams of one environment: append-only sequences of CloudEvents, written in the transactions of their causes.
///
/// A record is stored as the line that will be sent. Heads (last seq, counters, hash) live in memory, are rolled back with the batch or the
/// fence that moved them, and are written once per commit.
// SAFETY: everything but `positions`, `names` and `quality` belongs to the writer's thread. `positions` holds atomics, `names` never
// changes after `open`, `quality` is atomic.
package final class Journal: @unchecked Sendable {
    package let environment: StoreEnvironment
    package let nodeID: String
    private let currentEpoch: Atomic<UInt32>
    private let names: [String: StreamID]
    private let positions: [StreamGauge]
    private let quality = Atomic<UInt8>(TimeQuality.unknown.rawValue)

    // Writer's thread only, from here on.
    let streams: [StreamState?]
    var json = JSONWriter(capacity: 4_096)
    /// The line of the record being written, in memory that is kept from record to record.
    var line = GrowingBytes(capacity: 8_192)
    let hasher = SHA256()
    private var changedInBatch: [(state: StreamState, before: StreamRow)] = []
    private var changedInFence: [(state: StreamState, before: StreamRow)] = []
    private var isFenced = false
    /// A stream that the batch touched has passed its bound.
    var isRetentionWanted = false

    /// A stream while it is open. Writer's thread only.
    final class StreamState {
        var row: StreamRow
        /// The envelope before the digits of the seq, and between them and the type: the same for every record.
        private(set) var envelopeStart: [UInt8]
        let envelopeMiddle: [UInt8]
        var isTouchedInBatch = false
        var isTouchedInFence = false
        var checkpointUptime: Uptime?

        init(_ row: StreamRow, nodeID: String, epoch: UInt32) {
            self.row = row
            envelopeStart = Array(#"{"specversion":"1.0","id":"\#(epoch)-"#.utf8)
            envelopeMiddle = Array(#"","source":"/node/\#(nodeID)/\#(row.policy.name)","type":"#.utf8)
        }

        func beganEpoch(_ epoch: UInt32) { envelopeStart = Array(#"{"specversion":"1.0","id":"\#(epoch)-"#.utf8) }

        func added(seq: UInt64, time: Timestamp, bytes: Int, hash: Digest32?) {
            row.last = seq
            row.lastTime = time
            row.records += 1
            row.bytes += UInt64(bytes)
            if let hash { row.lastHash = hash }
        }
    }

    /// Opens the streams of the environment and creates those of `policies` that are new; a stream keeps its number for ever.
    ///
    /// Streams that are stored but not declared stay open, so that they can be read, sent and deleted. Reads one row a stream.
    /// Before the writer starts.
    /// After a salvage `reconcile` and open again.
    package static func open(
        _ environment: StoreEnvironment, nodeID: String, epoch: UInt32, policies: [StreamPolicy]
    ) throws(StoreError) -> Journal {
        var rows: [StreamRow] = []
        try environment.read { (transaction) throws(StoreError) in
            try transaction.scan(.streams, prefix: StoreKey(.streams)) { (_, payload, _) throws(StoreError) in
                guard let row = StreamRow(payload) else { throw StoreError(.corrupted, "read the row of a stream") }
                rows.append(row)
                return true
            }
        }
        var changed: [StreamRow] = []
        for policy in policies {
            precondition((1...64).contains(policy.name.utf8.count), "a stream's name has 1 to 64 bytes")
            if let at = rows.firstIndex(where: { $0.policy.name == policy.name }) {
                guard rows[at].policy != policy else { continue }
                // A chain neither begins nor ends in the middle of a stream: what it is, it stays.
                let wasChained = rows[at].policy.isChained
                rows[at].policy = policy
                if rows[at].last > 0 { rows[at].policy.isChained = wasChained }
                changed.append(rows[at])
            } else {
                guard let free = (0..<UInt8(Limits.streamsMax)).first(where: { number in !rows.contains { $0.id.number == number } }) else {
                    throw StoreError(.full, "number one more stream")
                }
                let row = StreamRow(id: StreamID(free), policy: policy)
                rows.append(row)
                changed.append(row)
            }
        }
        try environment.openTables(rows.map { .stream($0.id.number, named: $0.policy.name) })
        if !changed.isEmpty {
            try environment.write { (transaction) throws(StoreError) in
                for row in changed { try transaction.put(.streams, StreamRow.key(row.id), row.encode(), revision: row.last) }
            }
        }
        return Journal(environment, nodeID: nodeID, epoch: epoch, rows: rows)
    }

    private init(_ environment: StoreEnvironment, nodeID: String, epoch: UInt32, rows: [StreamRow]) {
        self.environment = environment
        self.nodeID = nodeID
        currentEpoch = Atomic(epoch)
        names = Dictionary(uniqueKeysWithValues: rows.map { ($0.policy.name, $0.id) })
        positions = (0..<Limits.streamsMax).map { _ in StreamGauge() }
        var streams = [StreamState?](repeating: nil, count: Limits.streamsMax)
        for row in rows {
            streams[Int(row.id.number)] = StreamState(row, nodeID: nodeID, epoch: epoch)
            positions[Int(row.id.number)].publish(row)
        }
        self.streams = streams
    }

    /// The declared or stored stream of this name. Any thread.
    package func stream(_ name: String) -> StreamID? { names[name] }
    /// All streams by name. Any thread.
    package var streamNames: [String: StreamID] { names }
    /// Where a stream stands after the last commit. Any thread.
    package func position(_ stream: StreamID) -> StreamPosition { positions[Int(stream.number)].position }
    /// The last durable seq of a stream; for the stream `state`, the revision. Any thread.
    package func head(_ stream: StreamID) -> UInt64 { positions[Int(stream.number)].head }

    /// The epoch of the next records. Any thread.
    package var epoch: UInt32 { currentEpoch.load(ordering: .acquiring) }

    /// The epoch of the records from here on. Writer's thread, once the epoch is on the disk.
    func beganEpoch(_ epoch: UInt32) {
        for state in streams { state?.beganEpoch(epoch) }
        environment.setEpoch(epoch)
        currentEpoch.store(epoch, ordering: .releasing)
    }

    /// What the clock of the next records is worth. Any thread.
    package var timeQuality: TimeQuality {
        get { TimeQuality(rawValue: quality.load(ordering: .relaxed)) ?? .unknown }
        set { quality.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// The stream as the batch at work sees it. Writer's thread.
    func state(_ stream: StreamID) -> StreamState {
        guard let state = streams[Int(stream.number)] else { preconditionFailure("stream \(stream.number) was never declared") }
        return state
    }

    // MARK: - Heads follow the transactions

    /// Call before a row changes: keeps what it was, for the fence and for the batch.
    func touch(_ state: StreamState) {
        if isFenced, !state.isTouchedInFence {
            state.isTouchedInFence = true
            changedInFence.append((state, state.row))
        }
        if !state.isTouchedInBatch {
            state.isTouchedInBatch = true
            changedInBatch.append((state, state.row))
        }
    }

    func beginBatch() {
        endFence()
        for (state, _) in changedInBatch { state.isTouchedInBatch = false }
        changedInBatch.removeAll(keepingCapacity: true)
        isRetentionWanted = false
    }

    func rollBackBatch() {
        for (state, before) in changedInBatch { state.row = before }
        beginBatch()
    }

    func beginFence() {
        endFence()
        isFenced = true
    }

    func rollBackFence() {
        for (state, before) in changedInFence { state.row = before }
        endFence()
    }

    func endFence() {
        for (state, _) in changedInFence { state.isTouchedInFence = false }
        changedInFence.removeAll(keepingCapacity: true)
        isFenced = false
    }

    /// Writes the rows that the batch touched, and checkpoints that are due.
    func flush(_ transaction: borrowing WriteTransaction, now: Timestamp, uptime: Uptime) throws(StoreError) {
        endFence()
        for (state, _) in changedInBatch {
            try cutIfOverflowing(state, in: transaction)
            try checkpointIfDue(state, in: transaction, now: now, uptime: uptime)
            try transaction.put(.streams, StreamRow.key(state.row.id), state.row.encode(), revision: state.row.last)
        }
    }

    /// After the commit: what any thread may read.
    func publish() {
        for (state, _) in changedInBatch { positions[Int(state.row.id.number)].publish(state.row) }
    }
}

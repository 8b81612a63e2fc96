import Domain
import Store

/// How far a sink is with a stream, in the table `cursors` of the stream's environment (Documentation/FORMATS.md §4).
package struct CursorRow: Equatable, Sendable {
    private static let version: UInt8 = 1
    private static let headSize = 24

    package var epoch: UInt32
    /// When the receiver last confirmed something; 0: never.
    package var lastAck: Timestamp
    package var breaker: Breaker.Stored
    package var marks: SequenceMarks

    static func key(_ sink: String, _ stream: StreamID) -> StoreKey {
        var key = StoreKey(.cursors)
        key.append(terminated: sink)
        key.append(stream.number)
        return key
    }

    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headSize)
        bytes.withUnsafeMutableBytes { raw in
            raw[0] = Self.version
            raw[1] = breaker.rawValue
            raw.storeBytes(of: epoch.littleEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: lastAck.milliseconds.littleEndian, toByteOffset: 8, as: Int64.self)
        }
        marks.encode(into: &bytes)
        return bytes
    }

    init(epoch: UInt32, lastAck: Timestamp, breaker: Breaker.Stored, marks: SequenceMarks) {
        self.epoch = epoch
        self.lastAck = lastAck
        self.breaker = breaker
        self.marks = marks
    }

    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= Self.headSize, raw[0] == Self.version, let breaker = Breaker.Stored(rawValue: raw[1]) else { return nil }
        self.breaker = breaker
        epoch = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        lastAck = Timestamp(milliseconds: Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: Int64.self)))
        var at = Self.headSize
        guard let marks = SequenceMarks(raw, at: &at) else { return nil }
        self.marks = marks
    }
}

extension StoreReading where Self: ~Copyable {
    /// The stored cursor; nil if there is none, or none that can be read: then the receiver is asked, and what it has not is sent again.
    package borrowing func cursor(_ sink: String, _ stream: StreamID) throws(StoreError) -> CursorRow? {
        do throws(StoreError) {
            return try withValue(.cursors, CursorRow.key(sink, stream)) { (payload, _) throws(StoreError) in CursorRow(payload) } ?? nil
        } catch {
            guard error.code == .corrupted else { throw error }
            return nil
        }
    }
}

/// Writes the cursors of one environment.
final class CursorRequest: WriteRequest {
    private let sink: String
    private let rows: [(stream: StreamID, row: CursorRow)]
    private let completion: @Sendable (StoreError?) -> Void

    init(sink: String, rows: [(stream: StreamID, row: CursorRow)], completion: @escaping @Sendable (StoreError?) -> Void) {
        self.sink = sink
        self.rows = rows
        self.completion = completion
    }

    // What is acknowledged may be deleted: a cursor makes room.
    var priority: RecordPriority { .audit }
    var releasesSpace: Bool { true }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        for (stream, row) in rows {
            try context.transaction.put(.cursors, CursorRow.key(sink, stream), row.encode(), revision: context.transactionNumber)
        }
    }

    func committed() { completion(nil) }
    func failed(_ error: StoreError) { completion(error) }
}

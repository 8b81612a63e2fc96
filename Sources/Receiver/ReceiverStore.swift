import Domain
import Store

/// What a receiver keeps, in an LMDB environment of its own (Documentation/FORMATS.md §9): nodes, series and the received lines.
///
/// A series is a stream of a node in an epoch; its number keeps the keys of the lines short.
package struct ReceivedSeries: Equatable, Sendable {
    static let table = Table(id: 33, name: "received-series")
    private static let version: UInt8 = 1
    private static let headSize = 40

    package let node: String
    package let stream: String
    package let epoch: UInt32
    package var number: UInt32
    package var records: UInt64 = 0
    package var bytes: UInt64 = 0
    package var lastReceived = Timestamp(milliseconds: 0)
    package var marks = SequenceMarks()

    init(node: String, stream: String, epoch: UInt32, number: UInt32) {
        self.node = node
        self.stream = stream
        self.epoch = epoch
        self.number = number
    }

    static func key(_ node: String, _ stream: String?, _ epoch: UInt32?) -> StoreKey {
        var key = StoreKey(table)
        key.append(terminated: node)
        if let stream { key.append(terminated: stream) }
        if let epoch { key.append(epoch) }
        return key
    }

    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headSize)
        bytes.withUnsafeMutableBytes { raw in
            raw[0] = Self.version
            raw.storeBytes(of: number.littleEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: records.littleEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: self.bytes.littleEndian, toByteOffset: 16, as: UInt64.self)
            raw.storeBytes(of: lastReceived.milliseconds.littleEndian, toByteOffset: 24, as: Int64.self)
        }
        marks.encode(into: &bytes)
        return bytes
    }

    init?(key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
        guard payload.count >= Self.headSize, payload[0] == Self.version else { return nil }
        let parts = key.dropFirst().split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].count == 4 else { return nil }
        node = String(decoding: parts[0], as: UTF8.self)
        stream = String(decoding: parts[1], as: UTF8.self)
        epoch = parts[2].reduce(0) { $0 << 8 | UInt32($1) }
        number = UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        records = UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        bytes = UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        lastReceived = Timestamp(milliseconds: Int64(littleEndian: payload.loadUnaligned(fromByteOffset: 24, as: Int64.self)))
        var at = Self.headSize
        guard let marks = SequenceMarks(payload, at: &at) else { return nil }
        self.marks = marks
    }
}

/// A node's row: its epoch. The row without a name holds the last number of a series.
enum ReceivedNode {
    static let table = Table(id: 32, name: "received-nodes")

    static func key(_ node: String) -> StoreKey {
        var key = StoreKey(table)
        key.append(terminated: node)
        return key
    }

    static func epoch(_ payload: UnsafeRawBufferPointer) -> UInt32? {
        payload.count == 4 ? UInt32(littleEndian: payload.loadUnaligned(as: UInt32.self)) : nil
    }
}

/// The received lines: series number and seq; a line longer than a value goes on under its part number.
enum ReceivedRecord {
    static let table = Table(id: 34, name: "received-records")
    private static let room = Limits.payloadBytesMax

    static func key(_ series: UInt32, _ seq: UInt64, part: Int = 0) -> StoreKey {
        var key = StoreKey(table)
        key.append(series)
        key.append(seq)
        if part > 0 { key.append(UInt16(part)) }
        return key
    }

    static func put(
        _ line: ArraySlice<UInt8>, _ series: UInt32, _ seq: UInt64, in transaction: borrowing WriteTransaction
    ) throws(StoreError) {
        var part = 0
        var at = line.startIndex
        repeat {
            let end = min(at + room, line.endIndex)
            try transaction.put(table, key(series, seq, part: part), Array(line[at..<end]), revision: seq)
            at = end
            part += 1
        } while at < line.endIndex
    }

    /// What is stored beside `line`.
    static func compare(
        _ line: ArraySlice<UInt8>, _ series: UInt32, _ seq: UInt64, in transaction: borrowing WriteTransaction
    ) throws(StoreError) -> ReceiveDecision.Sameness {
        var part = 0
        var at = line.startIndex
        repeat {
            let end = min(at + room, line.endIndex)
            let piece = line[at..<end]
            let isSame = try transaction.withValue(table, key(series, seq, part: part)) { (payload, _) throws(StoreError) in
                payload.elementsEqual(piece)
            }
            guard let isSame else { return part == 0 ? .absent : .different }
            guard isSame else { return .different }
            at = end
            part += 1
        } while at < line.endIndex
        return try transaction.contains(table, key(series, seq, part: part)) ? .different : .same
    }
}

extension StoreReading where Self: ~Copyable {
    /// The epoch of a node; nil: it was never heard of.
    borrowing func receivedEpoch(_ node: String) throws(StoreError) -> UInt32? {
        try withValue(ReceivedNode.table, ReceivedNode.key(node)) { (payload, _) throws(StoreError) in
            guard let epoch = ReceivedNode.epoch(payload) else { throw StoreError(.corrupted, "read the row of a node") }
            return epoch
        }
    }

    /// The series of a node, or of one of its streams, by stream and epoch.
    borrowing func receivedSeries(_ node: String, _ stream: String? = nil) throws(StoreError) -> [ReceivedSeries] {
        var found: [ReceivedSeries] = []
        try scan(ReceivedSeries.table, prefix: ReceivedSeries.key(node, stream, nil)) { (key, payload, _) throws(StoreError) in
            guard let series = ReceivedSeries(key: key, payload: payload) else { throw StoreError(.corrupted, "read a series") }
            found.append(series)
            return true
        }
        return found
    }

    /// The lines of a series after `seq`, each with its line feed, at most `limit`, and at most `bytesMax` bytes but for the first.
    borrowing func receivedLines(_ series: UInt32, after seq: UInt64, limit: Int, bytesMax: Int) throws(StoreError) -> [UInt8] {
        var lines: [UInt8] = []
        var count = 0
        guard seq < .max else { return lines }
        var prefix = StoreKey(ReceivedRecord.table)
        prefix.append(series)
        try scan(ReceivedRecord.table, from: ReceivedRecord.key(series, seq + 1), prefix: prefix) { (key, payload, _) throws(StoreError) in
            if key.count == 13 {
                if count > 0 { lines.append(10) }
                guard count < limit, lines.count + payload.count <= bytesMax || count == 0 else {
                    count += 1
                    return false
                }
                count += 1
            }
            lines.append(contentsOf: payload)
            return true
        }
        if let last = lines.last, last != 10 { lines.append(10) }
        return lines
    }
}

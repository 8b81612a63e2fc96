import CLMDB
import Domain

/// One record of a stream as it lies in the store; the bytes are valid within the closure that was given it.
package struct JournalEntry {
    package let seq: UInt64
    package let time: Timestamp
    /// The CloudEvent: one line of JSON, without its line feed.
    package let cloudEvent: UnsafeRawBufferPointer
    /// Its `data`, found without parsing.
    package let data: UnsafeRawBufferPointer
    /// What had been deleted from the stream when it was written.
    package let trimmedThrough: UInt64
    /// For a chained stream.
    package let hash: Digest32?
    package let epoch: UInt32
    /// Bytes of keys and values, all pieces.
    package let storedBytes: Int
    /// Values it lies in.
    package let pieces: Int
}

extension StoreReading where Self: ~Copyable {
    /// The stream's row: policy, counters, first and last seq.
    package borrowing func streamRow(_ stream: StreamID) throws(StoreError) -> StreamRow? {
        try withValue(.streams, StreamRow.key(stream)) { (payload, _) throws(StoreError) in
            guard let row = StreamRow(payload), row.id == stream else { throw StoreError(.corrupted, "read the row of a stream") }
            return row
        }
    }

    /// All streams, by number.
    package borrowing func streamRows() throws(StoreError) -> [StreamRow] {
        var rows: [StreamRow] = []
        try scan(.streams, prefix: StoreKey(.streams)) { (_, payload, _) throws(StoreError) in
            guard let row = StreamRow(payload) else { throw StoreError(.corrupted, "read the row of a stream") }
            rows.append(row)
            return true
        }
        return rows
    }

    /// The last seq of the stream; 0 if it has none.
    package borrowing func head(_ stream: StreamID) throws(StoreError) -> UInt64 { try streamRow(stream)?.last ?? 0 }

    /// The seq through which the stream was deleted: the first kept one less one.
    package borrowing func trimmed(_ stream: StreamID) throws(StoreError) -> UInt64 { try streamRow(stream)?.trimmed ?? 0 }

    /// Lends the records after `seq` in order, until `body` says false or a bound is reached. The first one is lent whatever its size.
    ///
    /// - Returns: the last seq lent; `seq` if none.
    /// - Throws: `.corrupted` at a record that fails its check or lacks a piece.
    @discardableResult
    package borrowing func scan(
        _ stream: StreamID, after seq: UInt64, bytesMax: Int = .max, recordsMax: Int = Limits.walkRecordsMax,
        _ body: (JournalEntry) throws(StoreError) -> Bool
    ) throws(StoreError) -> UInt64 {
        guard seq < .max else { return seq }
        var assembler = JournalAssembler(stream: stream)
        var last = seq
        var bytes = 0
        var records = 0
        let view = TransactionView(handle: handle, environment: environment)
        let from = StoreKey(stream.table, seq + 1)
        try from.withBytes { (from) throws(StoreError) in
            try view.scan(stream.table, from: from) { (key, payload, header) throws(StoreError) in
                guard let size = try assembler.add(key, payload, header) else { return true }
                if records > 0, bytes + size > bytesMax { return false }
                bytes += size
                records += 1
                let goesOn = try assembler.withEntry(body)
                last = assembler.seq
                return goesOn && records < recordsMax
            }
        }
        guard !assembler.isIncomplete else { throw StoreError(.corrupted, "read a record that lacks a piece") }
        return last
    }
}

/// Puts the pieces of a record together while a scan goes over them.
struct JournalAssembler {
    let stream: StreamID
    private(set) var seq: UInt64 = 0
    private var header = RecordHeader(length: 0, epoch: 0, revision: 0)
    private var expectedParts = 0
    private var nextPart = 0
    private var total = 0
    private var storedBytes = 0
    private var assembled: [UInt8] = []
    /// A record in one value is lent from the map.
    private var whole: UnsafeRawBufferPointer?

    init(stream: StreamID) { self.stream = stream }

    var isIncomplete: Bool { nextPart < expectedParts }

    /// Takes a value; returns the size of the line when the record is complete.
    mutating func add(
        _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ header: RecordHeader
    ) throws(StoreError) -> Int? {
        guard key.count == 9 || key.count == 11 else { throw StoreError(.corrupted, "read the key of a stream's record") }
        let seq = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        if key.count == 9 {
            guard !isIncomplete, header.flags.contains(.journal) else { throw StoreError(.corrupted, "read a record that lacks a piece") }
            self.seq = seq
            self.header = header
            storedBytes = key.count + RecordHeader.size + payload.count
            guard header.flags.contains(.pieces) else {
                expectedParts = 1
                nextPart = 1
                whole = payload
                return payload.count
            }
            guard let head = JournalPieces.readHead(payload) else { throw StoreError(.corrupted, "read the first piece of a record") }
            whole = nil
            expectedParts = head.count
            nextPart = 1
            total = head.total
            assembled.removeAll(keepingCapacity: true)
            assembled.reserveCapacity(total)
            assembled.append(contentsOf: payload[JournalPieces.headSize...])
            return nil
        }
        let part = Int(UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 9, as: UInt16.self)))
        guard isIncomplete, seq == self.seq, part == nextPart, header.flags.contains(.continuation),
            assembled.count + payload.count <= total
        else { throw StoreError(.corrupted, "read a piece of a record") }
        assembled.append(contentsOf: payload)
        storedBytes += key.count + RecordHeader.size + payload.count
        nextPart += 1
        guard nextPart == expectedParts else { return nil }
        guard assembled.count == total else { throw StoreError(.corrupted, "read a record of another length than it says") }
        return total
    }

    /// Lends the complete record.
    func withEntry<R>(_ body: (JournalEntry) throws(StoreError) -> R) throws(StoreError) -> R {
        if let whole { return try body(entry(whole)) }
        return try assembled.span.withUnsafeBytes { (bytes) throws(StoreError) -> R in try body(entry(bytes)) }
    }

    private func entry(_ payload: UnsafeRawBufferPointer) throws(StoreError) -> JournalEntry {
        guard let prefix = JournalPrefix(payload, isChained: header.flags.contains(.chained)) else {
            throw StoreError(.corrupted, "read the prefix of a stream's record")
        }
        var end = payload.count
        if header.flags.contains(.removal) {
            guard let removed = JournalMarks.removedKey(payload), removed.count + 2 + prefix.encodedSize <= end else {
                throw StoreError(.corrupted, "read the removed key of a stream's record")
            }
            end -= removed.count + 2
        }
        let line = UnsafeRawBufferPointer(rebasing: payload[prefix.encodedSize..<end])
        guard Int(prefix.dataOffset) + Int(prefix.dataLength) <= line.count else {
            throw StoreError(.corrupted, "read the prefix of a stream's record")
        }
        let start = Int(prefix.dataOffset)
        return JournalEntry(
            seq: seq, time: prefix.time, cloudEvent: line,
            data: UnsafeRawBufferPointer(rebasing: line[start..<(start + Int(prefix.dataLength))]), trimmedThrough: prefix.trimmedThrough,
            hash: prefix.hash, epoch: header.epoch, storedBytes: storedBytes, pieces: expectedParts)
    }
}

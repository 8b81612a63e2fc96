import Crypto
import Domain

extension Journal {
    /// Adds a record to a stream, within the transaction of its cause, and returns its seq.
    ///
    /// `data` writes one JSON value, the event's `data`. The seq is final only when the transaction is committed.
    /// - Throws: `.full` if the stream refuses new records at its bound, or as `put`.
    func append(
        _ stream: StreamID, _ draft: EventDraft, in transaction: borrowing WriteTransaction, now: Timestamp, uptime: Uptime,
        data: (inout JSONWriter, _ seq: UInt64) -> Void
    ) throws(StoreError) -> UInt64 {
        let index = Int(stream.number)
        precondition(streams[index] != nil, "stream \(index) was never declared")
        let row = streams[index]!.row
        if row.policy.whenFull == .rejectNew, let bytesMax = row.policy.bytesMax, row.bytes >= bytesMax {
            throw StoreError(.full, "append to a stream that holds what it may")
        }
        let seq = row.last + 1
        let dataRange = encode(index, draft, seq: seq, now: now, uptime: uptime, data: data)
        var prefix = JournalPrefix(
            trimmedThrough: row.trimmed, time: now, dataOffset: UInt32(dataRange.lowerBound), dataLength: UInt32(dataRange.count), hash: nil
        )
        if row.policy.isChained {
            prefix.hash = chainHash(hasher, row.lastHash, json.bytes.span.bytes)
        }
        let stored = try store(stream, seq: seq, prefix, removed: draft.removedKey, in: transaction)
        // Only now: a put that was refused has moved nothing.
        touch(index)
        streams[index]!.row.last = seq
        streams[index]!.row.lastTime = now
        streams[index]!.row.records += 1
        streams[index]!.row.bytes += UInt64(stored)
        if let hash = prefix.hash { streams[index]!.row.lastHash = hash }
        return seq
    }

    /// Writes the line into `json`; returns where `data` lies in it.
    private func encode(
        _ index: Int, _ draft: EventDraft, seq: UInt64, now: Timestamp, uptime: Uptime, data: (inout JSONWriter, UInt64) -> Void
    ) -> Range<Int> {
        json.reset()
        json.beginObject()
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { head in
            // Members of the envelope that are the same but for the seq, copied rather than encoded.
            var at = 0
            func copy(_ bytes: [UInt8]) {
                for byte in bytes {
                    head[at] = byte
                    at += 1
                }
            }
            copy(streams[index]!.envelopeStart)
            at += writeDecimal(seq, to: UnsafeMutableBufferPointer(rebasing: head[at...]))
            copy(streams[index]!.envelopeMiddle)
            json.members(json: UnsafeBufferPointer(rebasing: head[..<at]))
        }
        json.key("type")
        json.string(draft.type)
        if let subject = draft.subject {
            json.key("subject")
            json.string(subject)
        }
        json.key("time")
        json.timestamp(now)
        json.key("datacontenttype")
        json.string("application/json")
        json.key("postoseq")
        digits(seq)
        json.key("postoepoch")
        digits(UInt64(epoch))
        json.key("postoprio")
        digits(UInt64(draft.priority.rawValue))
        json.key("postotenant")
        json.string(draft.tenant)
        json.key("postomono")
        digits(UInt64(max(0, uptime.milliseconds)))
        json.key("postotimeq")
        json.string(timeQuality.text)
        if let traceparent = draft.traceparent {
            json.key("traceparent")
            json.string(traceparent)
        }
        json.key("data")
        let start = json.bytes.count
        data(&json, seq)
        let end = json.bytes.count
        precondition(end > start, "an event without data")
        json.endObject()
        precondition(json.bytes.count <= Limits.journalRecordBytesMax, "a record longer than a stream takes")
        return start..<end
    }

    /// A number as a string: CloudEvents' integers end at 2³¹.
    private func digits(_ value: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 22) { buffer in
            buffer[0] = UInt8(ascii: "\"")
            let count = writeDecimal(value, to: UnsafeMutableBufferPointer(rebasing: buffer[1...]))
            buffer[count + 1] = UInt8(ascii: "\"")
            json.raw(json: UnsafeBufferPointer(rebasing: buffer[..<(count + 2)]))
        }
    }

    /// Stores prefix and line, in pieces if need be; returns the bytes of keys and values.
    private func store(
        _ stream: StreamID, seq: UInt64, _ prefix: JournalPrefix, removed: [UInt8], in transaction: borrowing WriteTransaction
    ) throws(StoreError) -> Int {
        let prefixSize = prefix.encodedSize
        let trailer = removed.isEmpty ? [] : removed + [UInt8(truncatingIfNeeded: removed.count), UInt8(truncatingIfNeeded: removed.count >> 8)]
        let total = prefixSize + json.bytes.count + trailer.count
        var flags: RecordHeader.Flags = prefix.hash == nil ? .journal : [.journal, .chained]
        if !trailer.isEmpty { flags.insert(.removal) }
        let table = stream.table
        let lent = (transaction.handle, transaction.environment, transaction.meter)
        let line = json.bytes
        if total <= Limits.payloadBytesMax {
            let key = StoreKey(table, seq)
            try key.withBytes { (key) throws(StoreError) in
                try WriteTransaction(lent.0, lent.1, meter: lent.2).reserve(table, key, total, appending: true, flags: flags, revision: seq)
                {
                    prefix.write(to: $0)
                    copy(line, 0..<line.count, to: $0, at: prefixSize)
                    copy(trailer, 0..<trailer.count, to: $0, at: prefixSize + line.count)
                }
            }
            return key.count + RecordHeader.size + total
        }
        precondition(trailer.isEmpty, "a removal's record is longer than one value")
        flags.insert(.pieces)
        let room = Limits.payloadBytesMax
        let firstLine = room - JournalPieces.headSize - prefixSize
        let count = 1 + (line.count - firstLine + room - 1) / room
        var stored = 0
        var at = 0
        for part in 0..<count {
            var key = StoreKey(table, seq)
            if part > 0 { key.append(UInt16(part)) }
            let length = part == 0 ? firstLine : min(room, line.count - at)
            let size = part == 0 ? room : length
            let range = at..<(at + length)
            try key.withBytes { (key) throws(StoreError) in
                try WriteTransaction(lent.0, lent.1, meter: lent.2).reserve(
                    table, key, size, appending: true, flags: part == 0 ? flags : .continuation, revision: seq
                ) { destination in
                    guard part == 0 else { return copy(line, range, to: destination, at: 0) }
                    JournalPieces.writeHead(count: count, total: total, to: destination)
                    prefix.write(to: UnsafeMutableRawBufferPointer(rebasing: destination[JournalPieces.headSize...]))
                    copy(line, range, to: destination, at: JournalPieces.headSize + prefixSize)
                }
            }
            at += length
            stored += key.count + RecordHeader.size + size
        }
        return stored
    }
}

/// `SHA-256(previous hash ‖ CloudEvent)`.
func chainHash(_ hasher: SHA256, _ previous: Digest32, _ line: RawSpan) -> Digest32 {
    hasher.begin()
    previous.withBytes { hasher.update($0) }
    line.withUnsafeBytes { hasher.update($0) }
    var hash = Digest32()
    hash.withMutableBytes { hasher.finish(into: $0) }
    return hash
}

private func copy(_ line: [UInt8], _ range: Range<Int>, to destination: UnsafeMutableRawBufferPointer, at offset: Int) {
    line.withUnsafeBytes { line in
        UnsafeMutableRawBufferPointer(rebasing: destination[offset...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: line[range]))
    }
}

private func writeDecimal(_ value: UInt64, to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var digits = 1
    var bound = value / 10
    while bound > 0 {
        digits += 1
        bound /= 10
    }
    var rest = value
    for i in stride(from: digits - 1, through: 0, by: -1) {
        buffer[i] = UInt8(truncatingIfNeeded: 48 + rest % 10)
        rest /= 10
    }
    return digits
}

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
        let state = state(stream)
        let row = state.row
        if row.policy.whenFull == .rejectNew, let bytesMax = row.policy.bytesMax, row.bytes >= bytesMax {
            throw StoreError(.full, "append to a stream that holds what it may")
        }
        let seq = row.last + 1
        let dataRange = encode(state, draft, seq: seq, now: now, uptime: uptime, data: data)
        var prefix = JournalPrefix(
            trimmedThrough: row.trimmed, time: now, dataOffset: UInt32(dataRange.lowerBound), dataLength: UInt32(dataRange.count), hash: nil
        )
        if row.policy.isChained { prefix.hash = chainHash(hasher, row.lastHash, line.bytes) }
        let stored = try store(stream, seq: seq, prefix, removed: draft.removedKey, in: transaction)
        // Only now: a put that was refused has moved nothing.
        touch(state)
        state.added(seq: seq, time: now, bytes: stored, hash: prefix.hash)
        return seq
    }

    /// Writes the event into `line`; returns where `data` lies in it.
    private func encode(
        _ state: StreamState, _ draft: EventDraft, seq: UInt64, now: Timestamp, uptime: Uptime, data: (inout JSONWriter, UInt64) -> Void
    ) -> Range<Int> {
        json.reset()
        data(&json, seq)
        precondition(!json.bytes.isEmpty, "an event without data")
        line.removeAll()
        line.append(state.envelopeStart)
        line.append(decimal: seq)
        line.append(state.envelopeMiddle)
        line.append(json: draft.type)
        if let subject = draft.subject {
            line.append(#","subject":"#)
            line.append(json: subject)
        }
        line.append(#","time":""#)
        line.append(now)
        line.append(#"","datacontenttype":"application/json","postoseq":""#)
        line.append(decimal: seq)
        // Numbers as strings: CloudEvents' integers end at 2³¹.
        line.append(#"","postoepoch":""#)
        line.append(decimal: UInt64(epoch))
        line.append(#"","postoprio":""#)
        line.append(decimal: UInt64(draft.priority.rawValue))
        line.append(#"","postotenant":"#)
        line.append(json: draft.tenant)
        line.append(#","postomono":""#)
        line.append(decimal: UInt64(max(0, uptime.milliseconds)))
        line.append(#"","postotimeq":""#)
        line.append(timeQuality.text)
        line.append("\"")
        if let traceparent = draft.traceparent {
            line.append(#","traceparent":"#)
            line.append(json: traceparent)
        }
        line.append(#","data":"#)
        let start = line.count
        line.append(json.bytes)
        let end = line.count
        line.append("}")
        precondition(line.count <= Limits.journalRecordBytesMax, "a record longer than a stream takes")
        return start..<end
    }

    /// Stores prefix and line, in pieces if need be; returns the bytes of keys and values.
    private func store(
        _ stream: StreamID, seq: UInt64, _ prefix: JournalPrefix, removed: [UInt8], in transaction: borrowing WriteTransaction
    ) throws(StoreError) -> Int {
        let line = self.line.bytes
        let prefixSize = prefix.encodedSize
        let trailer =
            removed.isEmpty ? [] : removed + [UInt8(truncatingIfNeeded: removed.count), UInt8(truncatingIfNeeded: removed.count >> 8)]
        let total = prefixSize + line.count + trailer.count
        var flags: RecordHeader.Flags = prefix.hash == nil ? .journal : [.journal, .chained]
        if !trailer.isEmpty { flags.insert(.removal) }
        let table = stream.table
        let lent = (transaction.handle, transaction.environment, transaction.meter)
        if total <= Limits.payloadBytesMax {
            let key = StoreKey(table, seq)
            try key.withBytes { (key) throws(StoreError) in
                try WriteTransaction(lent.0, lent.1, meter: lent.2).reserve(table, key, total, appending: true, flags: flags, revision: seq)
                {
                    prefix.write(to: $0)
                    copy(line, 0..<line.count, to: $0, at: prefixSize)
                    for (index, byte) in trailer.enumerated() { $0[prefixSize + line.count + index] = byte }
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
package func chainHash(_ hasher: SHA256, _ previous: Digest32, _ line: UnsafeRawBufferPointer) -> Digest32 {
    hasher.begin()
    previous.withBytes { hasher.update($0) }
    hasher.update(line)
    var hash = Digest32()
    hash.withMutableBytes { hasher.finish(into: $0) }
    return hash
}

private func copy(_ line: UnsafeRawBufferPointer, _ range: Range<Int>, to destination: UnsafeMutableRawBufferPointer, at offset: Int) {
    UnsafeMutableRawBufferPointer(rebasing: destination[offset...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: line[range]))
}

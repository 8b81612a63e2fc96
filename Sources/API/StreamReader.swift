import Domain
import Store

/// Reads the journal's streams for the interface. Any thread.
package struct StreamReader: Sendable {
    private let journals: [Journal]

    /// - Parameter journals: of each environment; a name is looked for in their order.
    package init(journals: [Journal]) { self.journals = journals }

    /// The epoch of the next records.
    package var epoch: UInt32 { journals.first?.epoch ?? 0 }

    package func rows() throws(StoreError) -> [StreamRow] {
        var rows: [StreamRow] = []
        for journal in journals {
            rows += try journal.environment.read { (transaction) throws(StoreError) in try transaction.streamRows() }
        }
        return rows
    }

    package enum Page: Sendable {
        case lines([UInt8], last: UInt64)
        case unknownStream
    }

    /// The CloudEvents after `seq`, a line each, as they would be sent.
    package func lines(of name: String, after seq: UInt64, limit: Int) throws(StoreError) -> Page {
        for journal in journals {
            guard let stream = journal.stream(name) else { continue }
            var lines: [UInt8] = []
            let last = try journal.environment.read { (transaction) throws(StoreError) in
                try transaction.scan(stream, after: seq, bytesMax: Limits.changesPageBytesMax, recordsMax: limit) {
                    (entry) throws(StoreError) in
                    lines.append(contentsOf: entry.cloudEvent)
                    lines.append(UInt8(ascii: "\n"))
                    return true
                }
            }
            return .lines(lines, last: last)
        }
        return .unknownStream
    }

    /// A piece of a chained stream, with what its first record follows from.
    package struct ChainPage: Sendable {
        /// `{"seq","time","hash","event":{…}}` for each record.
        package var json: [UInt8]
        /// The last seq that was given; `since` if none.
        package var last: UInt64
        /// Everything through it was deleted by retention.
        package var trimmedThrough: UInt64
        /// The hash that the first record is chained to; nil if nothing is known of `since`, which is beyond the end then.
        package var previousHash: Digest32?
    }

    /// The records of a chained stream after `seq` with their hashes; nil if there is no such stream.
    package func chained(_ name: String, after seq: UInt64, limit: Int) throws(StoreError) -> ChainPage? {
        for journal in journals {
            guard let stream = journal.stream(name) else { continue }
            return try journal.environment.read { (transaction) throws(StoreError) in
                guard let row = try transaction.streamRow(stream) else { throw StoreError(.corrupted, "read the row of a stream") }
                var page = ChainPage(json: [], last: seq, trimmedThrough: row.trimmed, previousHash: nil)
                if seq <= row.trimmed {
                    page.previousHash = row.trimmedHash
                } else {
                    try transaction.scan(stream, after: seq - 1, recordsMax: 1) { (entry) throws(StoreError) in
                        if entry.seq == seq { page.previousHash = entry.hash }
                        return false
                    }
                }
                var json = JSONWriter(capacity: 16 * 1_024)
                json.beginArray()
                page.last = try transaction.scan(stream, after: seq, bytesMax: Limits.changesPageBytesMax, recordsMax: limit) {
                    (entry) throws(StoreError) in
                    json.beginObject()
                    json.key("seq"); json.unsigned(entry.seq)
                    json.key("time"); json.timestamp(entry.time)
                    json.key("hash"); json.string(entry.hash?.hex ?? "")
                    json.key("event"); json.raw(json: entry.cloudEvent)
                    json.endObject()
                    return true
                }
                json.endArray()
                page.json = json.finish()
                return page
            }
        }
        return nil
    }

    package func checkpoint(of name: String) throws(StoreError) -> JournalCheckpoint? {
        for journal in journals {
            guard let stream = journal.stream(name) else { continue }
            return try journal.environment.read { (transaction) throws(StoreError) in try transaction.lastCheckpoint(stream) }
        }
        return nil
    }
}

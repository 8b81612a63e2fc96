import Domain
import Store

/// A page of changes, rendered.
package struct ChangesPage: Sendable {
    package enum Form: Hashable, Sendable { case json, ndjson, eventStream }

    package let body: [UInt8]
    package let count: Int
    /// The revision to go on from.
    package let revision: UInt64

    init(body: [UInt8], count: Int, revision: UInt64) {
        self.body = body
        self.count = count
        self.revision = revision
    }

    /// Nothing came in the time that the caller waited.
    package init(emptyAfter since: UInt64, form: Form) {
        self.init(body: form == .json ? Array("{\"changes\":[],\"revision\":\(since)}".utf8) : [], count: 0, revision: since)
    }
}

package enum ChangesOutcome: Sendable {
    case page(ChangesPage)
    /// Changes after `since` are no longer kept; the oldest kept is after `oldest`.
    case gone(oldest: UInt64)
    /// A change after `since` was lost with a damaged disk: the whole list tells what is, and from there the changes go on.
    case lost
    /// `since` is ahead of us: this store was restored from an older backup, or the caller watched another node.
    case ahead(revision: UInt64)
}

extension ServiceRegistry {
    /// Renders the changes after revision `since`, oldest first. Any thread.
    ///
    /// The revision of the answer is that of its last change, or where the stream stands if it ends before `limit`, so that a caller who
    /// goes on from there misses none and sees none twice.
    /// - Parameters:
    ///   - since: nil begins with the oldest that is kept.
    ///   - bytesMax: of the records read; the first one is taken whatever its size.
    package func changes(
        since given: UInt64?, limit: Int, form: ChangesPage.Form, bytesMax: Int = Limits.changesPageBytesMax
    ) throws(StoreError) -> ChangesOutcome {
        try environment.read { (transaction) throws(StoreError) -> ChangesOutcome in
            guard let row = try transaction.streamRow(.state) else { throw StoreError(.corrupted, "read the stream of changes") }
            let since = given ?? row.trimmed
            guard since >= row.trimmed else { return .gone(oldest: row.trimmed) }
            guard since <= row.last else { return .ahead(revision: row.last) }
            var json = JSONWriter(capacity: 1_024)
            var lines: [UInt8] = []
            if form == .json {
                json.beginObject()
                json.key("changes")
                json.beginArray()
            }
            var count = 0
            if since < row.last {
                try Self.scan(transaction, after: since, bytesMax: bytesMax, recordsMax: limit) { (entry) throws(StoreError) in
                    // What a salvage could not bring back must not be passed over in silence.
                    guard entry.seq == since + UInt64(count) + 1 else { return false }
                    count += 1
                    switch form {
                    case .json: json.raw(json: entry.data)
                    case .ndjson:
                        lines.append(contentsOf: entry.data)
                        lines.append(UInt8(ascii: "\n"))
                    case .eventStream:
                        lines.append(contentsOf: "id: \(entry.seq)\nevent: \(Self.kind(of: entry))\ndata: ".utf8)
                        lines.append(contentsOf: entry.data)
                        lines.append(contentsOf: "\n\n".utf8)
                    }
                    return true
                }
            }
            guard count > 0 || since == row.last else { return .lost }
            let last = since + UInt64(count)
            guard form == .json else { return .page(ChangesPage(body: lines, count: count, revision: last)) }
            json.endArray()
            json.key("revision"); json.unsigned(last)
            json.endObject()
            return .page(ChangesPage(body: json.finish(), count: count, revision: last))
        }
    }

    /// Ends before a damaged record: what comes before it is right.
    private static func scan(
        _ transaction: borrowing ReadTransaction, after seq: UInt64, bytesMax: Int, recordsMax: Int,
        _ body: (JournalEntry) throws(StoreError) -> Bool
    ) throws(StoreError) {
        do throws(StoreError) {
            try transaction.scan(.state, after: seq, bytesMax: bytesMax, recordsMax: recordsMax, body)
        } catch {
            guard error.code == .corrupted else { throw error }
        }
    }

    /// The kind stands in the record's type: `posto.registry.KIND`.
    private static func kind(of entry: JournalEntry) -> String {
        let marker = Array(#""type":"posto.registry."#.utf8)
        let line = entry.cloudEvent
        var at = 0
        while at + marker.count < line.count {
            if line[at] == marker[0], line[at..<at + marker.count].elementsEqual(marker) {
                let rest = line[(at + marker.count)...]
                return String(decoding: rest.prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            }
            at += 1
        }
        return "change"
    }
}

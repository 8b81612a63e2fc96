import Domain
import HTTPClient
import Store

/// Verifies a stream through the daemon's interface: nothing the daemon says of a record is believed that can be computed here.
enum RemoteVerification {
    static func verify(_ name: String, _ connection: borrowing ServerConnection) throws(CommandFailure) -> JournalVerification {
        // Where the stream stood before the walk: it must reach at least so far.
        let list = try connection.document("/api/v1/streams")["streams"]?.elements.map { $0 } ?? []
        guard let stream = list.first(where: { $0["name"]?.string == name }) else {
            throw CommandFailure(.no, "there is no stream \(HumanText.clean(name))")
        }
        let last = StreamText.unsigned(stream["last_seq"])
        // The interface gives the hashes of the audit trail, which is the chained stream of a node.
        if name == "audit", stream["chained"]?.bool ?? false {
            return try walk(ChainWalk(last: last, checkpoint: try checkpoint(connection)), connection)
        }
        return try walk(SequenceWalk(name: name, next: max(1, StreamText.unsigned(stream["first_seq"])), last: last), connection)
    }

    private static func checkpoint(_ connection: borrowing ServerConnection) throws(CommandFailure) -> ChainWalk.Checkpoint? {
        let reply = try connection.send("GET", "/api/v1/audit/checkpoint")
        if reply.status == 404 { return nil }
        guard reply.status == 200 else { throw ServerConnection.refusal(reply, connection.address) }
        let document = try ServerConnection.document(reply.body, of: connection.address)
        guard let seq = document["seq"]?.int64, let hash = document["hash"]?.string else {
            throw CommandFailure(.internal, "\(connection.address) gives a checkpoint that is not understood")
        }
        return ChainWalk.Checkpoint(seq: UInt64(clamping: seq), hash: hash)
    }

    /// Asks for page after page, and for single records where the daemon cannot read one.
    private static func walk(_ begun: some StreamWalk, _ connection: borrowing ServerConnection) throws(CommandFailure)
        -> JournalVerification
    {
        var walk = begun
        var limit = Limits.changesPageMax
        while true {
            let reply = try connection.send("GET", walk.path(limit: limit))
            guard reply.status == 200 else {
                let refusal = ServerConnection.refusal(reply, connection.address)
                guard refusal.problem == "store_failed" else { throw refusal }
                if limit == 1 { return walk.result(.broken(seq: walk.next, reason: "the daemon cannot read it (\(refusal.message))")) }
                limit = 1
                continue
            }
            let began = walk.next
            if let finding = try walk.take(reply.body, from: connection.address) { return walk.result(finding) }
            if walk.next == began { return walk.result(walk.end()) }
        }
    }
}

/// A stream that is read page by page.
protocol StreamWalk {
    /// The record that must come next.
    var next: UInt64 { get }
    func path(limit: Int) -> String
    /// Takes a page; what is wrong with it, or nil. An empty page leaves `next` as it is.
    mutating func take(_ body: [UInt8], from address: ServerAddress) throws(CommandFailure) -> JournalVerification.Finding?
    /// The judgement when nothing comes any more.
    func end() -> JournalVerification.Finding
    func result(_ finding: JournalVerification.Finding) -> JournalVerification
}

import API
import Domain
import HTTPClient
import Store

/// Where `queue` and `audit` read the journal: through the daemon, or in the store itself.
enum JournalSource: ~Copyable {
    case daemon(ServerConnection)
    case stores([StoreEnvironment])

    init(_ state: StateOptions, _ server: ServerOptions) throws(CommandFailure) {
        if let folder = state.folder {
            self = .stores(try folder.openStores())
        } else {
            self = .daemon(try ServerConnection(server))
        }
    }

    /// The streams and where they stand, as `/api/v1/streams` gives them.
    borrowing func streams() throws(CommandFailure) -> JSONValue {
        switch self {
        case .daemon(let connection): return try connection.document("/api/v1/streams")
        case .stores(let stores):
            var rows: [StreamRow] = []
            do throws(StoreError) {
                for store in stores { rows += try store.read { (transaction) throws(StoreError) in try transaction.streamRows() } }
            } catch {
                throw CommandFailure(error, "the store")
            }
            let bytes = StreamListing.json(rows)
            guard let document = try? JSONDocument.parse(bytes) else { preconditionFailure("a list of streams that is not JSON") }
            return document.root
        }
    }

    /// The stream of that name in the list.
    borrowing func stream(_ name: String) throws(CommandFailure) -> JSONValue {
        let list = try streams()["streams"]?.elements.map { $0 } ?? []
        if let found = list.first(where: { $0["name"]?.string == name }) { return found }
        throw CommandFailure(
            .no, "there is no stream \(HumanText.clean(name))",
            hint: "there are: \(list.compactMap { $0["name"]?.string }.map(HumanText.clean).joined(separator: ", "))")
    }

    /// Hands over the events of a stream after `seq`, oldest first, at most `limit`.
    ///
    /// - Parameter body: gets an event's bytes, which are one JSON object on one line; says whether to go on.
    borrowing func events(of name: String, after seq: UInt64, limit: Int, _ body: (ArraySlice<UInt8>) throws(CommandFailure) -> Bool)
        throws(CommandFailure)
    {
        switch self {
        case .daemon(let connection): try Self.pages(of: name, after: seq, limit: limit, connection, body)
        case .stores(let stores): try Self.scan(stores, name, after: seq, limit: limit, body)
        }
    }

    private static func pages(
        of name: String, after seq: UInt64, limit: Int, _ connection: borrowing ServerConnection,
        _ body: (ArraySlice<UInt8>) throws(CommandFailure) -> Bool
    ) throws(CommandFailure) {
        var since = seq
        var left = limit
        while left > 0 {
            let count = min(left, Limits.changesPageMax)
            let path = "/api/v1/streams/\(HumanText.percentEncoded(name))?since=\(since)&limit=\(count)"
            let reply = try connection.ask("GET", path, accept: "application/x-ndjson")
            guard let last = reply.header("posto-last-seq").flatMap(UInt64.init) else {
                throw CommandFailure(.internal, "\(connection.address) does not tell how far it read")
            }
            for line in reply.body.split(separator: 10) {
                left -= 1
                guard try body(line) else { return }
            }
            guard last > since else { return }
            since = last
        }
    }

    private static func scan(
        _ stores: [StoreEnvironment], _ name: String, after seq: UInt64, limit: Int,
        _ body: (ArraySlice<UInt8>) throws(CommandFailure) -> Bool
    ) throws(CommandFailure) {
        var left = limit
        var since = seq
        var failure: CommandFailure?
        var goesOn = true
        while left > 0, goesOn {
            let began = since
            do throws(StoreError) {
                guard let (store, row) = try find(name, in: stores) else { return }
                since = try store.read { (transaction) throws(StoreError) in
                    try transaction.scan(row.id, after: max(since, row.trimmed), recordsMax: min(left, Limits.walkRecordsMax)) {
                        (entry) throws(StoreError) in
                        left -= 1
                        do throws(CommandFailure) { goesOn = try body(Array(entry.cloudEvent)[...]) } catch { failure = error }
                        return goesOn && failure == nil
                    }
                }
            } catch {
                throw CommandFailure(error, "the stream \(name)")
            }
            if let failure { throw failure }
            guard since > began else { return }
        }
    }

    /// The environment that holds the stream, and the stream's row.
    static func find(_ name: String, in stores: [StoreEnvironment]) throws(StoreError) -> (store: StoreEnvironment, row: StreamRow)? {
        for store in stores {
            let rows = try store.read { (transaction) throws(StoreError) in try transaction.streamRows() }
            if let row = rows.first(where: { $0.policy.name == name }) { return (store, row) }
        }
        return nil
    }
}

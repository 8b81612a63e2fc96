import Crypto
import Domain
import Glibc
import Store
import Synchronization

/// A node's folder with 100,000 instances and ten million records in its journal, made once and kept.
struct LargeStore {
    static let instances = 100_000
    static let records = 10_000_000

    let folder: String
    let arguments: [String]
    let note: String

    static func open(_ setting: BenchSetting) throws(BenchFailure) -> LargeStore {
        let folder = setting.folder + "/large"
        let mark = folder + "/complete"
        let arguments = ["--config", folder + "/posto.toml"]
        if access(mark, R_OK) != 0 {
            _ = try setting.fresh("large")
            let began = LoadClock.now()
            try BenchFile.write(folder + "/posto.toml", Array(configuration.utf8))
            // The daemon itself gives the folder its form.
            try BenchChild.daemon(folder, extra: arguments).stop()
            do throws(StoreError) { try fill(folder + "/state/store/bulk.mdb") } catch { throw BenchFailure("\(error)") }
            let daemon = try BenchChild.daemon(folder, extra: arguments)
            try Registering.register((0..<instances).map { BenchService($0) }, port: daemon.port)
            daemon.stop()
            let seconds = Double(LoadClock.now() - began) / 1e9
            try BenchFile.write(mark, Array("the store was made in \(BenchReport.number(seconds)) s".utf8))
        } else {
            try renew(folder, arguments)
        }
        return LargeStore(folder: folder, arguments: arguments, note: ProcFigures.text(mark))
    }

    private static let configuration = """
        [store]
        size_max = "16GiB"

        [[streams]]
        name = "events"
        priority = 4
        bytes_max = "12GiB"
        age_max = "3650d"
        when_full = "drop-oldest"
        """

    /// Gives every lease an hour from now, so that a start finds them held.
    private static func renew(_ folder: String, _ arguments: [String]) throws(BenchFailure) {
        let daemon = try BenchChild.daemon(folder, extra: arguments)
        for first in stride(from: 0, to: instances, by: 1_000) {
            let elements = (first..<first + 1_000).map { String(decoding: BenchService($0).registration, as: UTF8.self) }
            let body = Array("[\(elements.joined(separator: ","))]".utf8)
            let (status, _) = try LoadRequest.answer(port: daemon.port, LoadRequest.bytes("POST", "/api/v1/heartbeats", body: body))
            guard status == 200 else { throw BenchFailure("a batch of renewals answered \(status)") }
        }
        daemon.stop()
    }

    /// Appends the records with the daemon's own writer.
    private static func fill(_ path: String) throws(StoreError) {
        let environment = try StoreEnvironment.open(
            StoreEnvironment.Options(path: path, budgetBytes: 14 << 30, tables: [.meta, .streams, .cursors, .checkpoints]))
        let time = TimeSource(
            uptime: { Uptime(milliseconds: Int64(LoadClock.now() / 1_000_000)) },
            timestamp: { Timestamp(milliseconds: Int64(Glibc.time(nil)) * 1_000) })
        let identity = try StoreIdentity.loadOrCreate(
            in: environment, nodeID: nil, proposedNodeID: "bench", now: time.timestamp(), randomBytes: randomBytes)
        let journal = try Journal.open(environment, nodeID: identity.nodeID, epoch: identity.epoch, policies: [])
        guard let stream = journal.stream("events") else { throw StoreError(.system, "find the stream `events`") }
        let failure = Mutex<StoreError?>(nil)
        let writer = StoreWriter(
            environment: environment, journal: journal, time: time, onBatchCommitted: { _ in },
            onFatal: { error in failure.withLock { $0 = error } })
        writer.start()
        var left = records
        while left > 0 {
            do throws(StoreError) {
                try writer.submit(FillRequest(stream: stream, count: min(left, FillRequest.recordsMax)))
                left -= FillRequest.recordsMax
            } catch {
                guard error.code == .busy else { throw error }
                usleep(1_000)
            }
        }
        writer.stop()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// Some records for a stream, of the size of a small measurement.
private final class FillRequest: WriteRequest {
    static let recordsMax = 1_000
    let priority = RecordPriority.telemetry
    private let stream: StreamID
    private let count: Int

    init(stream: StreamID, count: Int) {
        self.stream = stream
        self.count = count
    }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        let draft = EventDraft(type: "till.sale", subject: "till/7", tenant: "default", priority: priority)
        for _ in 0..<count {
            try context.append(stream, draft) { json, seq in
                json.object { json in
                    json.key("receipt"); json.unsigned(seq)
                    json.key("cents"); json.unsigned(seq * 7_919 % 100_000)
                }
            }
        }
    }

    func committed() {}
    func failed(_ error: StoreError) { preconditionFailure("the store refused a record: \(error)") }
}

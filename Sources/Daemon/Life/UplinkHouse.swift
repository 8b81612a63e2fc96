import Domain
import Glibc
import HTTPClient
import ServiceManager
import Store
import Uplink

/// Makes the sink that the configuration asks for.
struct UplinkHouse {
    let configuration: Configuration
    let house: StoreHouse
    let time: TimeSource
    let log: Log

    /// The name of the only sink there is: the receiver of the central plane.
    static let sinkName = "central"

    /// nil if nothing is to be sent.
    func make(state: StoreWriter, bulk: StoreWriter) throws(DaemonFailure) -> UplinkSink? {
        let uplink = configuration.uplink
        guard !uplink.url.isEmpty else { return nil }
        let token = try token(uplink.tokenFile)
        try checkAuthorities(uplink.caFile)
        let upload = HTTPUploader.Options(url: uplink.url, token: token, caFile: uplink.caFile, timeout: Limits.uplinkTimeout)
        let options = UplinkSink.Options(
            name: Self.sinkName, url: uplink.url, nodeID: house.identity.nodeID,
            settings: SinkMachine.Settings(
                batchRecords: uplink.batchRecords, batchBytes: uplink.batchBytes, linger: uplink.linger, spread: uplink.spread),
            compressionLevel: uplink.compressionLevel)
        return UplinkSink(
            options, sources: sources(), state: state, bulk: bulk, time: time,
            makeTransport: { isStopped in HTTPTransport(upload, isStopped: isStopped) }, tell: { [log] event in Self.tell(event, log) })
    }

    /// Every stream of both environments: what is stored but no longer declared is sent too.
    private func sources() -> [SinkSource] {
        var sources: [SinkSource] = []
        for (journal, isBulk) in [(house.stateJournal, false), (house.bulkJournal, true)] {
            let rows = (try? journal.environment.read { (transaction) throws(StoreError) in try transaction.streamRows() }) ?? []
            for row in rows {
                sources.append(
                    SinkSource(name: row.policy.name, stream: row.id, priority: row.policy.priority, journal: journal, isBulk: isBulk))
            }
        }
        return sources
    }

    private func checkAuthorities(_ path: String) throws(DaemonFailure) {
        guard !path.isEmpty else { return }
        switch ConfigurationFiles.read(path, bytesMax: Limits.tlsFileBytesMax) {
        case .bytes: return
        case .missing:
            throw DaemonFailure(
                code: 78, message: "uplink.ca_file: there is no file \(path)",
                hint: "put the certificate of the authority there that signed the receiver's, or leave it out to trust the system's")
        case .unreadable(let reason):
            throw DaemonFailure(code: 77, message: "uplink.ca_file: \(path) cannot be read: \(reason)", hint: "chmod 644 it")
        }
    }

    private func token(_ path: String) throws(DaemonFailure) -> String? {
        guard !path.isEmpty else { return nil }
        switch ConfigurationFiles.read(path) {
        case .bytes(let bytes):
            let token = String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" && $0 != "\r" && $0 != " " }
            guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw DaemonFailure(code: 78, message: "\(path) holds no token", hint: "write the receiver's token into it, on one line")
            }
            return token
        case .missing:
            throw DaemonFailure(
                code: 78, message: "uplink.token_file: there is no file \(path)", hint: "write the receiver's token into it")
        case .unreadable(let reason):
            throw DaemonFailure(code: 77, message: "uplink.token_file: \(path) cannot be read: \(reason)", hint: nil)
        }
    }

    private static func tell(_ event: UplinkSink.Event, _ log: Log) {
        switch event {
        case .breakerOpened(let reason): log.warning("uplink", "circuit_breaker_opened", ["reason": .text(reason)])
        case .breakerClosed: log.info("uplink", "circuit_breaker_closed")
        case .linkBack(let seconds): log.info("uplink", "link_back", ["outage_seconds": .integer(seconds)])
        case .deadLetter(let stream, let seq, let code):
            log.warning("uplink", "dead_letter", ["stream": .text(stream), "seq": .integer(seq), "code": .text(code)])
        case .dropped(let stream, let records):
            log.warning("uplink", "dropped", ["stream": .text(stream), "records": .integer(records)])
        case .epochBegan(let epoch): log.warning("uplink", "epoch_began", ["epoch": .integer(epoch)])
        case .cloned:
            log.error("uplink", "cloned", ["meaning": "another node sends under this node's name; give one of them another node.id"])
        case .unauthorised(let status): log.warning("uplink", "unauthorised", ["status": .integer(status)])
        case .storeFailed(let reason): log.error("uplink", "store_failed", ["error": .text(reason)])
        }
    }
}

import Crypto
import Domain
import HTTPServer
import Store
import TLS

/// A receiver, composed: its store, its writer, its door.
package final class ReceiverHouse {
    private let environment: StoreEnvironment
    private let writer: StoreWriter
    private let server: ReceiverServer
    package let door: HTTPDoor

    /// Opens the store in `folder`, which must be there, and binds.
    ///
    /// - Parameter certificate: with it only TLS is spoken.
    package init(
        folder: String, listener: HTTPListener, certificate: TLSServerIdentity? = nil, tokens: ReceiverTokens, budgetBytes: Int,
        time: TimeSource,
        onFatal: @escaping @Sendable (StoreError) -> Void
    ) throws {
        environment = try StoreEnvironment.open(
            StoreEnvironment.Options(
                path: folder + "/receiver.mdb", budgetBytes: budgetBytes,
                tables: [.meta, .streams, .checkpoints, ReceivedNode.table, ReceivedSeries.table, ReceivedRecord.table]))
        let identity = try StoreIdentity.loadOrCreate(
            in: environment, nodeID: "receiver", proposedNodeID: "receiver", now: time.timestamp(), randomBytes: randomBytes)
        let journal = try Journal.open(environment, nodeID: identity.nodeID, epoch: identity.epoch, policies: [])
        let server = ReceiverServer(environment: environment, tokens: tokens)
        self.server = server
        writer = StoreWriter(
            environment: environment, journal: journal, time: time, onBatchCommitted: { _ in server.committed() }, onFatal: onFatal)
        var configuration = HTTPServerConfiguration(listeners: [certificate == nil ? listener : .tls(listener)])
        configuration.identity = certificate
        door = try HTTPDoor(configuration: configuration, handler: server)
        server.attach(writer, door)
    }

    package func start() {
        writer.start()
        door.start()
    }

    /// Answers what is under way, and ends.
    package func stop() {
        door.drain(deadline: HTTPDoor.uptimeNanoseconds() + 5_000_000_000)
        writer.stop()
    }
}

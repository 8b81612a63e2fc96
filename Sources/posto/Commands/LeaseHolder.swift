import Domain
import HTTPClient
import ServiceManager

/// A registration that the daemon took, with what is needed to keep it.
struct HeldLease {
    let registration: RegistrationText
    /// The daemon's answer.
    let answer: [UInt8]
    let name: String
    let id: String
    let revision: Int64
    let ttlSeconds: Int64
    let heartbeat: Duration
    private let tenant: String?

    static func register(_ registration: RegistrationText, _ connection: borrowing ServerConnection) throws(CommandFailure) -> HeldLease {
        let reply = try connection.ask("POST", "/api/v1/register", body: registration.bytes)
        let answer = try ServerConnection.document(reply.body, of: connection.address)
        guard let name = answer["service_name"]?.string, let id = answer["id"]?.string, let lease = answer["lease"],
            let ttl = lease["ttl_seconds"]?.int64, let heartbeat = lease["heartbeat_seconds"]?.int64, heartbeat > 0
        else { throw CommandFailure(.internal, "\(connection.address) registered it, and its answer is not understood") }
        let tenant = (try? JSONDocument.parse(registration.bytes))?.root["tenant"]?.string
        return HeldLease(
            registration: registration, answer: reply.body, name: name, id: id, revision: answer["revision"]?.int64 ?? 0, ttlSeconds: ttl,
            heartbeat: .seconds(heartbeat), tenant: tenant)
    }

    /// - Returns: false if the daemon does not know the lease any more.
    func renew(_ connection: borrowing ServerConnection) throws(CommandFailure) -> Bool {
        let reply = try connection.send("POST", ServicePath.of("heartbeat", name, id, tenant: tenant), timeout: .seconds(5))
        if reply.status == 200 { return true }
        if reply.status == 404, let problem = try? JSONDocument.parse(reply.body).root, problem["code"]?.equals("unknown_lease") ?? false {
            return false
        }
        throw ServerConnection.refusal(reply, connection.address)
    }

    /// An instance that is gone already is no failure.
    func deregister(_ connection: borrowing ServerConnection) throws(CommandFailure) {
        let reply = try connection.send("DELETE", ServicePath.of("deregister", name, id, tenant: tenant), timeout: .seconds(5))
        guard reply.status == 204 || reply.status == 404 else { throw ServerConnection.refusal(reply, connection.address) }
    }
}

/// Keeps leases until a signal comes: renews each in its rhythm, registers again what the node forgot, waits for a daemon that is away.
struct LeaseHolder {
    private var leases: [HeldLease]
    private var isAway = false

    init(_ leases: [HeldLease]) { self.leases = leases }

    mutating func run(_ connection: borrowing ServerConnection, _ signals: SignalWaiter) throws(CommandFailure) {
        let rhythm = leases.map(\.heartbeat).min() ?? .seconds(30)
        var pause = rhythm
        // SIGHUP is the end too: the terminal went away.
        while signals.wait(timeoutMilliseconds: Int32(clamping: pause.wholeMilliseconds)) == nil {
            do throws(CommandFailure) {
                for index in leases.indices { try renew(index, connection) }
                if isAway { Terminal.note("the daemon is back; the leases are renewed") }
                isAway = false
                pause = rhythm
            } catch {
                guard error.status == .unreachable || error.status == .tryAgain else { throw error }
                if !isAway { Terminal.note("the daemon is away (\(error.message)); trying again") }
                isAway = true
                pause = min(Limits.retryInterval, rhythm)
            }
        }
        var failure: CommandFailure?
        for lease in leases {
            do throws(CommandFailure) { try lease.deregister(connection) } catch { failure = error }
        }
        if let failure {
            throw CommandFailure(
                failure.status, "the leases could not be removed: \(failure.message)",
                hint: "they end by themselves when their time is over")
        }
    }

    private mutating func renew(_ index: Int, _ connection: borrowing ServerConnection) throws(CommandFailure) {
        guard try !leases[index].renew(connection) else { return }
        leases[index] = try HeldLease.register(leases[index].registration, connection)
        Terminal.note("the node did not know \(HumanText.clean(leases[index].id)) any more; it is registered again")
    }
}

import Domain
import Glibc
import HTTPClient

/// A conversation with the daemon: requests go out with the caller's token, refusals come back as failures that say what to do.
struct ServerConnection: ~Copyable {
    private let caller: HTTPCaller
    private let token: String?
    private let isDefault: Bool
    var address: ServerAddress { caller.server }

    init(_ options: ServerOptions) throws(CommandFailure) {
        // All that can fail before all that is owned.
        let address = try options.address()
        token = try options.token()
        isDefault = options.isDefault
        caller = HTTPCaller(address, caFile: options.authorities)
    }

    /// Sends a request and gives the answer, whatever its status.
    ///
    /// - Throws: if there is no answer.
    borrowing func send(
        _ method: String, _ path: String, body: [UInt8]? = nil, accept: String = "application/json", timeout: Duration = .seconds(30)
    ) throws(CommandFailure) -> HTTPReply {
        do throws(HTTPClientError) {
            return try caller.call(call(method, path, body, accept, timeout))
        } catch {
            throw failure(error)
        }
    }

    /// Sends a request and gives the answer if it is a success.
    borrowing func ask(
        _ method: String, _ path: String, body: [UInt8]? = nil, accept: String = "application/json", timeout: Duration = .seconds(30)
    ) throws(CommandFailure) -> HTTPReply {
        let reply = try send(method, path, body: body, accept: accept, timeout: timeout)
        guard (200..<300).contains(reply.status) else { throw Self.refusal(reply, address) }
        return reply
    }

    borrowing func get(_ path: String) throws(CommandFailure) -> HTTPReply { try ask("GET", path) }

    borrowing func document(_ path: String) throws(CommandFailure) -> JSONValue { try Self.document(get(path).body, of: address) }

    /// Hands over the body of an answer as it comes; `receive` says whether to go on. Only a success is handed over.
    borrowing func download(_ path: String, _ receive: (UnsafeBufferPointer<UInt8>) -> Bool) throws(CommandFailure) {
        var refused: [UInt8] = []
        var reply: HTTPReply
        do throws(HTTPClientError) {
            reply = try caller.stream(call("GET", path, nil, "application/octet-stream", nil)) { head, bytes in
                if head.status == 200 { return receive(bytes) }
                refused += bytes
                return refused.count < 65_536
            }
        } catch {
            throw failure(error)
        }
        reply.body = refused
        guard reply.status == 200 else { throw Self.refusal(reply, address) }
    }

    private borrowing func call(_ method: String, _ path: String, _ body: [UInt8]?, _ accept: String, _ timeout: Duration?) -> HTTPCall {
        var headers = [(name: "Accept", value: accept)]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        return HTTPCall(method, path, headers: headers, body: body, timeout: timeout)
    }

    // MARK: Failures

    /// Reads an answer that should be JSON.
    static func document(_ body: [UInt8], of address: ServerAddress) throws(CommandFailure) -> JSONValue {
        do throws(JSONError) {
            return try JSONDocument.parse(body).root
        } catch {
            throw CommandFailure(
                .unreachable, "\(address) does not answer as Posto does: \(error)",
                hint: "look at the address; another program may listen there")
        }
    }

    /// What the daemon refused, in its own words and with its own hint (RFC 9457).
    static func refusal(_ reply: HTTPReply, _ address: ServerAddress) -> CommandFailure {
        guard let problem = try? JSONDocument.parse(reply.body).root, let detail = problem["detail"]?.string else {
            return CommandFailure(
                .unreachable, "\(address) answers \(reply.status) and not as Posto does",
                hint: "look at the address; another program may listen there")
        }
        var message = sentence(detail)
        // Of several wrong fields the first is the detail.
        if let errors = problem["errors"] {
            for error in errors.elements.dropFirst() { message += "; " + sentence(error["message"]?.string ?? "") }
        }
        let code = problem["code"]?.string
        var hint = problem["hint"]?.string
        if hint?.hasPrefix("GET /api/v1/services ") ?? false { hint = "posto services lists what is registered" }
        if hint == nil, reply.status == 503 || reply.status == 429 { hint = "try again shortly" }
        return CommandFailure(
            ExitStatus(httpStatus: reply.status), HumanText.clean(message), hint: hint.map(HumanText.clean), problem: code)
    }

    private static func sentence(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

    /// What to do about a server that did not prove who it is. Never: not to look.
    private static func hint(_ fault: TrustFault) -> String {
        switch fault {
        case .unknownAuthority: "name the certificate of the authority that signed it: --ca-file FILE or POSTO_CA_FILE"
        case .wrongName:
            "use a name or address that its certificate has: openssl x509 -noout -ext subjectAltName -in CERTIFICATE shows them"
        case .ended: "renew the certificate there and reload that daemon; or is this host's clock right?"
        case .early: "is this host's clock right, and that one's?"
        case .refused: "the certificate there must be put right"
        case .noTLS: "look at the address and the port; a listener without TLS is http://"
        case .badAuthorities: "expected PEM that begins with -----BEGIN CERTIFICATE-----"
        }
    }

    private borrowing func failure(_ error: HTTPClientError) -> CommandFailure {
        if case .untrusted(let fault) = error.code {
            return CommandFailure(ExitStatus(error.code), HumanText.clean(error.reason), hint: Self.hint(fault))
        }
        guard error.code == .unreachable else {
            let hint = error.code == .timedOut ? "it may be busy; look before you repeat what changes something" : nil
            return CommandFailure(ExitStatus(error.code), error.reason, hint: hint)
        }
        if case .unix(let path) = address {
            if access(path, F_OK) != 0 { return missing(path) }
            if access(path, W_OK) != 0 {
                return CommandFailure(
                    .notPermitted, "not permitted to connect to \(address)", hint: "run the command as root, or join the group posto-admin")
            }
        }
        return CommandFailure(.unreachable, error.reason, hint: "is the daemon running? systemctl status posto")
    }

    private borrowing func missing(_ path: String) -> CommandFailure {
        let hint =
            if let option = DevelopmentDaemon.option() {
                "a daemon runs with --dev: name it with \(option)"
            } else if isDefault {
                "start the daemon (systemctl start posto), or name another one: --server http://127.0.0.1:8500 or unix:STATE/posto.sock"
            } else {
                "start the daemon; the line that it prints when it is ready names its socket"
            }
        return CommandFailure(.unreachable, "no daemon listens at \(address): there is no such socket", hint: hint)
    }
}

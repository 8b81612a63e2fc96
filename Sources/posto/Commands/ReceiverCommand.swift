import Arguments
import Daemon
import Domain
import Glibc
import HTTPServer
import Receiver
import ServiceManager
import Store
import TLS

/// `posto receiver`
struct ReceiverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receiver", abstract: "Run the reference receiver of the uplink, for pilots and tests.",
        discussion: """
            Stores what nodes send, each record once, and answers when the disk has it. Prints `posto receiver ready http=…` when it is ready. \
            SIGTERM ends it.

            Without a certificate it speaks plain HTTP: keep it on loopback then, or behind a proxy that ends TLS. SIGHUP reads the certificate \
            again.

            Example: posto receiver --state /var/lib/posto-receiver --listen 127.0.0.1:8600
            """)

    @Option(help: ArgumentHelp("The folder of what was received; made if it is missing.", valueName: "dir"))
    var state: String

    @Option(help: ArgumentHelp("Listen here; port 0 picks a free one.", valueName: "addr:port"))
    var listen: String

    @Option(help: ArgumentHelp("The tokens that nodes may show, one a line; without it none is asked for.", valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp("Speak TLS, with this certificate (PEM): its own first, then each one's issuer.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The key of that certificate (PEM), without a password.", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("Most that the store may take of the disk.", valueName: "GiB"))
    var sizeMax = 64

    func validate() throws {
        guard SocketAddress(listen) != nil else { throw ValidationError("--listen must be an address and port such as 127.0.0.1:8600.") }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("TLS needs both: --tls-certificate and --tls-key.")
        }
        guard (1...16_384).contains(sizeMax) else { throw ValidationError("--size-max must be 1 to 16384 (GiB).") }
    }

    func run() throws {
        umask(0o077)
        let signals = SignalWaiter()
        let tokens = ReceiverTokens(text: try tokenFile.map(readTokens))
        if tokenFile != nil, tokens.isEmpty { throw CommandFailure(.configuration, "\(tokenFile ?? "") holds no token") }
        let folder: StateDirectory
        do throws(DaemonFailure) {
            folder = try StateDirectory.open(state)
        } catch {
            Terminal.fail(error.message, hint: error.hint)
            throw ExitCode(error.code)
        }
        let address = SocketAddress(listen)!
        let identity: TLSServerIdentity?
        do throws(TLSFiles.Fault) {
            identity = try takeCertificate()
        } catch {
            throw CommandFailure(.configuration, error.message, hint: error.hint)
        }
        let house: ReceiverHouse
        do {
            house = try ReceiverHouse(
                folder: folder.storeFolder, listener: .tcp(host: "\(address.address)", port: address.port), certificate: identity,
                tokens: tokens,
                budgetBytes: sizeMax << 30, time: SystemTime.source, onFatal: { _ in _exit(75) })
        } catch let error as StoreError {
            throw CommandFailure(error, folder.storeFolder)
        } catch {
            throw CommandFailure(
                .inputOutput, "cannot listen on \(listen): \(error)", hint: "another program may use it; choose another address")
        }
        house.start()
        for address in house.door.bound {
            switch address {
            case .tcp(let host, let port), .tls(let host, let port):
                let text = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
                Terminal.print("posto receiver ready http=\(text)" + (identity == nil ? "" : " tls=\(text)"))
            case .unix: break
            }
        }
        waiting: while true {
            switch signals.wait() {
            case .terminate: break waiting
            case .reload: exchangeCertificate(house.door)
            case nil: break
            }
        }
        house.stop()
    }

    private func takeCertificate() throws(TLSFiles.Fault) -> TLSServerIdentity? {
        guard let tlsCertificate, let tlsKey else { return nil }
        let files = try TLSFiles.load(certificate: tlsCertificate, key: tlsKey, now: SystemTime.source.timestamp())
        for warning in files.warnings { Terminal.note(warning) }
        return files.identity
    }

    /// SIGHUP: handshakes from now on get what is in the files; if that cannot be used, the one before stays.
    private func exchangeCertificate(_ door: HTTPDoor) {
        do throws(TLSFiles.Fault) {
            if let identity = try takeCertificate() { door.replace(identity) }
        } catch {
            Terminal.fail("the certificate before serves on: \(error.message)", hint: error.hint)
        }
    }

    private func readTokens(_ path: String) throws(CommandFailure) -> String {
        switch ConfigurationFiles.read(path) {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .missing: throw CommandFailure(.configuration, "there is no file \(path)", hint: "write a token into it, one a line")
        case .unreadable(let reason): throw CommandFailure(.notPermitted, "cannot read \(path): \(reason)")
        }
    }
}

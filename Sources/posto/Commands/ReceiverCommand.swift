import Arguments
import Daemon
import Domain
import Glibc
import HTTPServer
import Receiver
import ServiceManager
import Store

/// `posto receiver`
struct ReceiverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receiver", abstract: "Run the reference receiver of the uplink, for pilots and tests.",
        discussion: """
            Stores what nodes send, each record once, and answers when the disk has it. Prints `posto receiver ready http=…` when it is ready. \
            SIGTERM ends it.

            It speaks plain HTTP: keep it on loopback, or behind a proxy that ends TLS.

            Example: posto receiver --state /var/lib/posto-receiver --listen 127.0.0.1:8600
            """)

    @Option(help: ArgumentHelp("The folder of what was received; made if it is missing.", valueName: "dir"))
    var state: String

    @Option(help: ArgumentHelp("Listen here; port 0 picks a free one.", valueName: "addr:port"))
    var listen: String

    @Option(help: ArgumentHelp("The tokens that nodes may show, one a line; without it none is asked for.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("Most that the store may take of the disk.", valueName: "GiB"))
    var sizeMax = 64

    func validate() throws {
        guard SocketAddress(listen) != nil else { throw ValidationError("--listen must be an address and port such as 127.0.0.1:8600.") }
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
        let house: ReceiverHouse
        do {
            house = try ReceiverHouse(
                folder: folder.storeFolder, listener: .tcp(host: "\(address.address)", port: address.port), tokens: tokens,
                budgetBytes: sizeMax << 30, time: SystemTime.source, onFatal: { _ in _exit(75) })
        } catch let error as StoreError {
            throw CommandFailure(error, folder.storeFolder)
        } catch {
            throw CommandFailure(
                .inputOutput, "cannot listen on \(listen): \(error)", hint: "another program may use it; choose another address")
        }
        house.start()
        for case .tcp(let host, let port) in house.door.bound {
            Terminal.print("posto receiver ready http=\(host.contains(":") ? "[\(host)]" : host):\(port)")
        }
        while signals.wait() != .terminate {}
        house.stop()
    }

    private func readTokens(_ path: String) throws(CommandFailure) -> String {
        switch ConfigurationFiles.read(path) {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .missing: throw CommandFailure(.configuration, "there is no file \(path)", hint: "write a token into it, one a line")
        case .unreadable(let reason): throw CommandFailure(.notPermitted, "cannot read \(path): \(reason)")
        }
    }
}

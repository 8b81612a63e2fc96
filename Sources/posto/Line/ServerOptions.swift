import Arguments
import Domain
import Glibc
import HTTPClient

/// Where the daemon is and who asks: the options of every command that asks it.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon: https://HOST:PORT, http://HOST:PORT, or unix:PATH.",
            discussion: "Default: POSTO_SERVER, then unix:/run/posto/posto.sock.",
            valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("A file that holds the token to show.", discussion: "Default: POSTO_TOKEN_FILE.", valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "A file of the authorities (PEM) that the daemon's certificate must be signed by.",
            discussion: "For https. Default: POSTO_CA_FILE, then the system's.", valueName: "file"))
    var caFile: String?

    /// Empty: the system's.
    var authorities: String { caFile ?? Environment["POSTO_CA_FILE"] ?? "" }

    static let defaultSocket = "/run/posto/posto.sock"

    /// The address that was said, by flag or environment; nil if nobody said one.
    private var said: (text: String, origin: String)? {
        if let server { return (server, "--server") }
        if let text = Environment["POSTO_SERVER"] { return (text, "POSTO_SERVER") }
        return nil
    }

    var isDefault: Bool { said == nil }

    func address() throws(CommandFailure) -> ServerAddress {
        guard let said else { return .unix(path: Self.defaultSocket) }
        guard let address = ServerAddress(said.text) else {
            throw CommandFailure(
                .usage, "\(said.origin) is not the address of a daemon: \(HumanText.clean(said.text))",
                hint: "write https://branch.example:8500, http://127.0.0.1:8500 or unix:/run/posto/posto.sock")
        }
        return address
    }

    func token() throws(CommandFailure) -> String? {
        guard let path = tokenFile ?? Environment["POSTO_TOKEN_FILE"] else { return nil }
        var bytes = try InputFile.read(path, bytesMax: Limits.tokenFileBytesMax)
        while let last = bytes.last, last == 10 || last == 13 || last == 32 { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure(.configuration, "\(path) holds no token", hint: "a token is one line of printable characters")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The variables of this process. One thread.
enum Environment {
    /// nil also for a variable that is empty.
    static subscript(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

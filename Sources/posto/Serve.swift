import Arguments
import Daemon
import Domain
import Glibc

/// `posto serve`: the daemon.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the daemon.",
        discussion: """
            Prints `posto ready http=… socket=…` when it is ready. SIGTERM ends it after what is under way; SIGHUP reads the configuration again.

            The configuration is read from /etc/posto/posto.toml, then conf.d/*.toml beside it, then POSTO_SECTION__KEY, then these flags.
            """)

    @Option(help: ArgumentHelp("Read this file instead of /etc/posto/posto.toml.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The folder of everything that is kept.", valueName: "dir"))
    var state = "/var/lib/posto"

    @Option(help: ArgumentHelp("Listen here for HTTP; may be repeated. Port 0 picks a free one.", valueName: "addr:port"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("The Unix socket.", valueName: "path"))
    var socket: String?

    @Flag(help: "For trying out: every caller of this host is an administrator.")
    var dev = false

    @Option(
        help: ArgumentHelp(
            "With --dev: read the pages' files from this folder each time, for whoever edits them (Sources/CWebAssets/files).",
            valueName: "dir"))
    var assets: String?

    @Flag(help: "Read the configuration, print each value with its origin, and end.")
    var check = false

    func validate() throws {
        guard assets == nil || dev else {
            throw ValidationError("--assets is for development: pages that anybody may edit on the disk are not for a branch. Add --dev.")
        }
    }

    func run() throws {
        let sources = ConfigurationSources(
            file: config, environment: ConfigurationSources.processEnvironment(), listen: listen, socket: socket, stateFolder: state,
            isDevelopment: dev, assetsFolder: assets)
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try ConfigurationLoader.load(sources)
        } catch {
            for problem in error.problems { Terminal.fail("\(problem)", hint: nil) }
            throw ExitCode(error.exitCode)
        }
        guard !check else {
            let tls: TLSFiles?
            do throws(ConfigurationError) {
                tls = try TLSFiles.load(configuration, now: SystemTime.source.timestamp())
            } catch {
                for problem in error.problems { Terminal.fail("\(problem)", hint: nil) }
                throw ExitCode(error.exitCode)
            }
            return Terminal.print(ConfigurationText.check(configuration) + (tls?.description ?? ""))
        }
        do throws(DaemonFailure) {
            try NodeDaemon.run(configuration, sources: sources)
        } catch {
            Terminal.fail(error.message, hint: error.hint)
            throw ExitCode(error.code)
        }
    }
}

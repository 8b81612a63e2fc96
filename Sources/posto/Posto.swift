import Arguments
import Domain
import Glibc

/// The binary: one command line, many subcommands.
@main
struct Posto: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posto", abstract: "The post of a branch: registry and journal on one host.",
        discussion: """
            Commands that ask the daemon find it at --server, then at POSTO_SERVER, then at unix:/run/posto/posto.sock.

            Exit status: 0 done, 1 the answer is no, 2 usage, 69 daemon not reachable, 70 internal, 74 input or output, 75 try again, \
            77 not permitted, 78 configuration.

            Example: posto status
            """,
        version: PostoVersion.text,
        subcommands: [
            Serve.self, Status.self, Services.self, Register.self, Deregister.self, Watch.self, Queue.self, Audit.self, BackupCommand.self,
            RestoreCommand.self, FormatCommand.self, CheckCommand.self, Eval.self, Preflight.self, ReceiverCommand.self, Bench.self,
            BenchFloor.self,
        ])

    static func main() {
        // A reader that left (`| head`) is an error of the write, which is handled, not a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            let command = try parseAsRoot()
            try command.run()
        } catch {
            CommandLineEnd.end(error)
        }
    }
}

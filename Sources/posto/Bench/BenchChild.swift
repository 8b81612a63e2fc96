import CPlatform
import Glibc

/// This program started again as a server under test: the daemon, or the floor it is measured against.
struct BenchChild: ~Copyable {
    let process: pid_t
    let port: UInt16
    /// When it was started, by `LoadClock`.
    let started: UInt64
    private let output: Int32

    /// A daemon on a state folder of its own.
    static func daemon(
        _ folder: String, extra: [String] = [], runtime: String? = nil, environment: [String] = []
    ) throws(BenchFailure) -> BenchChild {
        try start(
            ["serve", "--state", folder + "/state", "--listen", "127.0.0.1:0", "--socket", folder + "/posto.sock"] + extra,
            environment: [
                "RUNTIME_DIRECTORY=\(runtime ?? folder)", "POSTO_LOG__LEVEL=error", "POSTO_REGISTRY__STATIC=",
                // Nobody listens where the instances are said to be, and to learn that is not what is measured.
                "POSTO_CHECKS__ENABLED=false",
            ] + environment)
    }

    /// Starts and waits for the line that says where it listens.
    static func start(_ arguments: [String], environment: [String] = []) throws(BenchFailure) -> BenchChild {
        var ends: [Int32] = [-1, -1]
        guard posto_pipe(&ends) == 0 else { throw BenchFailure("pipe: errno \(errno)") }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let started = LoadClock.now()
        let process = try spawn(ownPath, ["posto"] + arguments, environment, &actions)
        do throws(BenchFailure) {
            let port = try readPort(ends[0])
            return BenchChild(process: process, port: port, started: started, output: ends[0])
        } catch {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            close(ends[0])
            throw error
        }
    }

    private init(process: pid_t, port: UInt16, started: UInt64, output: Int32) {
        self.process = process
        self.port = port
        self.started = started
        self.output = output
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        close(output)
    }

    /// Ends it as systemd does, and waits.
    consuming func stop() {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
        close(output)
        discard self
    }

    /// The file of this very program.
    static var ownPath: String {
        var path = [UInt8](repeating: 0, count: 4_096)
        let count = path.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: path[..<count], as: UTF8.self) : "/proc/self/exe"
    }

    /// Runs a program to its end.
    static func run(_ path: String, _ arguments: [String]) throws(BenchFailure) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let process = try spawn(path, arguments, [], &actions)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return status
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], _ actions: inout posix_spawn_file_actions_t
    ) throws(BenchFailure) -> pid_t {
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        argv.append(nil)
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
        var at = environ
        while let entry = at.pointee {
            envp.append(strdup(entry))
            at += 1
        }
        envp.append(nil)
        defer { for text in argv + envp { free(text) } }
        var process = pid_t()
        let code = posix_spawnp(&process, path, &actions, nil, argv, envp)
        guard code == 0 else { throw BenchFailure("cannot run \(path): errno \(code)") }
        return process
    }

    /// `posto ready http=127.0.0.1:PORT …`
    private static func readPort(_ output: Int32) throws(BenchFailure) -> UInt16 {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 512)
        while !text.contains(0x0a) {
            let count = read(output, &chunk, chunk.count)
            guard count > 0 else { throw BenchFailure("the server under test did not start") }
            text += chunk[..<count]
        }
        let words = String(decoding: text, as: UTF8.self).split(whereSeparator: { " \n".contains($0) })
        guard let address = words.first(where: { $0.hasPrefix("http=") }), let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        else { throw BenchFailure("the server under test said: \(String(decoding: text, as: UTF8.self))") }
        return port
    }
}

import Glibc
import TestSupport

/// The binary that was just built, run with standard input, output and error in files.
enum PostoProcess {
    struct End: Equatable {
        var status: Int32
        var output = ""
        var errors = ""
    }

    struct Failure: Error { var what: String }

    /// Beside the tests' own executable.
    private static let path: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let beside = own.split(separator: "/").dropLast().joined(separator: "/")
        // With the toolchain's helper as the executable, the build folder is found from this file.
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return ["/\(beside)/posto", "/\(repository)/.build/debug/posto"].first { access($0, X_OK) == 0 } ?? "posto"
    }()

    static func run(_ arguments: [String], input: String = "") throws -> End {
        let folder = TemporaryFolder()
        let inputFile = folder.write("input", input)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, inputFile, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "\(folder.path)/output", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "\(folder.path)/errors", O_WRONLY | O_CREAT, 0o600)
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for one in argv { free(one) } }
        var child: pid_t = 0
        let failed = posix_spawn(&child, path, &actions, nil, &argv, environ)
        guard failed == 0 else { throw Failure(what: "cannot run \(path): \(String(cString: strerror(failed)))") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard status & 0x7F == 0 else { throw Failure(what: "posto \(arguments) ended with signal \(status & 0x7F)") }
        return End(status: (status >> 8) & 0xFF, output: folder.read("output"), errors: folder.read("errors"))
    }
}

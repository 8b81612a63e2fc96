import Glibc

/// Certificates for tests, made by the command openssl. One authority for a process; its folder goes when the process ends.
package final class TestAuthority: Sendable {
    package static let shared: TestAuthority = {
        atexit { TemporaryFolder.remove(TestAuthority.shared.folder) }
        return TestAuthority()
    }()

    /// A certificate and its key, as files.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String

        package var certificateBytes: [UInt8] { TestAuthority.read(certificate) }
        package var keyBytes: [UInt8] { TestAuthority.read(key) }
    }

    package let folder: String
    /// What clients trust.
    package var certificate: String { folder + "/ca.pem" }
    package var certificateBytes: [UInt8] { Self.read(certificate) }
    /// For `localhost` and 127.0.0.1.
    package let localhost: Pair

    package init() {
        let folder = TemporaryFolder.make()
        self.folder = folder
        Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder + "/ca.key", "-out",
            folder + "/ca.pem", "-days", "30", "-subj", "/CN=Posto test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        localhost = Self.issue(folder, "localhost", days: 30)
    }

    /// - Parameters:
    ///   - names: as openssl writes them: `DNS:a.example,IP:10.1.2.3`.
    ///   - days: negative for one that has ended.
    ///   - issuer: nil for the authority itself.
    package func issue(
        _ file: String, names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 30, usage: String = "extendedKeyUsage=serverAuth",
        key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], issuer: Pair? = nil
    ) -> Pair {
        Self.issue(folder, file, names: names, days: days, usage: usage, key: key, issuer: issuer)
    }

    private static func issue(
        _ folder: String, _ file: String, names: String = "DNS:localhost,IP:127.0.0.1", days: Int,
        usage: String = "extendedKeyUsage=serverAuth", key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], issuer: Pair? = nil
    ) -> Pair {
        let path = folder + "/" + file
        let pair = Pair(certificate: path + ".pem", key: path + ".key")
        openssl(["req", "-new", "-newkey"] + key + ["-nodes", "-keyout", pair.key, "-subj", "/CN=\(file)", "-out", path + ".csr"])
        write("subjectAltName=\(names)\n\(usage)\n", to: path + ".ext")
        openssl([
            "x509", "-req", "-in", path + ".csr", "-CA", issuer?.certificate ?? folder + "/ca.pem", "-CAkey",
            issuer?.key ?? folder + "/ca.key", "-CAcreateserial", "-days", "\(days)", "-extfile", path + ".ext", "-out", pair.certificate,
        ])
        chmod(pair.key, 0o600)
        return pair
    }

    package static func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0, "cannot write \(path)")
        let bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    package static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        precondition(descriptor >= 0, "cannot read \(path)")
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    package static func openssl(_ arguments: [String]) {
        let status = run("openssl", arguments).status
        precondition(
            status == 0, "openssl \(arguments.joined(separator: " ")) ended with \(status); is it installed (Packaging/deps test)?")
    }

    /// Runs a program of the PATH without input; what it says on both outputs comes back.
    package static func run(_ program: String, _ arguments: [String]) -> (status: Int32, output: String) {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child = pid_t()
        let code = posix_spawnp(&child, program, &actions, nil, &words, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard code == 0 else { return (127, "cannot start \(program)") }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(ends[0], &chunk, chunk.count)
            if count <= 0 { break }
            output += chunk.prefix(count)
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        let ended = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        return (ended, String(decoding: output, as: UTF8.self))
    }
}

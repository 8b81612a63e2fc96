import Glibc
import Store

/// A tmpfs of a few mebibytes that a test may fill, mounted for its length. Needs root.
final class SmallDisk {
    /// Whether this machine lets us mount; asked once.
    static let isPossible: Bool = {
        guard geteuid() == 0, let disk = try? SmallDisk(mebibytes: 1) else { return false }
        withExtendedLifetime(disk) {}
        return true
    }()

    let path: String

    init(mebibytes: Int) throws {
        var template = Array("/tmp/posto-disk-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)!) }
        guard Self.run(["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", path]) == 0 else {
            rmdir(path)
            throw StoreError(.system, "mount a tmpfs")
        }
    }

    deinit {
        _ = Self.run(["umount", "-l", path])
        rmdir(path)
    }

    /// Takes every byte that is left.
    func fill() {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        precondition(file >= 0)
        for size in [1 << 20, 4_096] {
            let zeros = [UInt8](repeating: 0, count: size)
            while write(file, zeros, size) == size {}
        }
        close(file)
    }

    func empty() { unlink(path + "/filler") }

    private static func run(_ words: [String]) -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        guard posix_spawnp(&child, words[0], nil, nil, &arguments, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

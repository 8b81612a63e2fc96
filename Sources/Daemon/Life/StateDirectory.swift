import CPlatform
import Domain
import Glibc
import Store

/// The daemon's folder: `store/`, `evidence/`, `releases/`, and the lock that keeps a second daemon out.
package struct StateDirectory: ~Copyable {
    package let path: String
    private let lock: Int32

    /// Makes what is missing, with mode 0700, and takes the lock until the process ends.
    ///
    /// - Throws: `DaemonFailure` with exit code 75 if another daemon has it, 77 or 74 if it cannot be written.
    package static func open(_ path: String) throws(DaemonFailure) -> StateDirectory {
        for folder in [path, path + "/store", path + "/evidence", path + "/releases"] { try make(folder) }
        let file = path + "/lock"
        let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DaemonFailure(system: "open \(file)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = readHolder(descriptor)
            close(descriptor)
            throw DaemonFailure(
                code: 75, message: "another daemon\(holder) uses \(path)",
                hint: "stop it (systemctl stop posto), or give this one another folder with --state")
        }
        let text = "\(getpid())\n"
        _ = ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        return StateDirectory(path: path, lock: descriptor)
    }

    private init(path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    deinit { close(lock) }

    package var storeFolder: String { path + "/store" }

    private static func make(_ folder: String) throws(DaemonFailure) {
        if mkdir(folder, 0o700) == 0 { return try sync(parentOf: folder) }
        if errno == EEXIST { return }
        if errno == ENOENT, let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            try make(String(folder[..<slash]))
            if mkdir(folder, 0o700) == 0 { return try sync(parentOf: folder) }
            if errno == EEXIST { return }
        }
        throw DaemonFailure(system: "make the folder \(folder)")
    }

    /// So that the folder is there after a power cut, and what lies in it.
    private static func sync(parentOf folder: String) throws(DaemonFailure) {
        let parent = folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "."
        let descriptor = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DaemonFailure(system: "open the folder \(parent)") }
        defer { close(descriptor) }
        // Some file systems refuse it for folders, and need it not.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw DaemonFailure(system: "put the folder \(parent) on the disk") }
    }

    private static func readHolder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 1, let pid = Int(String(decoding: bytes[..<(count - 1)], as: UTF8.self)) else { return "" }
        return " (process \(pid))"
    }
}

/// Why the daemon cannot run: a sentence, what to do, and the exit code.
package struct DaemonFailure: Error, Equatable, Sendable {
    package let code: Int32
    package let message: String
    package let hint: String?

    package init(code: Int32, message: String, hint: String?) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// From errno, right after the call that failed.
    init(system operation: String) {
        let number = errno
        let hint =
            switch number {
            case EACCES, EPERM: "run it as the user that owns the folder, or choose another with --state"
            case ENOSPC, EDQUOT: "free space on its disk"
            case EIO: "the disk may be failing: look at the kernel's log (journalctl -k)"
            default: "choose another folder with --state"
            }
        self.init(
            code: number == EACCES || number == EPERM || number == EROFS ? 77 : 74,
            message: "cannot \(operation): \(String(cString: strerror(number)))", hint: hint)
    }

    init(_ error: StoreError, _ place: String) {
        switch error.code {
        case .newerFormat:
            self.init(
                code: 78, message: "\(place) was written by a newer version of Posto (\(error.operation))",
                hint: "install that version again; this one has left the store untouched")
        case .locked:
            self.init(code: 75, message: "\(place) is in use by another process", hint: "stop it first")
        case .full:
            self.init(code: 75, message: "\(place): \(error.operation)", hint: "free space on its disk")
        default:
            self.init(code: 74, message: "\(place): \(error)", hint: "see the log; the store was not changed")
        }
    }
}

import Glibc

enum BenchFile {
    static func write(_ path: String, _ bytes: [UInt8]) throws(BenchFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchFailure("cannot write \(path): errno \(errno)") }
        defer { close(file) }
        let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw BenchFailure("cannot write \(path): errno \(errno)") }
    }
}

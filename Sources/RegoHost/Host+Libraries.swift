import CCrypto
import Glibc
import Rego

extension Host {
    /// The host of a program on this machine: its clock, its random generator, its tz database, and the libraries for patterns, YAML and cryptography.
    public static func libraries() -> Host {
        var host = Host()
        host.now = {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
        host.random = { count in
            [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "the system gives no random bytes")
                initialized = count
            }
        }
        host.timeZone = { TimeZoneFiles.read($0) }
        host.cryptography = LibCrypto()
        host.regularExpressions = RegularExpressions { pattern throws(HostFailure) in try RE2Expression(pattern) }
        host.yaml = LibYAML()
        return host
    }
}

/// The system's tz database.
enum TimeZoneFiles {
    private static let folder = "/usr/share/zoneinfo/"
    /// The largest file of the database has some 4 KB.
    private static let bytesMax = 64 << 10

    /// The file of a zone; nil when there is none, or when the name leads out of the folder.
    static func read(_ name: String) -> [UInt8]? {
        guard !name.isEmpty, name.utf8.count <= 255, name.utf8.first != UInt8(ascii: "/"), !name.utf8.contains(0),
            !name.utf8.contains(UInt8(ascii: "\\")),
            !name.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0 == ".." || $0 == "." || $0.isEmpty })
        else { return nil }
        let file = open(folder + name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        while bytes.count < bytesMax {
            var part = [UInt8](repeating: 0, count: 8192)
            let count = Glibc.read(file, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += part.prefix(count)
        }
        return nil
    }
}

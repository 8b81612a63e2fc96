import Glibc

/// What the kernel says of a process.
enum ProcFigures {
    /// Processor time of all its threads, in nanoseconds.
    static func cpuNanoseconds(_ process: pid_t) -> UInt64 {
        guard let folder = opendir("/proc/\(process)/task") else { return 0 }
        defer { closedir(folder) }
        var total: UInt64 = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.first != ".", let first = text("/proc/\(process)/task/\(name)/schedstat").split(separator: " ").first else {
                continue
            }
            total += UInt64(first) ?? 0
        }
        return total
    }

    /// Bytes of memory that are its own, by `Pss_Anon`; by `RssAnon` where the kernel does not tell that.
    static func anonymousBytes(_ process: pid_t) -> Int {
        (field("Pss_Anon:", in: "/proc/\(process)/smaps_rollup") ?? field("RssAnon:", in: "/proc/\(process)/status") ?? 0) * 1_024
    }

    static func threads(_ process: pid_t) -> Int { field("Threads:", in: "/proc/\(process)/status") ?? 0 }

    /// Bytes that it gave to write(2) and its kind, whatever became of them.
    static func writtenBytes(_ process: pid_t) -> Int { field("wchar:", in: "/proc/\(process)/io") ?? 0 }

    /// Bytes written to a block device, by `/sys/block/NAME/stat`.
    static func deviceBytes(_ device: String) -> Int {
        let fields = text("/sys/block/\(device)/stat").split(separator: " ")
        return fields.count > 6 ? (Int(fields[6]) ?? 0) * 512 : 0
    }

    private static func field(_ name: String, in path: String) -> Int? {
        for line in text(path).split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(whereSeparator: { " \t".contains($0) }).first.flatMap { Int($0) }
        }
        return nil
    }

    static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += chunk[..<count]
        }
    }
}

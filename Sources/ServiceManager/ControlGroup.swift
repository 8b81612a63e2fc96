/// The control group that limits our memory, version 2 or 1 (cgroups(7)).
struct ControlGroup {
    private let limitFile: String
    private let usageFile: String
    private let statFile: String
    /// The key of `memory.stat` that counts file pages, which the kernel takes back before it kills.
    private let filePages: String

    /// nil where there is none that we may read.
    static func current() -> ControlGroup? {
        let membership = String(decoding: ProcText.read("/proc/self/cgroup"), as: UTF8.self)
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = parts[2] == "/" ? "" : parts[2]
            let candidate: ControlGroup? =
                if parts[1].isEmpty {
                    ControlGroup(
                        limitFile: "/sys/fs/cgroup\(path)/memory.max", usageFile: "/sys/fs/cgroup\(path)/memory.current",
                        statFile: "/sys/fs/cgroup\(path)/memory.stat", filePages: "file ")
                } else if parts[1].split(separator: ",").contains("memory") {
                    ControlGroup(
                        limitFile: "/sys/fs/cgroup/memory\(path)/memory.limit_in_bytes",
                        usageFile: "/sys/fs/cgroup/memory\(path)/memory.usage_in_bytes",
                        statFile: "/sys/fs/cgroup/memory\(path)/memory.stat", filePages: "total_cache ")
                } else {
                    nil
                }
            if let candidate, candidate.usage() != nil { return candidate }
        }
        return nil
    }

    /// What cannot be taken back, and the limit; nil if there is no limit ("max").
    func usage() -> (used: UInt64, limit: UInt64)? {
        guard let limit = ProcText.number(ProcText.read(limitFile)), let used = ProcText.number(ProcText.read(usageFile)) else {
            return nil
        }
        let file = ProcText.number(after: filePages, in: ProcText.read(statFile)) ?? 0
        return (used - min(file, used), limit)
    }
}

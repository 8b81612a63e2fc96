import CPlatform
import Domain
import Glibc

/// What the host and this process use, as health and metrics show it.
package struct SystemSample: Equatable, Sendable {
    /// Of all processors together, by this process, since the sample before: 0…100.
    package var cpuPercent: Double
    /// Of the host's memory, or of the control group's if its limit is lower: 0…100; nil where /proc hides it (`ProcSubset=pid`).
    package var memoryPercent: Double?
    package var threads: Int
    /// Resident, with the pages of the store's map, which the kernel may take back any time.
    package var residentBytes: UInt64
    /// Anonymous memory by its share (`Pss_Anon`): what this process really costs.
    package var anonymousBytes: UInt64
}

/// Takes samples, one thread only: housekeeping, every few seconds. Reading `smaps_rollup` walks the page tables.
package struct SystemSampler: ~Copyable {
    private var last: (cpuNanoseconds: UInt64, at: Uptime)
    private let processors: Double
    private let controlGroup: ControlGroup?

    package init(now: Uptime) {
        last = (Self.cpuNanoseconds(), now)
        processors = Double(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1))
        controlGroup = ControlGroup.current()
    }

    package mutating func sample(now: Uptime) -> SystemSample {
        let cpu = Self.cpuNanoseconds()
        let elapsed = (now - last.at).wholeMilliseconds
        let share = elapsed > 0 ? Double(cpu &- last.cpuNanoseconds) / (Double(elapsed) * 1e6 * processors) : 0
        last = (cpu, now)
        let status = ProcText.read("/proc/self/status")
        let rollup = ProcText.read("/proc/self/smaps_rollup")
        return SystemSample(
            cpuPercent: min(max(share, 0), 1) * 100, memoryPercent: memoryPercent(),
            threads: Int(clamping: ProcText.number(after: "Threads:", in: status) ?? 0),
            residentBytes: (ProcText.number(after: "VmRSS:", in: status) ?? 0) * 1_024,
            anonymousBytes: (ProcText.number(after: "Pss_Anon:", in: rollup) ?? 0) * 1_024)
    }

    private func memoryPercent() -> Double? {
        let meminfo = ProcText.read("/proc/meminfo")
        let total = ProcText.number(after: "MemTotal:", in: meminfo).map { $0 * 1_024 }
        if let controlGroup, let usage = controlGroup.usage(), usage.limit < total ?? .max {
            return Self.percent(usage.used, of: usage.limit)
        }
        guard let total, let available = ProcText.number(after: "MemAvailable:", in: meminfo) else { return nil }
        return Self.percent(total - min(available * 1_024, total), of: total)
    }

    private static func percent(_ used: UInt64, of limit: UInt64) -> Double? {
        limit == 0 ? nil : min(Double(used) / Double(limit), 1) * 100
    }

    private static func cpuNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

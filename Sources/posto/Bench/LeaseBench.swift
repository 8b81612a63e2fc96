import Domain
import Glibc

/// A hundred thousand leases: what they weigh, how late they end, and what renewing a branch's services writes in a day.
enum LeaseBench {
    static func run(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let folder = try setting.fresh("leases")
        let daemon = try BenchChild.daemon(folder)
        let empty = ProcFigures.anonymousBytes(daemon.process)
        try Registering.register((0..<100_000).map { BenchService($0) }, port: daemon.port)
        let mebibyte = Double(1 << 20)
        report.add(
            BenchFigure(
                name: "leases: memory of its own with 100,000 (Pss_Anon)",
                value: Double(ProcFigures.anonymousBytes(daemon.process)) / mebibyte,
                unit: "MiB", floor: ("without any", Double(empty) / mebibyte), goal: .atMost(128)))
        try expiry(daemon.port, &report)
        daemon.stop()
        try setting.remove(folder)
        try writing(setting, &report)
    }

    /// Ten thousand leases that run out together: from each one's end to its announcement, by the times in the change records.
    private static func expiry(_ port: UInt16, _ report: inout BenchReport) throws(BenchFailure) {
        let count = 10_000
        try Registering.register((100_000..<100_000 + count).map { BenchService($0) }, ttlSeconds: 10, port: port)
        var since: Int64 = Int64(100_000 + count)
        var late: [Double] = []
        let until = LoadClock.now() + 60_000_000_000
        while late.count < count {
            guard LoadClock.now() < until else { throw BenchFailure("only \(late.count) of \(count) leases expired within a minute") }
            let (status, body) = try LoadRequest.answer(
                port: port, LoadRequest.bytes("GET", "/api/v1/changes?since=\(since)&limit=1000&wait=1s"))
            guard status == 200, let page = try? JSONDocument.parse(body).root, let revision = page["revision"]?.int64,
                let changes = page["changes"]
            else { throw BenchFailure("the changes answered \(status)") }
            since = revision
            for change in changes.elements where change["kind"]?.string == "expired" {
                guard let time = change["time"]?.string.flatMap(Timestamp.init(rfc3339:)),
                    let end = change["instance"]?["expires_at"]?.string.flatMap(Timestamp.init(rfc3339:))
                else { continue }
                late.append(Double(time.milliseconds - end.milliseconds))
            }
        }
        report.add(
            BenchFigure(
                name: "leases: 10,000 of 110,000 end together, the last one announced late by", value: late.max()!, unit: "ms",
                p50: late.percentile(50), p99: late.percentile(99), note: "the earliest \(BenchReport.number(late.min()!)) ms"))
    }

    /// 107 services, each renewed every 30 s, for two minutes.
    private static func writing(_ setting: BenchSetting, _ report: inout BenchReport) throws(BenchFailure) {
        let measured = 120
        let services = (0..<107).map { BenchService($0) }
        let device = try LoopDevice.make(in: setting)
        let folder = if let device { device.folder } else { try setting.fresh("renewals") }
        let runtime = "/dev/shm/posto-bench-\(getpid())"
        mkdir(runtime, 0o700)
        let daemon = try BenchChild.daemon(folder, runtime: runtime)
        try Registering.register(services, port: daemon.port)
        // What the start and the registrations wrote reaches the device half a minute later, and happens once, not all day.
        sync()
        try renew(services, seconds: 45, port: daemon.port)
        let before = ProcFigures.writtenBytes(daemon.process)
        let deviceBefore = device.map { ProcFigures.deviceBytes($0.name) }
        try renew(services, seconds: measured, port: daemon.port)
        let perDay = 86_400 / Double(measured) / 1e6
        let written = Double(ProcFigures.writtenBytes(daemon.process) - before) * perDay
        report.add(
            BenchFigure(
                name: "leases: written a day for renewing 107 services each 30 s, by system calls", value: written, unit: "MB",
                goal: device == nil ? .atMost(200) : nil, note: "extrapolated from \(measured) s"))
        if let device, let deviceBefore {
            let bytes = Double(ProcFigures.deviceBytes(device.name) - deviceBefore) * perDay
            report.add(
                BenchFigure(
                    name: "leases: the same at the device (ext4 on a loop device)", value: bytes, unit: "MB", goal: .atMost(200),
                    note: "extrapolated from \(measured) s; the file system's own journal included"))
        }
        daemon.stop()
        try device?.remove()
        try setting.remove(runtime)
        if device == nil { try setting.remove(folder) }
    }

    private static func renew(_ services: [BenchService], seconds: Int, port: UInt16) throws(BenchFailure) {
        let gap = 30_000_000 / services.count
        for number in 0..<(seconds * 1_000_000 / gap) {
            let (status, _) = try LoadRequest.answer(port: port, services[number % services.count].heartbeat)
            guard status == 200 else { throw BenchFailure("a renewal answered \(status)") }
            usleep(UInt32(gap))
        }
    }
}

/// A file system of its own on a loop device, whose writes the kernel counts: for root, where the kernel has loop devices.
struct LoopDevice {
    let folder: String
    let name: String
    private let image: String

    static func make(in setting: BenchSetting) throws(BenchFailure) -> LoopDevice? {
        guard geteuid() == 0 else { return nil }
        let folder = try setting.fresh("renewals")
        let image = folder + "/image"
        let mount = folder + "/mount"
        mkdir(mount, 0o700)
        let file = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, 3 << 30) == 0 else { throw BenchFailure("cannot make \(image): errno \(errno)") }
        close(file)
        let options = "lazy_itable_init=0,lazy_journal_init=0"
        guard (try? BenchChild.run("mkfs.ext4", ["mkfs.ext4", "-q", "-F", "-E", options, image])) == 0,
            (try? BenchChild.run("mount", ["mount", "-o", "loop", image, mount])) == 0
        else {
            try setting.remove(folder)
            return nil
        }
        let name = (0..<64).map { "loop\($0)" }.first { ProcFigures.text("/sys/block/\($0)/loop/backing_file") == image + "\n" }
        guard let name else {
            _ = try BenchChild.run("umount", ["umount", mount])
            try setting.remove(folder)
            return nil
        }
        return LoopDevice(folder: mount, name: name, image: image)
    }

    func remove() throws(BenchFailure) {
        _ = try BenchChild.run("umount", ["umount", folder])
        _ = try BenchChild.run("rm", ["rm", "-rf", image, folder])
    }
}

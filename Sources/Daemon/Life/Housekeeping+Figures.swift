import API
import CPlatform
import Domain
import HTTPServer
import Registry
import ServiceManager
import Store
import Synchronization

extension Housekeeping {
    /// Once a second: what the store and the checks say.
    func readFigures(_ now: Uptime) {
        let usage = try? house.state.usage()
        let bulkUsage = try? house.bulk.usage()
        let figures = stateWriter.figures
        let free = house.state.diskFreeBytes ?? 0
        let checkSummary = checks.currentSummary
        let isDiskFull = stateWriter.isDiskFull
        let damaged = registry.damagedInstances
        let wall = time.timestamp()
        let mapGrowths = house.state.mapGrowthCount + house.bulk.mapGrowthCount
        readings.update { cell in
            cell.readings.commitMilliseconds = Double(figures.commitNanoseconds.load(ordering: .relaxed)) / 1e6
            cell.readings.commits = Histogram(
                microseconds: WriterFigures.commitBucketMicroseconds, counts: figures.commitHistogram,
                sumNanoseconds: figures.commitNanosecondsSum.load(ordering: .relaxed))
            if let usage { cell.readings.storeUsedPercent = Double(usage.usedPages) * 100 / Double(max(1, usage.budgetPages)) }
            cell.readings.diskFreeBytes = free
            cell.readings.checks = checkSummary
            cell.readings.alerts =
                cell.standing
                + Self.alerts(
                    usage: usage, isDiskFull: isDiskFull, boardFailure: cell.boardFailure, damaged: damaged, mapGrowths: mapGrowths,
                    clockBehind: cell.clockBehindMilliseconds)
                + (tls?.alerts(now: wall) ?? [])
            cell.readings.certificate = tls?.certificate
            cell.readings.gauges = Self.gauges(state: usage, bulk: bulkUsage, log: log) + (tls?.gauges() ?? [])
            cell.readings.counters =
                [
                    ("posto_store_commits_total", "Commits of the state environment.", figures.batches.load(ordering: .relaxed)),
                    ("posto_store_requests_total", "Requests of the state's writer.", figures.requests.load(ordering: .relaxed)),
                    ("posto_store_value_bytes_total", "Bytes of values written.", figures.valueBytes.load(ordering: .relaxed)),
                    ("posto_lease_copy_bytes_total", "Bytes of lease copies written to disk.", cell.boardBytes),
                    ("posto_log_lines_lost_total", "Log lines that nobody could take.", log.lostLines),
                ] + (tls?.counters() ?? [])
        }
    }

    /// Every few seconds: reading /proc costs more than the rest.
    func sampleSystem(_ now: Uptime) {
        let sample = sampler.sample(now: now)
        readings.update { cell in
            // A minute's average: a burst is no illness.
            cell.cpuAverage += (sample.cpuPercent - cell.cpuAverage) * 5 / 60
            cell.readings.cpuPercent = cell.cpuAverage
            cell.readings.memoryPercent = sample.memoryPercent ?? 0
            cell.readings.threads = sample.threads
            cell.readings.residentBytes = Int(clamping: sample.residentBytes)
            cell.readings.anonymousBytes = Int(clamping: sample.anonymousBytes)
        }
    }

    private static func alerts(
        usage: StoreUsage?, isDiskFull: Bool, boardFailure: String?, damaged: Int, mapGrowths: Int, clockBehind: Int64?
    ) -> [HealthReport
        .Alert]
    {
        var alerts: [HealthReport.Alert] = []
        if isDiskFull {
            alerts.append(
                HealthReport.Alert(
                    .unhealthy, "store", "disk_full",
                    "The disk of the state folder is full: changes are refused, look-ups and audit go on.",
                    hint: "Free space on that disk; the node goes on by itself."))
        }
        if mapGrowths > 0 {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "map_full",
                    "The store's file outgrew its address space \(mapGrowths) times since the start and was given more.",
                    hint: "Take a backup, restart the daemon, and report it with the log: this should not happen."))
        }
        if let usage, !usage.reserve.isComplete {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "reserve",
                    "Only \(usage.reserve.reservedBytes >> 20) of \(usage.reserve.wantedBytes >> 20) MiB are kept in reserve for the store.",
                    hint: "Free space on the disk of the state folder, or lower store.size_max."))
        }
        if let usage, usage.usedPages * 100 > usage.budgetPages * Limits.businessSharePercent {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "budget", "The store uses \(usage.usedPages * 100 / max(1, usage.budgetPages)) % of its budget.",
                    hint: "Raise store.size_max, or keep less in the streams."))
        }
        if damaged > 0 {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "damaged_instances", "\(damaged) instances cannot be read from the store; lists leave them out.",
                    hint: "They come back when they register again. Look at the disk; a restart checks and salvages the store."))
        }
        if let clockBehind {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "node", "clock_behind",
                    "The host's clock is \(clockBehind / 1_000) s behind the time that it certainly is; nothing is deleted for its age.",
                    hint: "Set the clock, or give the host a time server. Leases do not depend on it."))
        }
        if let boardFailure {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "lease_copy", "The lease board could not be copied to disk (\(boardFailure)).",
                    hint: "After a power cut leases would begin as expired. Free space on the disk of the state folder."))
        }
        return alerts
    }

    private static func gauges(state: StoreUsage?, bulk: StoreUsage?, log: Log) -> [(name: String, help: String, value: Double)] {
        guard let state, let bulk else { return [] }
        return [
            ("posto_store_used_bytes", "Bytes in use in the state environment.", Double(state.usedPages * StoreEnvironment.pageBytes)),
            (
                "posto_store_budget_bytes", "Bytes that the state environment may use.",
                Double(state.budgetPages * StoreEnvironment.pageBytes)
            ),
            ("posto_store_reader_lag", "Commits since the oldest open read transaction began.", Double(state.oldestReaderLag)),
            ("posto_bulk_used_bytes", "Bytes in use in the bulk environment.", Double(bulk.usedPages * StoreEnvironment.pageBytes)),
        ]
    }
}

extension Histogram {
    /// The writer's buckets, dealt into ours by their upper bounds.
    fileprivate init(microseconds bounds: [UInt64], counts: [UInt64], sumNanoseconds: UInt64) {
        self.init()
        for (index, count) in counts.enumerated() where count > 0 {
            let nanoseconds = index < bounds.count ? bounds[index] * 1_000 : .max
            add(count: count, upTo: nanoseconds)
        }
        setSum(nanoseconds: sumNanoseconds)
    }
}

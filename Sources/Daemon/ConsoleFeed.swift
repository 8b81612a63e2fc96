import API
import Console
import Domain
import HTTPServer
import Uplink

/// Fills in what the pages show of the node: health's own report, in the pages' words.
enum ConsoleFeed {
    /// - Parameter uplink: what its panel shows; asked on the HTTP thread for each page, so it must not wait.
    static func sources(_ api: APIServer, isDevelopment: Bool, uplink: @escaping @Sendable () -> UplinkPicture) -> ConsoleSources {
        ConsoleSources(
            closed: { request in
                switch api.refusalOfAccess(request, .services)?.code {
                case nil: nil
                case .unauthenticated: .unknownCaller
                default: .notPermitted
                }
            },
            picture: { picture(api.healthReport(), api.facts, isDevelopment: isDevelopment, uplink: uplink()) })
    }

    static func picture(_ report: HealthReport, _ facts: NodeFacts, isDevelopment: Bool, uplink: UplinkPicture) -> NodePicture {
        NodePicture(
            takenAt: report.timestamp, level: NodePicture.Level(report.level), matters: matters(report),
            facts: NodePicture.Facts(
                id: facts.id, site: facts.site, tenant: facts.tenant, version: facts.version, epoch: facts.epoch,
                startedAt: facts.startedAt,
                uptime: report.uptime),
            figures: NodePicture.Figures(
                commitMilliseconds: report.commitMilliseconds, storeUsedPercent: report.storeUsedPercent,
                diskFreeBytes: report.diskFreeBytes, cpuPercent: report.cpuPercent, memoryPercent: report.memoryPercent),
            uplink: uplink, isDevelopment: isDevelopment)
    }

    private static func matters(_ report: HealthReport) -> [Matter] {
        var matters = (report.alerts + (report.uplink?.alerts ?? [])).map { alert in
            Matter(alert: alert.code, NodePicture.Level(alert.level), message: alert.message, hint: alert.hint)
        }
        let measured: [(Matter.Kind, HealthReport.Level)] = [
            (.slowDisk(report.commitMilliseconds), report.commitLevel), (.memory(report.memoryPercent), report.memoryLevel),
            (.processor(report.cpuPercent), report.processorLevel), (.coldCache(report.cache.hitRate * 100), report.cacheLevel),
        ]
        for (kind, level) in measured where level > .healthy { matters.append(Matter(kind, NodePicture.Level(level))) }
        return matters
    }
}

extension SinkPicture {
    /// A sink's report in the pages' words.
    init(_ report: SinkReport, now: Timestamp) {
        let link: Link =
            switch (report.state, report.breaker) {
            case ("connected", "closed"): .sending
            case (_, "half-open"): .trying
            default: .waiting
            }
        self.init(
            name: report.name, link: link, lagRecords: report.lagRecords, lagBytes: report.lagBytes,
            oldestAge: report.oldestWaiting.map { max(.zero, now - $0) }, lastAck: report.lastAck,
            drainEstimate: report.drainSeconds.map { .seconds(min($0, 1e9)) }, deadLetters: UInt64(clamping: report.deadLetters))
    }
}

extension NodePicture.Level {
    fileprivate init(_ level: HealthReport.Level) {
        self =
            switch level {
            case .healthy: .healthy
            case .degraded: .degraded
            case .unhealthy: .unhealthy
            }
    }
}

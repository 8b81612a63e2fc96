import Domain
import Registry
import Uplink

/// How the node is, by the thresholds of the registry's specification. A value: what was measured goes in, the document comes out.
package struct HealthReport: Sendable {
    package enum Level: Int, Comparable, Sendable {
        case healthy, degraded, unhealthy
        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

        package var name: StaticString {
            switch self {
            case .healthy: "healthy"
            case .degraded: "degraded"
            case .unhealthy: "unhealthy"
            }
        }

        /// At `degradedAt` and above degraded, at `unhealthyAt` and above unhealthy.
        package init(_ value: Double, degradedAt: Double, unhealthyAt: Double) {
            self = value >= unhealthyAt ? .unhealthy : value >= degradedAt ? .degraded : .healthy
        }

        /// Below `degradedBelow` degraded, below `unhealthyBelow` unhealthy.
        package init(_ value: Double, degradedBelow: Double, unhealthyBelow: Double) {
            self = value < unhealthyBelow ? .unhealthy : value < degradedBelow ? .degraded : .healthy
        }
    }

    package struct Cache: Sendable {
        package var entries = 0
        package var bytes = 0
        package var hits: UInt64 = 0
        package var misses: UInt64 = 0
        package var evictions: UInt64 = 0
        package var oldestAgeSeconds = 0
        package init() {}

        package var hitRate: Double { hits + misses == 0 ? 1 : Double(hits) / Double(hits + misses) }
    }

    /// A sentence about something that keeps the node from being healthy, and what to do.
    package struct Alert: Equatable, Sendable {
        package var level: Level
        package var component: String
        package var code: String
        package var message: String
        package var hint: String
        package init(_ level: Level, _ component: String, _ code: String, _ message: String, hint: String) {
            self.level = level
            self.component = component
            self.code = code
            self.message = message
            self.hint = hint
        }
    }

    package var timestamp: Timestamp
    package var uptime: Duration
    package var commitMilliseconds: Double
    package var storeUsedPercent: Double
    package var diskFreeBytes: Int
    package var cpuPercent: Double
    package var memoryPercent: Double
    package var threads: Int
    package var cache: Cache
    package var checks: CheckSummary
    package var activeServices: Int
    package var activeInstances: Int
    package var alerts: [Alert]
    /// nil: nothing is sent anywhere.
    package var uplink: Uplink?

    package init(
        timestamp: Timestamp, uptime: Duration, commitMilliseconds: Double, storeUsedPercent: Double, diskFreeBytes: Int,
        cpuPercent: Double,
        memoryPercent: Double, threads: Int, cache: Cache, checks: CheckSummary, activeServices: Int, activeInstances: Int, alerts: [Alert]
    ) {
        self.timestamp = timestamp
        self.uptime = uptime
        self.commitMilliseconds = commitMilliseconds
        self.storeUsedPercent = storeUsedPercent
        self.diskFreeBytes = diskFreeBytes
        self.cpuPercent = cpuPercent
        self.memoryPercent = memoryPercent
        self.threads = threads
        self.cache = cache
        self.checks = checks
        self.activeServices = activeServices
        self.activeInstances = activeInstances
        self.alerts = alerts
    }

    package var commitLevel: Level { Level(commitMilliseconds, degradedAt: 10, unhealthyAt: 50) }
    package var memoryLevel: Level { Level(memoryPercent, degradedAt: 80, unhealthyAt: 90) }
    package var processorLevel: Level { Level(cpuPercent, degradedAt: 70, unhealthyAt: 85) }

    package var storeLevel: Level {
        let worst = alerts.filter { $0.component == "store" }.map(\.level).max() ?? .healthy
        return max(worst, commitLevel)
    }

    /// A cache that has hardly been asked says nothing; a cold one only slows, so it never makes the node unhealthy.
    package var cacheLevel: Level {
        guard cache.hits + cache.misses >= 10_000 else { return .healthy }
        return min(.degraded, Level(cache.hitRate, degradedBelow: 0.7, unhealthyBelow: 0.5))
    }

    /// A probed service that is down degrades the branch. It never makes the node unhealthy, however long it lasts: whoever takes a node out
    /// of service for its 503 would take the registry from all the services that live.
    package var breakerLevel: Level { checks.breaker == .closed ? .healthy : .degraded }

    package var systemLevel: Level {
        max(
            memoryLevel, processorLevel,
            alerts.filter { $0.component == "system" }.map(\.level).max() ?? .healthy)
    }

    package var level: Level {
        ([storeLevel, cacheLevel, systemLevel, breakerLevel, uplink?.level ?? .healthy] + (alerts + (uplink?.alerts ?? [])).map(\.level))
            .max()!
    }

    package var status: Int { level == .unhealthy ? 503 : 200 }

    package func body() -> [UInt8] {
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.key("status"); json.string(level.name)
            json.key("timestamp"); json.integer(timestamp.milliseconds / 1_000)
            json.key("uptime_seconds"); json.integer(uptime.components.seconds)
            json.key("components")
            json.object { json in
                json.key("store")
                json.object { json in
                    json.key("status"); json.string(storeLevel.name)
                    json.key("latency_ms"); json.double(commitMilliseconds.rounded(toPlaces: 3))
                    json.key("used_percent"); json.double(storeUsedPercent.rounded(toPlaces: 1))
                    json.key("disk_free_bytes"); json.integer(diskFreeBytes)
                }
                json.key("uplink")
                if let uplink { uplink.write(to: &json) } else { Uplink.writeDisabled(to: &json) }
                json.key("circuit_breaker")
                json.object { json in
                    json.key("state"); json.string(checks.breaker.name)
                    json.key("failure_count"); json.integer(checks.failing)
                    json.key("last_failure")
                    if let last = checks.lastFailure { json.timestamp(last) } else { json.null() }
                }
                json.key("cache")
                json.object { json in
                    json.key("status"); json.string(cacheLevel.name)
                    json.key("size"); json.integer(cache.entries)
                    json.key("hit_rate"); json.double(cache.hitRate.rounded(toPlaces: 4))
                    json.key("memory_mb"); json.double((Double(cache.bytes) / 1_048_576).rounded(toPlaces: 2))
                    json.key("oldest_entry_age_s"); json.integer(cache.oldestAgeSeconds)
                }
                json.key("system")
                json.object { json in
                    json.key("status"); json.string(systemLevel.name)
                    json.key("cpu_percent"); json.double(cpuPercent.rounded(toPlaces: 1))
                    json.key("memory_percent"); json.double(memoryPercent.rounded(toPlaces: 1))
                    json.key("threads"); json.integer(threads)
                }
            }
            json.key("active_services"); json.integer(activeServices)
            json.key("active_instances"); json.integer(activeInstances)
            json.key("alerts")
            json.array { json in
                for alert in alerts + (uplink?.alerts ?? []) {
                    json.object { json in
                        json.key("level"); json.string(alert.level.name)
                        json.key("component"); json.string(alert.component)
                        json.key("code"); json.string(alert.code)
                        json.key("message"); json.string(alert.message)
                        json.key("hint"); json.string(alert.hint)
                    }
                }
            }
        }
        return json.finish()
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        guard isFinite else { return 0 }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}

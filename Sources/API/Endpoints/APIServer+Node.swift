import Domain
import HTTPServer
import Registry
import Uplink

extension APIServer {
    /// `Accept` and OPA's query parameters (`bundles`, `plugins`, `exclude-plugin`) are taken: this node has neither bundles nor plugins, so
    /// they change nothing.
    func health(_ request: borrowing HTTPRequest) -> HTTPReply {
        let report = healthReport()
        return .answer(HTTPResponse(status: UInt16(report.status), body: .bytes(report.body())))
    }

    func ready(_ request: borrowing HTTPRequest) -> HTTPReply {
        let readings = readings()
        return .answer(
            HTTPResponse(
                status: readings.isReady ? 200 : 503,
                body: .bytes(Array(readings.isReady ? #"{"status":"ready"}"#.utf8 : #"{"status":"not ready"}"#.utf8))))
    }

    /// How the node is now. On the HTTP thread.
    package func healthReport() -> HealthReport {
        let readings = readings()
        let now = time.uptime()
        var report = HealthReport(
            timestamp: time.timestamp(), uptime: now - facts.started, commitMilliseconds: readings.commitMilliseconds,
            storeUsedPercent: readings.storeUsedPercent, diskFreeBytes: readings.diskFreeBytes, cpuPercent: readings.cpuPercent,
            memoryPercent: readings.memoryPercent, threads: readings.threads, cache: cacheFigures(now), checks: readings.checks,
            activeServices: registry.activeServices, activeInstances: registry.activeInstances, alerts: readings.alerts)
        if let sink { report.uplink = HealthReport.Uplink(sink.report, now: time.timestamp()) }
        return report
    }

    private func cacheFigures(_ now: Uptime) -> HealthReport.Cache {
        var figures = HealthReport.Cache()
        figures.entries = cache.count
        figures.bytes = cache.bytes
        figures.hits = cache.hits
        figures.misses = cache.misses
        figures.evictions = cache.evictions
        figures.oldestAgeSeconds = Int(cache.oldestAge(now: now).components.seconds)
        return figures
    }

    func node() -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.key("id"); json.string(facts.id)
            json.key("site"); json.string(facts.site)
            json.key("tenant"); json.string(facts.tenant)
            json.key("labels")
            json.object { json in
                for (key, value) in facts.labels { json.key(dynamic: key); json.string(value) }
            }
            json.key("version"); json.string(facts.version)
            json.key("epoch"); json.integer(streams.epoch)
            json.key("started_at"); json.timestamp(facts.startedAt)
            json.key("revision"); json.unsigned(registry.revision)
            json.key("active_services"); json.integer(registry.activeServices)
            json.key("active_instances"); json.integer(registry.activeInstances)
            listenersDocument(&json)
        }
        return HTTPResponse(status: 200, body: .bytes(json.finish()), revision: registry.revision)
    }

    func metricsText(_ request: borrowing HTTPRequest) -> HTTPReply {
        let isOpenMetrics = request.header("Accept")?.contains("application/openmetrics-text") ?? false
        let readings = readings()
        let cache = cacheFigures(time.uptime())
        var text = MetricsWriter(isOpenMetrics: isOpenMetrics)
        metrics.write(to: &text)
        text.gauge("registry_active_services", "Services with at least one instance.", Double(registry.activeServices))
        text.gauge("registry_active_instances", "Registered instances.", Double(registry.activeInstances))
        text.gauge(
            "registry_circuit_breaker_state", "0 closed, 1 open, 2 half-open: whether probed services fail.",
            [("state=\"\(readings.checks.breaker.name)\"", Double(readings.checks.breaker.rawValue))])
        text.gauge("registry_cache_hit_rate", "Share of look-ups answered from rendered copies.", cache.hitRate)
        text.gauge("registry_cache_size_bytes", "Bytes of rendered copies.", Double(cache.bytes))
        text.counter("cache_hits_total", "Look-ups answered from rendered copies.", cache.hits)
        text.counter("cache_misses_total", "Look-ups that were rendered.", cache.misses)
        text.counter("cache_evictions_total", "Rendered copies that gave way to others.", cache.evictions)
        text.counter("expired_services_total", "Leases that ran out.", registry.expiredTotal)
        text.counter("registry_health_check_failures_total", "Probes that failed.", readings.checks.failuresTotal)
        text.histogram("registry_store_latency_seconds", "Durable commits of the store.", [("", readings.commits)])
        text.gauge("registry_memory_bytes", "Resident memory, the store's map included.", Double(readings.residentBytes))
        text.gauge("posto_memory_anonymous_bytes", "Memory that belongs to the daemon alone.", Double(readings.anonymousBytes))
        text.gauge("registry_cpu_percent", "Share of all processors that the daemon uses.", readings.cpuPercent)
        text.gauge("registry_threads", "Threads of the daemon.", Double(readings.threads))
        text.gauge("posto_watchers", "Long polls and event streams that wait for changes.", Double(feed.count))
        text.gauge("posto_revision", "Revision of the last change.", Double(registry.revision))
        if let server {
            text.gauge("posto_http_connections", "Open connections.", Double(server.gauges.connections))
            text.counter(
                "posto_http_refused_total", "What the door refused, by reason.",
                server.gauges.refused.filter { $0.count > 0 }.map { ("reason=\"\($0.code)\"", $0.count) })
        }
        tlsMetrics(to: &text)
        if let sink { SinkListing.metrics(sink.report, now: time.timestamp(), to: &text) }
        if let intake {
            let counts = intake.counts
            text.counter("posto_events_total", "Events of services that are on the disk.", counts.accepted)
            text.counter("posto_events_refused_total", "Events of services that were refused for want of room.", counts.refused)
        }
        for gauge in readings.gauges { text.gauge(gauge.name, gauge.help, gauge.value) }
        for counter in readings.counters { text.counter(counter.name, counter.help, counter.value) }
        return .answer(
            HTTPResponse(status: 200, contentType: isOpenMetrics ? .openMetrics : .prometheus, body: .bytes(text.finish())))
    }
}

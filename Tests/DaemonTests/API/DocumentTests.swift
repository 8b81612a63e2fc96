import Domain
import HTTPServer
import Registry
import Store
import Testing

@testable import API

@Suite("the OpenAPI document")
struct OpenAPITests {
    private func document() throws -> JSONValue { try JSONDocument.parse(OpenAPI.document).root }

    private func match(_ method: HTTPMethod, _ path: String) -> Route? {
        Array(path.utf8).withUnsafeBufferPointer { path in
            if case .found(let route, _) = Route.router.match(method, path) { route } else { nil }
        }
    }

    @Test("every route is in the document, with its parameters, and every path of the document is routed there")
    func bothWays() throws {
        let paths = try #require(try document()["paths"])
        for route in Route.allCases {
            let description = route.description
            let operation = paths[dynamic: "\(description.pattern)"]?[dynamic: "\(description.method.name)".lowercased()]
            #expect(operation?["operationId"]?.string == "\(route)")
            let names = operation?["parameters"]?.elements.filter { $0["in"]?.string == "query" }.map { $0["name"]!.string! } ?? []
            #expect(names == description.parameters.map { "\($0.name)" }, "\(route)")
        }
        var operations = 0
        for path in paths.members {
            for operation in path.value.members {
                operations += 1
                let method = try #require(HTTPMethod.allCases.first { "\($0.name)".lowercased() == operation.name })
                let concrete = path.name.replacing("{name}", with: "abc").replacing("{id}", with: "abc-1")
                let route = match(method, concrete)
                #expect(route.map { "\($0)" } == operation.value["operationId"]?.string, "\(method) \(path.name)")
            }
        }
        #expect(operations == Route.allCases.count)
    }

    @Test("every reference leads somewhere")
    func references() throws {
        let root = try document()
        var found = 0
        func walk(_ value: JSONValue) {
            for member in value.members {
                if member.name == "$ref" {
                    let name = member.value.string?.split(separator: "/").last.map(String.init) ?? ""
                    #expect(member.value.string == "#/components/schemas/\(name)")
                    #expect(root["components"]?["schemas"]?[dynamic: name] != nil, "\(name)")
                    found += 1
                }
                walk(member.value)
            }
            for element in value.elements { walk(element) }
        }
        walk(root)
        #expect(found > 30)
        #expect(root["openapi"]?.string == "3.1.0")
    }

    @Test("the document's registration has the reader's fields and limits")
    func registrationSchema() throws {
        let schema = try #require(try document()["components"]?["schemas"]?["Registration"])
        #expect(Set(schema["properties"]!.members.map(\.name)) == Set(RegistrationReader.fields))
        #expect(schema["properties"]?["ttl_seconds"]?["minimum"]?.int64 == Int64(Limits.ttlSecondsMin))
        #expect(schema["properties"]?["ttl_seconds"]?["maximum"]?.int64 == Int64(Limits.ttlSecondsMax))
        #expect(schema["properties"]?["metadata"]?["maxProperties"]?.int64 == Int64(Limits.metadataPairsMax))
        #expect(schema["properties"]?["tags"]?["maxItems"]?.int64 == Int64(Limits.tagsMax))
        #expect(schema["properties"]?["capabilities"]?["maxItems"]?.int64 == Int64(Limits.capabilitiesMax))
    }
}

/// A reader of the Prometheus text format, as strict as the tests need it.
struct PrometheusText {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }
    var samples: [Sample] = []
    var types: [String: String] = [:]
    var isEnded = false

    init?(_ text: String) {
        guard text.hasSuffix("\n") else { return nil }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            guard !isEnded else { return nil }
            if line == "# EOF" {
                isEnded = true
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                guard words.count == 4, types[String(words[2])] == nil else { return nil }
                types[String(words[2])] = String(words[3])
            } else if !line.hasPrefix("# HELP ") {
                guard let sample = Self.sample(line) else { return nil }
                samples.append(sample)
            }
        }
    }

    private static func sample(_ line: Substring) -> Sample? {
        guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...].replacing("+Inf", with: "inf"))
        else { return nil }
        let head = line[..<space]
        guard let brace = head.firstIndex(of: "{") else {
            guard head.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
            return Sample(name: String(head), labels: [:], value: value)
        }
        guard head.last == "}" else { return nil }
        var labels: [String: String] = [:]
        for pair in head[head.index(after: brace)...].dropLast().split(separator: "\",") {
            let parts = pair.split(separator: "=\"", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            labels[String(parts[0])] = String(parts[1].last == "\"" ? parts[1].dropLast() : parts[1])
        }
        return Sample(name: String(head[..<brace]), labels: labels, value: value)
    }
}

@Suite("metrics")
struct MetricsTests {
    private static let names = [
        "registry_operations_total", "registry_operation_duration_seconds_bucket", "registry_active_services",
        "registry_circuit_breaker_state",
        "registry_cache_hit_rate", "registry_cache_size_bytes", "registry_request_duration_seconds_bucket",
        "registry_health_check_failures_total",
        "registry_memory_bytes", "registry_cpu_percent", "expired_services_total", "cache_hits_total", "cache_misses_total",
        "cache_evictions_total",
        "registry_store_latency_seconds_bucket", "registry_threads",
    ]

    @Test("both forms can be read, hold the specification's names, and count what was asked", arguments: [false, true])
    func text(isOpenMetrics: Bool) throws {
        let node = try TestNode()
        node.register("teller")
        for _ in 0..<5 { _ = node.ask("GET", "/services/teller") }
        _ = node.ask("GET", "/services/nobody")
        _ = node.ask("GET", "/nowhere")
        _ = node.register("X")
        let headers = isOpenMetrics ? ["Accept: application/openmetrics-text; version=1.0.0"] : []
        let reply = try #require(node.send("GET", "/metrics", headers: headers).reply())
        #expect(reply["Content-Type"]?.hasPrefix(isOpenMetrics ? "application/openmetrics-text" : "text/plain; version=0.0.4") == true)
        let metrics = try #require(PrometheusText(reply.text))
        #expect(metrics.isEnded == isOpenMetrics)
        for name in Self.names { #expect(metrics.samples.contains { $0.name == name }, "\(name) is missing") }
        func operations(_ operation: String, _ status: String) -> Double? {
            metrics.samples.first { $0.name == "registry_operations_total" && $0.labels == ["operation": operation, "status": status] }?
                .value
        }
        #expect(operations("lookup", "success") == 5 && operations("lookup", "error") == 1)
        #expect(operations("register", "success") == 1 && operations("register", "error") == 1)
        #expect(metrics.samples.first { $0.name == "registry_circuit_breaker_state" }?.labels == ["state": "closed"])
        #expect(
            Set(metrics.samples.map { "\($0.name)\($0.labels.sorted { $0.key < $1.key })" }).count == metrics.samples.count,
            "a sample stands twice")
        for sample in metrics.samples {
            let family = ["_bucket", "_sum", "_count"].reduce(sample.name) { $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0 }
            let counter = isOpenMetrics && sample.name.hasSuffix("_total") ? String(sample.name.dropLast(6)) : sample.name
            #expect(metrics.types[family] != nil || metrics.types[counter] != nil, "\(sample.name) has no type")
        }
        try judgeHistograms(metrics)
    }

    private func judgeHistograms(_ metrics: PrometheusText) throws {
        let families = metrics.types.filter { $0.value == "histogram" }.keys
        #expect(families.count >= 3)
        for family in families {
            let buckets = metrics.samples.filter { $0.name == family + "_bucket" }
            let groups = Dictionary(grouping: buckets) { sample in
                sample.labels.filter { $0.key != "le" }.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
            }
            for (labels, group) in groups {
                #expect(group.map(\.value) == group.map(\.value).sorted(), "\(family){\(labels)} falls")
                #expect(group.last?.labels["le"] == "+Inf")
                let count = metrics.samples.first {
                    $0.name == family + "_count" && $0.labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",") == labels
                }
                #expect(count?.value == group.last?.value, "\(family){\(labels)}")
            }
        }
    }

    @Test("a histogram puts each value under its bound, merges, and counts")
    func histogram() {
        var one = Histogram()
        for nanoseconds: UInt64 in [0, 100_000, 100_001, 1_000_000, 10_000_000_000, 10_000_000_001] { one.record(nanoseconds: nanoseconds) }
        #expect(one.counts.first == 2 && one.counts[1] == 1 && one.counts.last == 1 && one.count == 6)
        var two = one
        two.merge(one)
        #expect(two.count == 12 && two.counts.reduce(0, +) == 12 && two.sumNanoseconds == 2 * one.sumNanoseconds)
    }
}

@Suite("health")
struct HealthReportTests {
    private func report(_ change: (inout HealthReport) -> Void = { _ in }) -> HealthReport {
        var report = HealthReport(
            timestamp: Timestamp(milliseconds: 1_729_770_000_000), uptime: .seconds(86_400), commitMilliseconds: 2.5, storeUsedPercent: 1,
            diskFreeBytes: 1 << 30, cpuPercent: 15.2, memoryPercent: 62.3, threads: 12, cache: HealthReport.Cache(), checks: CheckSummary(),
            activeServices: 107, activeInstances: 120, alerts: [])
        change(&report)
        return report
    }

    @Test(
        "each component by its thresholds",
        arguments: [
            ("commit", 0, 0), ("commit", 9.99, 0), ("commit", 10, 1), ("commit", 49.9, 1), ("commit", 50, 2), ("memory", 79.9, 0),
            ("memory", 80, 1), ("memory", 89.9, 1), ("memory", 90, 2), ("cpu", 69.9, 0), ("cpu", 70, 1), ("cpu", 84.9, 1), ("cpu", 85, 2),
            ("hits", 0.70001, 0), ("hits", 0.7, 0), ("hits", 0.69999, 1), ("hits", 0.5, 1), ("hits", 0.49999, 1), ("hits", 0, 1),
        ])
    func thresholds(component: String, value: Double, level: Int) throws {
        let report = report { report in
            switch component {
            case "commit": report.commitMilliseconds = value
            case "memory": report.memoryPercent = value
            case "cpu": report.cpuPercent = value
            default:
                report.cache.hits = UInt64((value * 100_000).rounded())
                report.cache.misses = 100_000 - report.cache.hits
            }
        }
        #expect(report.level.rawValue == level)
        #expect(report.status == (level == 2 ? 503 : 200))
        let parsed = try JSONDocument.parse(report.body()).root
        #expect(parsed["status"]?.string == ["healthy", "degraded", "unhealthy"][level])
        let place = component == "commit" ? "store" : component == "hits" ? "cache" : "system"
        #expect(parsed["components"]?[dynamic: place]?["status"]?.string == ["healthy", "degraded", "unhealthy"][level])
    }

    @Test(
        "the breaker is open while probed services fail, half-open while all that fail come back; both degrade, and neither takes the node away",
        arguments: [(0, 0, "closed", "healthy"), (1, 0, "open", "degraded"), (2, 1, "open", "degraded"), (2, 2, "half-open", "degraded")])
    func breaker(failing: Int, recovering: Int, state: String, status: String) throws {
        let report = report {
            $0.checks.failing = failing
            $0.checks.recovering = recovering
            $0.checks.lastFailure = failing == 0 ? nil : Timestamp(milliseconds: 1_729_769_999_000)
        }
        #expect(report.status == 200)
        let parsed = try JSONDocument.parse(report.body()).root
        #expect(parsed["status"]?.string == status)
        let breaker = try #require(parsed["components"]?["circuit_breaker"])
        #expect(breaker["state"]?.string == state && breaker["failure_count"]?.int64 == Int64(failing))
        #expect(breaker["last_failure"]?.string == (failing == 0 ? nil : "2024-10-24T11:39:59.000Z"))
    }

    @Test("a cache that was hardly asked says nothing")
    func coldCache() {
        #expect(report { $0.cache.misses = 9_999 }.level == .healthy)
        #expect(report { $0.cache.misses = 10_000 }.level == .degraded)
    }

    @Test("an alert weighs what it says, wherever it comes from", arguments: ["store", "system", "other"])
    func alerts(component: String) throws {
        for level in [HealthReport.Level.degraded, .unhealthy] {
            let report = report { $0.alerts = [HealthReport.Alert(level, component, "code", "It is so.", hint: "Do this.")] }
            #expect(report.level == level)
            let alert = try Array(JSONDocument.parse(report.body()).root["alerts"]!.elements)[0]
            #expect(alert["code"]?.string == "code" && alert["hint"]?.string == "Do this.")
        }
    }

    @Test("the document has the specification's members")
    func shape() throws {
        let root = try JSONDocument.parse(report { $0.checks.failing = 1 }.body()).root
        #expect(
            root["timestamp"]?.int64 == 1_729_770_000 && root["uptime_seconds"]?.int64 == 86_400 && root["active_services"]?.int64 == 107)
        #expect(root["components"]?["store"]?["latency_ms"]?.double == 2.5)
        #expect(root["components"]?["circuit_breaker"]?["state"]?.string == "open")
        #expect(root["components"]?["circuit_breaker"]?["last_failure"]?.isNull == true)
        #expect(root["components"]?["cache"]?["hit_rate"]?.double == 1)
        #expect(root["components"]?["system"]?["threads"]?.int64 == 12)
        #expect(root["components"]?["uplink"]?["status"]?.string == "disabled", "it says honestly that there is none")
        #expect(root["components"]?["uplink"]?["lag_records"]?.int64 == 0)
    }
}

@Suite("who may call")
struct AccessTests {
    struct Case: Sendable {
        let peer: HTTPPeer
        let loopback: AccessPolicy.Loopback
        let isDevelopment: Bool
        let access: Route.Access
        let role: String
    }

    private static let cases: [Case] = AccessPolicy.Loopback.allCases.flatMap { loopback in
        [false, true].flatMap { dev -> [Case] in
            let byLoopback: (Route.Access, String) =
                dev
                ? (.administrator, "administrator")
                : loopback == .none ? (.open, "anonymous") : loopback == .health ? (.health, "observer") : (.service, "service")
            let user: (Route.Access, String) = dev ? (.administrator, "administrator") : (.service, "service")
            return [
                Case(
                    peer: .local(uid: 0, gid: 0, pid: 1), loopback: loopback, isDevelopment: dev, access: .administrator,
                    role: "administrator"),
                Case(
                    peer: .local(uid: 990, gid: 5, pid: 1), loopback: loopback, isDevelopment: dev, access: .administrator,
                    role: "administrator"),
                Case(
                    peer: .local(uid: 1_000, gid: 44, pid: 1), loopback: loopback, isDevelopment: dev, access: .administrator,
                    role: "administrator"),
                Case(peer: .local(uid: 1_000, gid: 1_000, pid: 1), loopback: loopback, isDevelopment: dev, access: user.0, role: user.1),
                Case(peer: .loopback(port: 4_000), loopback: loopback, isDevelopment: dev, access: byLoopback.0, role: byLoopback.1),
                Case(
                    peer: .network(address: "10.0.0.9", port: 4_000), loopback: loopback, isDevelopment: dev, access: .open,
                    role: "anonymous"),
            ]
        }
    }

    @Test("by peer, setting and mode", arguments: cases)
    func table(row: Case) {
        let policy = AccessPolicy(loopback: row.loopback, isDevelopment: row.isDevelopment, ownUserID: 990, administratorGroupID: 44)
        #expect(policy.access(of: row.peer) == row.access)
        #expect(policy.origin(of: row.peer, requestID: "r", traceparent: nil).role == row.role)
    }

    @Test("without that group nobody is of it")
    func noGroup() {
        let policy = AccessPolicy(loopback: .service, isDevelopment: false, ownUserID: 990, administratorGroupID: nil)
        #expect(policy.access(of: .local(uid: 1_000, gid: 0, pid: 1)) == .service)
    }

    @Test("what a caller may not do is refused by 401 or 403, before and after the body")
    func refusals() throws {
        let health = try TestNode(access: AccessPolicy(loopback: .health, isDevelopment: false, ownUserID: 990, administratorGroupID: nil))
        #expect(health.ask("GET", "/health").status == 200 && health.ask("GET", "/services").status == 403)
        #expect(health.register("teller").status == 403)
        let nobody = try TestNode(access: AccessPolicy(loopback: .none, isDevelopment: false, ownUserID: 990, administratorGroupID: nil))
        let reply = nobody.ask("GET", "/services")
        #expect(reply.status == 401 && reply["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
        #expect(nobody.ask("GET", "/health/live").status == 200 && nobody.ask("GET", "/openapi.json").status == 200)
        let service = try TestNode(
            access: AccessPolicy(loopback: .service, isDevelopment: false, ownUserID: 990, administratorGroupID: nil))
        for route in Route.allCases where route.description.access == .administrator {
            let path = "\(route.description.pattern)".replacing("{name}", with: "state")
            #expect(service.ask("\(route.description.method.name)", path).status == 403, "\(path)")
        }
    }
}

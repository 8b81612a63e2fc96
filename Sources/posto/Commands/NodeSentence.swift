import Domain

/// How a node is, in one sentence, and what to do next: read from the document of `/health`.
struct NodeSentence: Equatable {
    var text: String
    var next: String?
    /// The other things that a person should know.
    var others: [String]

    init(_ health: JSONValue) {
        let level = HumanText.clean(health["status"]?.string ?? "in a state that it does not tell")
        let services = health["active_services"]?.int64 ?? 0
        var reasons = (health["alerts"]?.elements.map { $0 } ?? []).sorted { Self.weight($0) > Self.weight($1) }.map { alert in
            (text: Self.ended(alert["message"]?.string ?? "it does not say why"), hint: alert["hint"]?.string)
        }
        if level != "healthy" { reasons += Self.limits(health["components"]) }
        if level == "healthy" {
            text =
                services == 0
                ? "The node is healthy; no service is registered yet."
                : "The node is healthy: \(HumanText.count(services, "service")) with \(HumanText.count(health["active_instances"]?.int64 ?? 0, "instance"))."
            next = services == 0 && reasons.isEmpty ? "register one; posto register --help shows how." : nil
        } else if let first = reasons.first {
            text = "The node is \(level): \(HumanText.clean(first.text))"
            next = (first.hint ?? "look at the log: journalctl -u posto.").nonEmpty.map(HumanText.clean)
            reasons.removeFirst()
        } else {
            text = "The node is \(level)."
            next = "look at the log: journalctl -u posto."
        }
        others = reasons.map { HumanText.clean($0.text + ($0.hint?.nonEmpty.map { " " + $0 } ?? "")) }
    }

    private static func weight(_ alert: JSONValue) -> Int {
        switch alert["level"]?.string {
        case "unhealthy": 2
        case "degraded": 1
        default: 0
        }
    }

    /// Components that passed a threshold without an alert of their own.
    private static func limits(_ components: JSONValue?) -> [(text: String, hint: String?)] {
        func isOff(_ component: JSONValue?) -> Bool { component?["status"].map { !$0.equals("healthy") } ?? false }
        func figure(_ value: JSONValue?) -> String { value.map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? "?" }
        var reasons: [(text: String, hint: String?)] = []
        if isOff(components?["store"]), components?["store"]?["latency_ms"]?.double ?? 0 >= 10 {
            reasons.append(
                (
                    "commits of the store take \(figure(components?["store"]?["latency_ms"])) ms.",
                    "See what else writes to that disk (iostat, iotop)."
                ))
        }
        if let breaker = components?["circuit_breaker"], let failing = breaker["failure_count"]?.int64, failing > 0 {
            reasons.append(
                (
                    "\(HumanText.count(failing, "instance")) of the registered ones \(failing == 1 ? "fails" : "fail") the health checks.",
                    "posto services --health critical shows which."
                ))
        }
        if isOff(components?["cache"]) {
            reasons.append(("most look-ups miss the cache.", "It fills by itself; many instances that change all the time keep it cold."))
        }
        if let system = components?["system"], isOff(system) {
            reasons.append(
                (
                    "the host is busy: processors \(figure(system["cpu_percent"])) %, memory \(figure(system["memory_percent"])) %.",
                    "See what uses it (top)."
                ))
        }
        return reasons
    }

    private static func ended(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }
}

extension String {
    /// nil if it is empty.
    var nonEmpty: String? { isEmpty ? nil : self }
}

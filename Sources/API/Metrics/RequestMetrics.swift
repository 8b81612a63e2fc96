import HTTPServer

/// What was asked how often and how long it took, by route and status. Belongs to the HTTP thread, where it is also read.
package struct RequestMetrics {
    private struct Key: Hashable {
        let route: UInt16
        let status: UInt16
    }

    private var byAnswer: [Key: Histogram] = [:]

    package init() {}

    package mutating func record(_ outcome: HTTPOutcome) {
        byAnswer[Key(route: outcome.tag, status: outcome.status), default: Histogram()].record(nanoseconds: outcome.durationNanoseconds)
    }

    package func write(to metrics: inout MetricsWriter) {
        let sorted = byAnswer.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        var operations: [(labels: String, value: UInt64)] = []
        var durations: [String: Histogram] = [:]
        var requests: [(labels: String, value: Histogram)] = []
        var order: [String] = []
        for (key, histogram) in sorted {
            let route = Route(rawValue: key.route)
            let pattern = route.map { "\($0.description.pattern)" } ?? "other"
            let method = route.map { "\($0.description.method)".uppercased() } ?? "other"
            requests.append(("endpoint=\"\(pattern)\",method=\"\(method)\",status=\"\(key.status)\"", histogram))
            guard let operation = route?.description.operation else { continue }
            let name = "\(operation)"
            let result = key.status < 400 ? "success" : "error"
            let labels = "operation=\"\(name)\",status=\"\(result)\""
            if let at = operations.firstIndex(where: { $0.labels == labels }) {
                operations[at].value += histogram.count
            } else {
                operations.append((labels, histogram.count))
            }
            if durations[name] == nil { order.append(name) }
            durations[name, default: Histogram()].merge(histogram)
        }
        metrics.counter("registry_operations_total", "Operations of the registry.", operations)
        metrics.histogram(
            "registry_operation_duration_seconds", "How long operations took, from the request line to the answer.",
            order.map { ("operation=\"\($0)\"", durations[$0]!) })
        metrics.histogram("registry_request_duration_seconds", "How long requests took.", requests)
    }
}

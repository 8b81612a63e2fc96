import HTTPServer

/// What was asked how often and how long it took, by route and status. Belongs to the HTTP thread, where it is also read.
package struct RequestMetrics {
    private struct Answer {
        let route: UInt16
        let status: UInt16
        var histogram = Histogram()
    }

    private static let statuses = 600
    private var answers: [Answer] = []
    /// Where in `answers`, by route and status; -1: never given.
    private var places: [Int16]

    package init() {
        places = Array(repeating: -1, count: (Int(Route.allCases.map(\.rawValue).max()!) + 1) * Self.statuses)
    }

    package mutating func record(_ outcome: HTTPOutcome) {
        let slot = Int(outcome.tag) * Self.statuses + Int(outcome.status)
        guard outcome.status < Self.statuses, slot < places.count else { return }
        if places[slot] < 0 {
            places[slot] = Int16(answers.count)
            answers.append(Answer(route: outcome.tag, status: outcome.status))
        }
        answers[Int(places[slot])].histogram.record(nanoseconds: outcome.durationNanoseconds)
    }

    package func write(to metrics: inout MetricsWriter) {
        let sorted = answers.sorted { ($0.route, $0.status) < ($1.route, $1.status) }
        var operations: [(labels: String, value: UInt64)] = []
        var durations: [String: Histogram] = [:]
        var requests: [(labels: String, value: Histogram)] = []
        var order: [String] = []
        for answer in sorted {
            let histogram = answer.histogram
            let route = Route(rawValue: answer.route)
            let pattern = route.map { "\($0.description.pattern)" } ?? "other"
            let method = route.map { "\($0.description.method)".uppercased() } ?? "other"
            requests.append(("endpoint=\"\(pattern)\",method=\"\(method)\",status=\"\(answer.status)\"", histogram))
            guard let operation = route?.description.operation else { continue }
            let name = "\(operation)"
            let result = answer.status < 400 ? "success" : "error"
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

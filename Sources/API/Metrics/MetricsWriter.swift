/// Writes metrics in the Prometheus text format 0.0.4, or OpenMetrics 1.0, which differ in the names of counters and the end.
package struct MetricsWriter {
    package private(set) var text: [UInt8] = []
    private let isOpenMetrics: Bool

    package init(isOpenMetrics: Bool) {
        self.isOpenMetrics = isOpenMetrics
        text.reserveCapacity(16 * 1_024)
    }

    /// - Parameter name: of a counter, with its `_total`.
    package mutating func counter(_ name: String, _ help: String, _ samples: [(labels: String, value: UInt64)]) {
        // OpenMetrics names the family without the suffix of its samples.
        head(isOpenMetrics && name.hasSuffix("_total") ? String(name.dropLast(6)) : name, "counter", help)
        for sample in samples { line(name, sample.labels, "\(sample.value)") }
    }

    package mutating func counter(_ name: String, _ help: String, _ value: UInt64) { counter(name, help, [("", value)]) }

    package mutating func gauge(_ name: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
        head(name, "gauge", help)
        for sample in samples { line(name, sample.labels, Self.number(sample.value)) }
    }

    package mutating func gauge(_ name: String, _ help: String, _ value: Double) { gauge(name, help, [("", value)]) }

    package mutating func histogram(_ name: String, _ help: String, _ samples: [(labels: String, value: Histogram)]) {
        head(name, "histogram", help)
        for sample in samples {
            let prefix = sample.labels.isEmpty ? "" : sample.labels + ","
            var running: UInt64 = 0
            for (bound, count) in zip(Histogram.bounds, sample.value.counts) {
                running += count
                line(name + "_bucket", prefix + "le=\"\(Self.number(bound))\"", "\(running)")
            }
            line(name + "_bucket", prefix + "le=\"+Inf\"", "\(sample.value.count)")
            line(name + "_sum", sample.labels, Self.number(Double(sample.value.sumNanoseconds) / 1e9))
            line(name + "_count", sample.labels, "\(sample.value.count)")
        }
    }

    package consuming func finish() -> [UInt8] {
        if isOpenMetrics { text.append(contentsOf: "# EOF\n".utf8) }
        return text
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        // OpenMetrics names a family without the `_total` of its counter; Prometheus' own text names it with it.
        let family = isOpenMetrics && type == "counter" && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        text.append(contentsOf: "# HELP \(family) \(help)\n# TYPE \(family) \(type)\n".utf8)
    }

    private mutating func line(_ name: String, _ labels: String, _ value: String) {
        text.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            text.append(UInt8(ascii: "{"))
            text.append(contentsOf: labels.utf8)
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: value.utf8)
        text.append(UInt8(ascii: "\n"))
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}

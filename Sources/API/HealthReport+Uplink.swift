import Domain
import Uplink

extension HealthReport {
    /// The component `uplink`: at worst degraded, because a node does its work without a link.
    package struct Uplink: Sendable {
        private let report: SinkReport
        private let now: Timestamp

        package init(_ report: SinkReport, now: Timestamp) {
            self.report = report
            self.now = now
        }

        package var level: Level { alerts.map(\.level).max() ?? .healthy }

        package var alerts: [Alert] {
            var alerts: [Alert] = []
            if report.state == "cloned" {
                alerts.append(
                    Alert(
                        .degraded, "uplink", "cloned", "Another node sends under this node's name; sending has stopped, nothing is lost.",
                        hint: "Give one of them another node.id and restart it."))
            } else if report.breaker != "closed", report.lagRecords > 0 {
                let since = report.lastAck.map { " The last ack came \(max(0, (now - $0).components.seconds)) s ago." } ?? ""
                alerts.append(
                    Alert(
                        .degraded, "uplink", "unreachable",
                        "The receiver cannot be reached (\(report.lastFailure ?? "no answer")); \(report.lagRecords) records wait.\(since)",
                        hint: "Look at the link; nothing is lost. POST /api/v1/uplink/\(report.name)/probe tries at once."))
            }
            if report.deadLetters > 0 {
                alerts.append(
                    Alert(
                        .degraded, "uplink", "dead_letters", "The receiver refused \(report.deadLetters) records for good.",
                        hint: "GET /api/v1/deadletters tells which and why."))
            }
            return alerts
        }

        /// No receiver is configured: nothing waits to be sent.
        static func writeDisabled(to json: inout JSONWriter) {
            json.object { json in
                json.key("status"); json.string("disabled" as StaticString)
                json.key("lag_records"); json.integer(0)
            }
        }

        func write(to json: inout JSONWriter) {
            json.object { json in
                json.key("status"); json.string(level.name)
                json.key("lag_records"); json.unsigned(report.lagRecords)
                json.key("lag_bytes"); json.unsigned(report.lagBytes)
                json.key("breaker"); json.string(report.breaker)
                json.key("last_ack_at")
                if let time = report.lastAck { json.timestamp(time) } else { json.null() }
            }
        }
    }
}

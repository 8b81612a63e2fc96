import API
import Domain
import Store

/// What a start found that a person should know; health tells it until the next start.
enum StartAlerts {
    static func alerts(
        _ openings: [(name: String, opening: StoreOpening)], recovery: BoardRecovery, folder: String
    ) -> [HealthReport.Alert] {
        var alerts: [HealthReport.Alert] = []
        for (name, opening) in openings {
            let hint = "The damaged file is kept in \(folder)/evidence; look there and at the disk before you rely on it."
            switch opening {
            case .sound: break
            case .salvaged(let report, let reason):
                alerts.append(
                    HealthReport.Alert(
                        .degraded, "store", "salvaged", "\(name) was damaged (\(reason)); \(report.kept) records were salvaged.", hint: hint
                    ))
            case .lastGoodCopy(let at, let reason):
                alerts.append(
                    HealthReport.Alert(
                        .degraded, "store", "last_good_copy",
                        "\(name) was damaged (\(reason)) and nothing could be salvaged; the node goes on from its copy of \(at.rfc3339).",
                        hint: hint))
            case .empty(let reason):
                alerts.append(
                    HealthReport.Alert(
                        .degraded, "store", "began_empty",
                        "\(name) was damaged (\(reason)), nothing could be salvaged and there was no copy; it began empty.", hint: hint))
            }
        }
        let sets = Evidence(stateDirectory: folder).list()
        if sets.count > Limits.evidenceSetsMax {
            alerts.append(
                HealthReport.Alert(
                    .degraded, "store", "evidence", "\(sets.count) sets of evidence use \(sets.reduce(0) { $0 + $1.bytes } >> 20) MiB.",
                    hint: "Move them elsewhere; Posto never deletes them."))
        }
        return alerts
    }
}

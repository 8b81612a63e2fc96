import API
import Domain
import Store
import Synchronization

/// The figures of health and metrics: housekeeping writes them, the HTTP thread reads them whenever it is asked, and neither waits.
package final class NodeReadingsCell: Sendable {
    struct Figures: Sendable {
        var readings = NodeReadings()
        var boardBytes: UInt64 = 0
        var boardFailure: String?
        /// How far the host's clock is behind the time that it certainly is; nil if it may be right.
        var clockBehindMilliseconds: Int64?
        /// What the start found: stays until the next start.
        var standing: [HealthReport.Alert] = []
        var cpuAverage = 0.0
    }

    private let figures: Mutex<Figures>

    init(standing: [HealthReport.Alert]) {
        var figures = Figures()
        figures.standing = standing
        figures.readings.alerts = standing
        self.figures = Mutex(figures)
    }

    /// From the first answer on; housekeeping goes on with it.
    func show(_ tls: TLSHouse, now: Timestamp) {
        update { figures in
            figures.readings.certificate = tls.certificate
            figures.readings.alerts = figures.standing + tls.alerts(now: now)
        }
    }

    func update(_ body: (inout Figures) -> Void) { figures.withLock { body(&$0) } }

    package var current: NodeReadings { figures.withLock { $0.readings } }
}

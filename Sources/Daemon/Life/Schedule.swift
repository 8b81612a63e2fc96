import Domain

/// When each thing that is done by the clock is due. A value.
struct Schedule: Equatable, Sendable {
    enum Duty: CaseIterable, Sendable {
        case copyBoard, readFigures, sampleSystem, beatStreams, tellSuppressed, retain, checkReaders, checkpoint, keepLastGood

        var period: Duration {
            switch self {
            case .copyBoard, .readFigures: .seconds(1)
            case .sampleSystem, .tellSuppressed: .seconds(5)
            case .beatStreams, .retain: .seconds(15)
            case .checkReaders: .seconds(60)
            case .checkpoint: .seconds(300)
            case .keepLastGood: .seconds(86_400)
            }
        }

        /// The first time after a start: not all at once, and the daily copy soon. What the last life left undeleted is
        /// deleted at once, because this one may be as short.
        var first: Duration {
            switch self {
            case .copyBoard, .readFigures, .sampleSystem, .retain: .zero
            case .keepLastGood: .seconds(600)
            default: period
            }
        }
    }

    private var due: [Duty: Uptime] = [:]

    /// The duties whose time has come; each is due again a period later.
    mutating func take(now: Uptime, started: Uptime) -> [Duty] {
        Duty.allCases.filter { duty in
            guard now >= due[duty] ?? started + duty.first else { return false }
            due[duty] = now + duty.period
            return true
        }
    }
}

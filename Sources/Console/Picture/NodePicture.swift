import Domain

/// What the pages show of the node besides its services: a value that `Daemon` fills for each page.
package struct NodePicture: Sendable {
    package enum Level: Int, Comparable, Sendable {
        case healthy, degraded, unhealthy
        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    package var takenAt: Timestamp
    package var level: Level
    /// The alerts of health, then what is over a threshold.
    package var matters: [Matter]
    package var facts: Facts
    package var figures: Figures
    package var uplink: UplinkPicture
    /// `--dev`: every caller of this host is an administrator.
    package var isDevelopment: Bool

    package init(
        takenAt: Timestamp, level: Level, matters: [Matter], facts: Facts, figures: Figures, uplink: UplinkPicture,
        isDevelopment: Bool
    ) {
        self.takenAt = takenAt
        self.level = level
        self.matters = matters
        self.facts = facts
        self.figures = figures
        self.uplink = uplink
        self.isDevelopment = isDevelopment
    }

    /// Who the node is.
    package struct Facts: Sendable {
        package var id: String
        package var site: String
        package var tenant: String
        package var version: String
        package var epoch: UInt32
        package var startedAt: Timestamp
        package var uptime: Duration

        package init(id: String, site: String, tenant: String, version: String, epoch: UInt32, startedAt: Timestamp, uptime: Duration) {
            self.id = id
            self.site = site
            self.tenant = tenant
            self.version = version
            self.epoch = epoch
            self.startedAt = startedAt
            self.uptime = uptime
        }
    }

    /// What was measured, as health says it.
    package struct Figures: Sendable {
        package var commitMilliseconds: Double
        package var storeUsedPercent: Double
        package var diskFreeBytes: Int
        package var cpuPercent: Double
        package var memoryPercent: Double

        package init(commitMilliseconds: Double, storeUsedPercent: Double, diskFreeBytes: Int, cpuPercent: Double, memoryPercent: Double) {
            self.commitMilliseconds = commitMilliseconds
            self.storeUsedPercent = storeUsedPercent
            self.diskFreeBytes = diskFreeBytes
            self.cpuPercent = cpuPercent
            self.memoryPercent = memoryPercent
        }
    }
}

/// What the uplink's panel shows.
package enum UplinkPicture: Sendable {
    /// None is configured: there is no panel.
    case absent
    /// It could not be asked; the panel says so and why.
    case failed(String)
    case sinks([SinkPicture])
}

/// How far one sink is.
package struct SinkPicture: Sendable {
    package enum Link: Sendable {
        /// Closed breaker: batches go out.
        case sending
        /// Half-open: it is tried whether the receiver answers again.
        case trying
        /// Open: nothing is sent until the next try.
        case waiting
    }

    package var name: String
    package var link: Link
    package var lagRecords: UInt64
    package var lagBytes: UInt64
    /// Of the oldest record that waits; nil if none does.
    package var oldestAge: Duration?
    /// When the receiver last said that it has something for good; nil if never.
    package var lastAck: Timestamp?
    /// Until what waits is sent, at the present speed; nil if nobody can say.
    package var drainEstimate: Duration?
    package var deadLetters: UInt64

    package init(
        name: String, link: Link, lagRecords: UInt64, lagBytes: UInt64, oldestAge: Duration?, lastAck: Timestamp?, drainEstimate: Duration?,
        deadLetters: UInt64
    ) {
        self.name = name
        self.link = link
        self.lagRecords = lagRecords
        self.lagBytes = lagBytes
        self.oldestAge = oldestAge
        self.lastAck = lastAck
        self.drainEstimate = drainEstimate
        self.deadLetters = deadLetters
    }
}

/// Something that keeps the node from being healthy.
package struct Matter: Sendable {
    package enum Kind: Equatable, Sendable {
        /// An alert of health.
        case alert(AlertCode)
        /// One for which the pages have no words of their own yet; they show the alert's.
        case otherAlert
        /// Milliseconds of a durable commit.
        case slowDisk(Double)
        /// Percent of the host's memory in use.
        case memory(Double)
        /// Percent of the host's processors that the daemon uses.
        case processor(Double)
        /// Percent of the look-ups that are answered from copies.
        case coldCache(Double)
    }

    package var kind: Kind
    package var level: NodePicture.Level
    /// What health says of it, in English; empty for what is over a threshold.
    package var message: String
    package var hint: String

    package init(_ kind: Kind, _ level: NodePicture.Level, message: String = "", hint: String = "") {
        self.kind = kind
        self.level = level
        self.message = message
        self.hint = hint
    }

    /// An alert as health tells it.
    package init(alert code: String, _ level: NodePicture.Level, message: String, hint: String) {
        self.init(AlertCode(rawValue: code).map(Kind.alert) ?? .otherAlert, level, message: message, hint: hint)
    }

    package var isAlert: Bool {
        switch kind {
        case .alert, .otherAlert: true
        case .slowDisk, .memory, .processor, .coldCache: false
        }
    }
}

/// The alerts that the pages explain in the reader's language.
package enum AlertCode: String, CaseIterable, Sendable {
    case diskFull = "disk_full"
    case mapFull = "map_full"
    case reserve
    case budget
    case damagedInstances = "damaged_instances"
    case leaseCopy = "lease_copy"
    case clockBehind = "clock_behind"
    case salvaged
    case lastGoodCopy = "last_good_copy"
    case beganEmpty = "began_empty"
    case evidence
    case cloned
    case unreachable
    case deadLetters = "dead_letters"
}

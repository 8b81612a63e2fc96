/// How the node is in the eyes of a person: what the page's sentence says.
package struct Verdict: Equatable, Sendable {
    package enum Finding: Equatable, Sendable {
        case well(services: Int)
        /// Well, and nobody has registered.
        case empty
        /// The node cannot do its work.
        case unwell(Matter.Kind, message: String, hint: String)
        /// It works, and health says that something is over a limit.
        case strained(Matter.Kind, message: String, hint: String)
        /// It works; services are silent or do not answer, the worst of them first.
        case trouble(services: Int, of: Int, first: ServiceMention)
        /// It works; services are late or warn.
        case watch(services: Int, of: Int, first: ServiceMention)
        /// The services could not be read.
        case unreadable
    }

    package let finding: Finding
    /// What else stands further down.
    package let others: Int

    init(_ finding: Finding, others: Int = 0) {
        self.finding = finding
        self.others = others
    }

    /// The worst comes first: a node that cannot work, services that do not answer, limits that are passed, services that are late.
    init(_ node: NodePicture, _ services: ServicesPicture?, _ link: PageLink) {
        let first = ServiceMention(services?.worst?.service ?? "", tenant: services?.worst?.tenant, link)
        let matters = node.matters.sorted { $0.level > $1.level }
        var others = matters.count
        let hasTrouble = (services?.servicesInTrouble ?? 0) > 0
        if let worst = matters.first, worst.level == .unhealthy {
            self.init(
                .unwell(worst.kind, message: worst.message, hint: worst.hint), others: others - 1 + (hasTrouble ? 1 : 0))
            return
        }
        guard let services else {
            self.init(.unreadable, others: others)
            return
        }
        if hasTrouble {
            self.init(
                .trouble(services: services.servicesInTrouble, of: services.services, first: first),
                others: others)
        } else if let worst = matters.first {
            others -= 1
            self.init(
                .strained(worst.kind, message: worst.message, hint: worst.hint), others: others + (services.servicesToWatch > 0 ? 1 : 0))
        } else if services.servicesToWatch > 0 {
            self.init(.watch(services: services.servicesToWatch, of: services.services, first: first))
        } else if services.total == 0 {
            self.init(.empty)
        } else {
            self.init(.well(services: services.services))
        }
    }

    package var mood: Mood {
        switch finding {
        case .well, .empty: .well
        case .strained, .watch, .trouble: .attention
        case .unwell, .unreadable: .trouble
        }
    }
}

/// A service that a sentence names, with the way to its page.
package struct ServiceMention: Equatable, Sendable {
    private let name: String
    private let target: String

    init(_ name: String, tenant: String?, _ link: PageLink) {
        self.name = name
        target = PageLink(place: .service(name), tenant: tenant, language: link.language).target
    }

    var html: HTML { #"<a href="\#(target)">\#(.foreign(name))</a>"# }
}

/// The colour of a state; a word stands beside it always.
package enum Mood: String, Sendable {
    case well, attention, trouble

    init(_ group: Standing.Group) {
        self =
            switch group {
            case .well: .well
            case .attention: .attention
            case .trouble: .trouble
            }
    }
}

/// How one service is.
package enum ServiceVerdict: Equatable, Sendable {
    /// So many instances, the worst of which stands so; at `address` it is asked.
    case one(Standing, name: String, address: String)
    case several(Standing, name: String, troubled: Int, of: Int)
    case fromFile(name: String)

    var mood: Mood {
        switch self {
        case .one(let standing, _, _), .several(let standing, _, _, _): Mood(standing.group)
        case .fromFile: .well
        }
    }
}

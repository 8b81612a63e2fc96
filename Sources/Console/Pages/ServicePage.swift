import Domain
import Store

/// The page of one service: how it is and what to do, then everything that it said of itself.
struct ServicePage {
    let frame: Frame
    let node: NodePicture
    let name: String
    /// The worst first.
    let cards: [InstanceCard]
    let revision: UInt64

    /// - Parameter answer: what the interface says of the service.
    init(frame: Frame, node: NodePicture, name: String, answer: JSONValue, revision: UInt64) {
        self.frame = frame
        self.node = node
        self.name = name
        self.revision = revision
        cards = (answer["instances"].map { Array($0.elements) } ?? []).map(InstanceCard.init).enumerated()
            .sorted { ($0.element.standing, $0.offset) < ($1.element.standing, $1.offset) }.map(\.element)
    }

    func bytes() -> [UInt8] {
        let phrases = frame.phrases
        let verdict = verdict
        let shown = cards.prefix(Limits.consoleInstancesMax)
        let more: HTML? =
            cards.count > shown.count ? #"<p class="quiet">\#(phrases.moreInstances(cards.count - shown.count))</p>"# : nil
        let site = node.facts.site.isEmpty ? node.facts.id : node.facts.site
        return frame.page(
            title: "\(name) · \(site) · Posto", name: site, revision: revision,
            #"""
            <p class="back"><a class="button" href="\#(PageLink(place: .overview, language: frame.link.language).target)">\#(phrases.allServices)</a></p>
            \#(Frame.state(verdict.mood, word: word(verdict), phrases.sentence(verdict)))
            \#(OverviewPage.age(phrases, node.takenAt, frame.link))
            <section id="instances" class="cards" aria-labelledby="instances-title" data-panel>
            <h2 id="instances-title">\#(.foreign(name))</h2>
            \#(shown.enumerated().map { $1.html(number: $0 + 1, phrases) })
            \#(more)
            </section>
            """#)
    }

    private func word(_ verdict: ServiceVerdict) -> String {
        if case .fromFile = verdict { return frame.phrases.fromAFile.capitalizedFirst }
        return frame.phrases.word(cards.first?.standing ?? .unchecked).capitalizedFirst
    }

    private var verdict: ServiceVerdict {
        guard let worst = cards.first else { return .fromFile(name: name) }
        if worst.isStatic { return .fromFile(name: name) }
        if cards.count == 1 { return .one(worst.standing, name: name, address: worst.address) }
        let troubled = cards.count { $0.standing.group == worst.standing.group }
        return .several(worst.standing, name: name, troubled: troubled, of: cards.count)
    }
}

/// One instance as the interface shows it, read from its JSON: the page cannot say another number than the interface.
struct InstanceCard {
    let instance: JSONValue
    let health: Health
    let freshness: Freshness

    init(_ instance: JSONValue) {
        self.instance = instance
        health = instance["health"]?.string.flatMap(Health.init) ?? .unknown
        freshness =
            switch instance["freshness"]?.string {
            case "fresh": .fresh
            case "stale": .stale
            default: .expired
            }
    }

    var standing: Standing { Standing(health, freshness) }
    var isStatic: Bool { instance["source"]?.string == "static" }

    var address: String {
        HostPort.text(instance["host"]?.string ?? "", instance["port"]?.int64 ?? 0) + (instance["health_endpoint"]?.string ?? "")
    }

    func html(number: Int, _ phrases: any Phrases) -> HTML {
        let metadata = instance["metadata"].map { Array($0.members) } ?? []
        let pairs: HTML? =
            metadata.isEmpty
            ? nil
            : #"""
            <h4>\#(phrases.metadata)</h4>
            <dl class="facts metadata">
            \#(metadata.map { Panel.fact(.foreign($0.name), .foreign($0.value.string ?? "")) })</dl>
            """#
        return #"""
            <article class="card" aria-labelledby="instance-\#(number)">
            <h3 id="instance-\#(number)">\#(.foreign(instance["id"]?.string ?? ""))</h3>
            \#(Panel.badges(health, freshness, isStatic: isStatic, ageSeconds: instance["age_seconds"]?.int64 ?? 0, phrases))
            <dl class="facts">
            \#(facts(phrases))</dl>
            \#(pairs)
            </article>

            """#
    }

    private func facts(_ phrases: any Phrases) -> [HTML] {
        func text(_ key: StaticString, _ name: String) -> HTML? {
            instance[key]?.string.map { Panel.fact("\(name)", .foreign($0)) }
        }
        func time(_ key: StaticString, _ name: String) -> HTML? {
            instance[key]?.string.flatMap(Timestamp.init(rfc3339:)).map { Panel.fact("\(name)", Figure.time($0)) }
        }
        func list(_ key: StaticString, _ name: String) -> HTML? {
            guard let elements = instance[key]?.elements else { return nil }
            let items = elements.compactMap(\.string).map { #"<li>\#(.foreign($0))</li>"# as HTML }
            return items.isEmpty ? nil : Panel.fact("\(name)", #"<ul class="tags">\#(items)</ul>"#)
        }
        let language = phrases.language
        let port = instance["port"]?.int64 ?? 0
        return [
            Panel.fact("\(phrases.address)", .foreign(HostPort.text(instance["host"]?.string ?? "", port))),
            text("health_endpoint", phrases.healthEndpoint),
            text("protocol", phrases.transport),
            text("version", phrases.serviceVersion),
            text("tenant", phrases.tenant),
            instance["weight"]?.int64.map { Panel.fact("\(phrases.weight)", "\(Figure.text($0, in: language))") },
            isStatic
                ? nil : instance["ttl_seconds"]?.int64.map { Panel.fact("\(phrases.leaseLength)", "\(Figure.duration(.seconds($0)))") },
            time("expires_at", phrases.leaseEnds),
            time("registered_at", phrases.registeredAt),
            isStatic ? nil : instance["revision"]?.int64.map { Panel.fact("\(phrases.revision)", "\(Figure.text($0, in: language))") },
            list("tags", phrases.tags),
            list("capabilities", phrases.capabilities),
        ].compactMap(\.self)
    }
}

/// `host:port`, an IPv6 address in brackets.
enum HostPort {
    static func text(_ host: String, _ port: some BinaryInteger) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

import Domain
import Store

@testable import Console

/// Nodes and services to make pages of.
enum Sample {
    static let now = Timestamp(milliseconds: 1_795_000_000_000)
    /// What a service may call itself in its free texts.
    static let hostile =
        #"<script>alert(1)</script>"'&amp;<img src=x onerror=y> "# + "\u{202E}gpj.exe\u{2066}\u{7}\u{0}"
        + String(repeating: "é", count: 230)

    static func node(
        _ matters: [Matter] = [], site: String = "Lisboa", uplink: UplinkPicture = .absent, isDevelopment: Bool = false
    ) -> NodePicture {
        NodePicture(
            takenAt: now, level: matters.map(\.level).max() ?? .healthy, matters: matters,
            facts: NodePicture.Facts(
                id: "n1", site: site, tenant: "default", version: "0.1.0", epoch: 3, startedAt: now, uptime: .seconds(90_061)),
            figures: NodePicture.Figures(
                commitMilliseconds: 0.84, storeUsedPercent: 2.34, diskFreeBytes: 69_471_306_752, cpuPercent: 0.5, memoryPercent: 41),
            uplink: uplink, isDevelopment: isDevelopment)
    }

    static func services(_ count: Int, trouble: Int = 0, watch: Int = 0, statics: Int = 0, page: Int = 1) -> ServicesPicture {
        var picture = ServicesPicture()
        picture.revision = 17
        picture.services = count
        picture.instances = count
        picture.statics = statics
        picture.servicesInTrouble = trouble
        picture.servicesToWatch = watch
        picture.standings[Standing.failing.rawValue] = trouble
        picture.standings[Standing.late.rawValue] = watch
        picture.standings[Standing.well.rawValue] = count - trouble - watch
        picture.standings[Standing.unchecked.rawValue] = statics
        if trouble + watch > 0 { picture.worst = ("till-3", nil, trouble > 0 ? .failing : .late) }
        picture.matching = count + statics
        picture.page = page
        let first = (page - 1) * Limits.consoleRowsMax
        picture.rows = (first..<max(first, min(first + Limits.consoleRowsMax, count + statics))).map {
            row("service-\($0)", isStatic: $0 >= count)
        }
        picture.inTrouble = (0..<min(trouble, Limits.consoleTroubleRowsMax)).map { row("bad-\($0)", health: .critical) }
        return picture
    }

    static func row(_ name: String, health: Health = .passing, isStatic: Bool = false) -> ServicesPicture.Row {
        ServicesPicture.Row(
            tenant: nil, service: name, host: "10.0.0.1", port: 9_000, health: health, freshness: .fresh, ageSeconds: 12, isStatic: isStatic
        )
    }

    static let sinks = UplinkPicture.sinks([
        SinkPicture(
            name: "central", link: .waiting, lagRecords: 12_345, lagBytes: 6_789_012, oldestAge: .seconds(7_200), lastAck: now,
            drainEstimate: .seconds(95), deadLetters: 2),
        SinkPicture(
            name: "audit", link: .sending, lagRecords: 0, lagBytes: 0, oldestAge: nil, lastAck: nil, drainEstimate: nil, deadLetters: 0),
        SinkPicture(
            name: hostile, link: .trying, lagRecords: 1, lagBytes: 1, oldestAge: nil, lastAck: nil, drainEstimate: nil, deadLetters: 0),
    ])

    static let everyMatter: [Matter] =
        AlertCode.allCases.map { Matter(.alert($0), .degraded, message: "Said \($0).", hint: "Do \($0).") } + [
            Matter(.slowDisk(61.25), .unhealthy), Matter(.memory(83), .degraded), Matter(.processor(71.5), .degraded),
            Matter(.coldCache(48), .degraded), Matter(alert: "of_tomorrow", .degraded, message: "New words <b>.", hint: "Do this & that."),
        ]

    static func frame(_ language: Language, _ link: PageLink = PageLink(place: .overview)) -> Frame {
        Frame(phrases: language.phrases, assets: Assets(), link: link)
    }

    static func overview(
        _ node: NodePicture, _ services: ServicesPicture?, _ language: Language = .english, _ link: PageLink = PageLink(place: .overview)
    ) -> String {
        let result: Result<ServicesPicture, StoreError> =
            services.map { .success($0) } ?? .failure(StoreError(.corrupted, "read <an instance>"))
        return String(decoding: OverviewPage(frame: frame(language, link), node: node, services: result).bytes(), as: UTF8.self)
    }
}

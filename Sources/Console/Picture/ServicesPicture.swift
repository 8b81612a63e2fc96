import Domain
import Glibc
import Registry
import Store

/// What the pages show of the services: how many are how, the worst of them, and one page of those that were asked for. A value.
struct ServicesPicture: Sendable {
    struct Row: Sendable {
        /// Nil if it is the node's own.
        var tenant: String?
        var service: String
        var host: String
        var port: UInt16
        var health: Health
        var freshness: Freshness
        var ageSeconds: Int64
        var isStatic: Bool

        var standing: Standing { Standing(health, freshness) }
    }

    /// The state of the registry that all of it is at least as new as.
    var revision: UInt64 = 0
    /// Live ones, as health counts them.
    var services = 0
    var instances = 0
    var statics = 0
    /// Instances, static ones included, by `Standing`.
    var standings = [Int](repeating: 0, count: Standing.allCases.count)
    /// Live services with at least one instance in trouble, and with one that needs attention and none in trouble.
    var servicesInTrouble = 0
    var servicesToWatch = 0
    /// The first live service of the worst standing; nil if all are well. The tenant is nil if it is the node's own.
    var worst: (service: String, tenant: String?, standing: Standing)?
    /// The first few instances in trouble, for those who did not ask for anything.
    var inTrouble: [Row] = []

    /// How many fit what was asked for, and those of them that are shown.
    var matching = 0
    var rows: [Row] = []
    /// From 1; the last one if a later one was asked for.
    var page = 1

    var pages: Int { max(1, (matching + Limits.consoleRowsMax - 1) / Limits.consoleRowsMax) }
    var total: Int { instances + statics }

    func count(of group: Standing.Group) -> Int {
        Standing.allCases.reduce(0) { $0 + ($1.group == group ? standings[$1.rawValue] : 0) }
    }
}

/// Takes the picture in one walk.
struct ServicesCamera {
    private let ownTenant: [UInt8]
    private let search: [UInt8]
    private let group: Standing.Group?
    private let wanted: Range<Int>
    private var picture = ServicesPicture()
    private var tenant: [UInt8] = []
    private var service: [UInt8] = []
    private var serviceStanding: Standing?

    static func take(_ registry: ServiceRegistry, _ link: PageLink) throws(StoreError) -> ServicesPicture {
        var camera = ServicesCamera(link, ownTenant: registry.defaultTenant)
        let revision = try registry.walk { camera.take($0) }
        let picture = camera.finish(revision)
        guard picture.page > picture.pages else { return picture }
        var last = link
        last.page = picture.pages
        return try take(registry, last)
    }

    private init(_ link: PageLink, ownTenant: String) {
        self.ownTenant = Array(ownTenant.utf8)
        search = Array(link.search.lowercased().utf8)
        group = link.show
        let first = (link.page - 1) * Limits.consoleRowsMax
        wanted = first..<first + Limits.consoleRowsMax
        picture.page = link.page
    }

    private mutating func take(_ instance: WalkedInstance) {
        let standing = Standing(instance.health, instance.freshness)
        picture.standings[standing.rawValue] += 1
        if instance.isStatic {
            picture.statics += 1
        } else {
            count(instance, standing)
        }
        guard group == nil || standing.group == group, matches(instance) else { return }
        let place = picture.matching
        picture.matching += 1
        guard wanted.contains(place) else { return }
        picture.rows.append(row(instance))
    }

    private func row(_ instance: WalkedInstance) -> ServicesPicture.Row {
        ServicesPicture.Row(
            tenant: tenant(of: instance), service: String(decoding: instance.service, as: UTF8.self),
            host: String(decoding: instance.host, as: UTF8.self), port: instance.port, health: instance.health,
            freshness: instance.freshness, ageSeconds: instance.ageSeconds, isStatic: instance.isStatic)
    }

    private func tenant(of instance: WalkedInstance) -> String? {
        instance.tenant.equals(ownTenant) ? nil : String(decoding: instance.tenant, as: UTF8.self)
    }

    private mutating func count(_ instance: WalkedInstance, _ standing: Standing) {
        picture.instances += 1
        if !instance.service.equals(service) || !instance.tenant.equals(tenant) {
            finishService()
            picture.services += 1
            service = Array(instance.service)
            tenant = Array(instance.tenant)
        }
        serviceStanding = min(serviceStanding ?? standing, standing)
        if standing.group != .well, standing < picture.worst?.standing ?? .unchecked {
            picture.worst = (String(decoding: instance.service, as: UTF8.self), tenant(of: instance), standing)
        }
        if standing.group == .trouble, picture.inTrouble.count < Limits.consoleTroubleRowsMax { picture.inTrouble.append(row(instance)) }
    }

    private mutating func finishService() {
        switch serviceStanding?.group {
        case .trouble: picture.servicesInTrouble += 1
        case .attention: picture.servicesToWatch += 1
        case .well, nil: break
        }
        serviceStanding = nil
    }

    private mutating func finish(_ revision: UInt64) -> ServicesPicture {
        finishService()
        picture.revision = revision
        return picture
    }

    private func matches(_ instance: WalkedInstance) -> Bool {
        guard !search.isEmpty else { return true }
        return instance.service.contains(lowercase: search) || instance.host.contains(lowercase: search)
            || instance.id.contains(lowercase: search)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func equals(_ bytes: [UInt8]) -> Bool {
        guard count == bytes.count, let start = baseAddress else { return count == bytes.count }
        return bytes.withUnsafeBytes { memcmp(start, $0.baseAddress!, count) == 0 }
    }

    /// Whether `text`, in lower case, stands here in any case. ASCII letters only: names and hosts hold no others.
    fileprivate func contains(lowercase text: [UInt8]) -> Bool {
        guard text.count <= count else { return false }
        for start in 0...(count - text.count) {
            var at = 0
            while at < text.count {
                let byte = self[start + at]
                guard (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) == text[at] else { break }
                at += 1
            }
            if at == text.count { return true }
        }
        return false
    }
}

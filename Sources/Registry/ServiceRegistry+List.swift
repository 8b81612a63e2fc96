import Domain
import Store

/// What a list asks for; every filter must hold.
package struct ListQuery: Equatable, Sendable {
    package var tenant: String
    package var tags: [String] = []
    package var capabilities: [String] = []
    package var version: String?
    package var transport: String?
    package var health: Health?
    package var limit = Limits.listPageDefault
    /// The last instance of the page before.
    package var after: ListCursor?

    package init(tenant: String) { self.tenant = tenant }

    var readsMembers: Bool { !tags.isEmpty || !capabilities.isEmpty || version != nil || transport != nil }
}

/// Where a list goes on: behind this instance. Opaque to callers: base 64 (RFC 4648 §5) of service ‖ 0 ‖ id.
package struct ListCursor: Comparable, Sendable {
    package let service: String
    package let id: String

    package init(service: String, id: String) {
        self.service = service
        self.id = id
    }

    package static func < (a: ListCursor, b: ListCursor) -> Bool {
        a.service == b.service ? a.id.utf8.lexicographicallyPrecedes(b.id.utf8) : a.service.utf8.lexicographicallyPrecedes(b.service.utf8)
    }

    package var text: String { Base64URL.encode(Array(service.utf8) + [0] + Array(id.utf8)) }

    package init?(text: String) {
        guard let bytes = Base64URL.decode(text) else { return nil }
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 2, let service = String(validating: parts[0], as: UTF8.self),
            let id = String(validating: parts[1], as: UTF8.self),
            service.utf8.count <= 64, id.utf8.count <= Limits.instanceIDBytesMax
        else { return nil }
        self.init(service: service, id: id)
    }
}

extension ServiceRegistry {
    /// Renders `{"revision":…,"services":[…],"next":…}`, sorted by service, then id. Any thread.
    ///
    /// A page ends early when a filter has looked at `Limits.listRowsMax` instances: it may be short, or empty, and still have a next one.
    package func list(_ query: ListQuery) throws(StoreError) -> (body: [UInt8], revision: UInt64) {
        let revision = self.revision
        let moment = Moment(uptime: time.uptime(), wall: time.timestamp())
        var page = Page(query: query, statics: statics.current.sorted(tenant: query.tenant))
        page.json.beginObject()
        page.json.key("revision"); page.json.unsigned(revision)
        page.json.key("services")
        page.json.beginArray()
        try environment.read { (transaction) throws(StoreError) in
            let prefix = StoreKey(instancesOfTenant: query.tenant)
            var start = StoreKey(instancesOfTenant: query.tenant)
            if let after = query.after {
                start.append(terminated: after.service)
                start.append(after.id.utf8)
            }
            if let after = query.after {
                // The page before may have ended behind live instances that this walk does not meet.
                let service = StoreKey(instancesOf: after.service.utf8, tenant: query.tenant.utf8)
                try InstanceTable.walk(from: service, prefix: service, in: transaction, onDamage: noteDamage) { (_) throws(StoreError) in
                    page.liveService = after.service
                    return false
                }
            }
            try InstanceTable.walk(from: start, prefix: prefix, in: transaction, onDamage: noteDamage) { (instance) throws(StoreError) in
                page.take(instance, self, moment)
            }
        }
        page.takeRemainingStatics()
        page.json.endArray()
        page.json.key("next")
        if let next = page.next { page.json.string(next.text) } else { page.json.null() }
        page.json.endObject()
        return (page.finish(), revision)
    }

    /// A page being filled: live instances as the walk meets them, static ones put in where they belong.
    private struct Page: ~Copyable {
        let query: ListQuery
        var json = JSONWriter(capacity: 16 * 1_024)
        /// Set when the page is full and more may follow.
        var next: ListCursor?
        private var statics: ArraySlice<StaticInstance>
        private var written = 0
        private var looked = 0
        private var last: ListCursor?
        /// The service of which a live instance is known.
        var liveService: String?
        private var isFull = false

        init(query: ListQuery, statics: [StaticInstance]) {
            self.query = query
            self.statics = statics[...]
        }

        /// Takes the next live instance in order; says whether the walk goes on.
        mutating func take(_ instance: StoredInstance, _ registry: ServiceRegistry, _ moment: Moment) -> Bool {
            let place = ListCursor(
                service: String(decoding: instance.service, as: UTF8.self), id: String(decoding: instance.id, as: UTF8.self))
            if let after = query.after, place <= after {
                liveService = place.service
                return true
            }
            takeStatics(before: place.service)
            guard !isFull else { return false }
            liveService = place.service
            guard admit(place) else { return false }
            let row = instance.row
            if let health = query.health, row.health != health { return true }
            if query.readsMembers, !matches(Array(instance.members)) { return true }
            registry.write(instance, registry.appearance(of: row, at: moment), to: &json)
            written += 1
            return true
        }

        consuming func finish() -> [UInt8] { json.finish() }

        mutating func takeRemainingStatics() {
            if !isFull { takeStatics(before: nil) }
        }

        /// Static instances are shown where no live one has their service's name.
        private mutating func takeStatics(before service: String?) {
            while !isFull, let candidate = statics.first {
                if let service, !candidate.service.utf8.lexicographicallyPrecedes(service.utf8) {
                    if candidate.service == service { statics.removeFirst() } else { return }
                    continue
                }
                let place = ListCursor(service: candidate.service, id: candidate.id)
                if candidate.service == liveService || query.after.map({ place <= $0 }) ?? false {
                    statics.removeFirst()
                    continue
                }
                guard admit(place) else { return }
                statics.removeFirst()
                if let health = query.health, health != .unknown { continue }
                if query.readsMembers, !matches(candidate.members) { continue }
                InstanceJSON.writeStatic(members: candidate.members, loadedAt: candidate.loadedAt, to: &json)
                written += 1
            }
        }

        /// Whether there is room to look at one more; if not, the page ends behind the last one looked at.
        private mutating func admit(_ place: ListCursor) -> Bool {
            guard written < query.limit, looked < Limits.listRowsMax else {
                next = last
                isFull = true
                return false
            }
            looked += 1
            last = place
            return true
        }

        private func matches(_ members: [UInt8]) -> Bool {
            guard let document = try? JSONDocument.parse([UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]) else { return false }
            let root = document.root
            func holds(_ key: StaticString, _ wanted: [String]) -> Bool {
                wanted.allSatisfy { wanted in root[key]?.elements.contains { $0.string == wanted } ?? false }
            }
            if let version = query.version, root["version"]?.string != version { return false }
            if let transport = query.transport, root["protocol"]?.string != transport { return false }
            return holds("tags", query.tags) && holds("capabilities", query.capabilities)
        }
    }
}

import Domain
import Store

/// Names an instance: tenant, service and id. As bytes it is what follows the table id in the key of its row:
/// tenant ‖ 0 ‖ service ‖ 0 ‖ id, sorted as lists are shown.
///
/// None of the names can hold a zero byte, so one instance's rows lie together and a prefix never catches a stranger.
package struct InstanceKey: Hashable, Sendable {
    package let bytes: [UInt8]
    /// Where service and id begin.
    private let serviceStart: Int
    private let idStart: Int

    package init(tenant: String, service: String, id: String) {
        var key: [UInt8] = []
        key.reserveCapacity(tenant.utf8.count + service.utf8.count + id.utf8.count + 2)
        key.append(contentsOf: tenant.utf8)
        key.append(0)
        key.append(contentsOf: service.utf8)
        key.append(0)
        key.append(contentsOf: id.utf8)
        self.init(whole: key)
    }

    private init(whole key: [UInt8]) {
        bytes = key
        serviceStart = (key.firstIndex(of: 0) ?? key.count - 1) + 1
        idStart = (key[serviceStart...].firstIndex(of: 0) ?? key.count - 1) + 1
    }

    package init(_ registration: Registration) {
        self.init(tenant: registration.tenant, service: registration.serviceName, id: registration.id)
    }

    /// The key of an instance's first row, table id included; nil for a row that continues another.
    package init?(stored key: UnsafeRawBufferPointer) {
        guard key.first == Table.instances.id, key.count(where: { $0 == 0 }) == 2 else { return nil }
        self.init(whole: Array(key.dropFirst()))
    }

    /// The value of a lease's or an address's row.
    package init(payload: UnsafeRawBufferPointer) { self.init(whole: Array(payload)) }

    package var tenant: String { String(decoding: bytes[..<max(0, serviceStart - 1)], as: UTF8.self) }
    package var service: String { String(decoding: bytes[serviceStart..<max(serviceStart, idStart - 1)], as: UTF8.self) }
    package var id: String { String(decoding: bytes[idStart...], as: UTF8.self) }

    /// `service/id`: the subject of its records.
    package var path: String {
        let count = bytes.count - serviceStart
        return String(unsafeUninitializedCapacity: count) { text in
            _ = text.initialize(fromContentsOf: bytes[serviceStart...])
            if idStart > serviceStart { text[idStart - serviceStart - 1] = UInt8(ascii: "/") }
            return count
        }
    }

    /// See `VersionStripes`.
    package var stripe: UInt64 {
        VersionStripes.hash(tenant: bytes[..<max(0, serviceStart - 1)], service: bytes[serviceStart..<max(serviceStart, idStart - 1)])
    }

    /// Whether both are instances of one service.
    package func isSameService(as other: InstanceKey) -> Bool {
        idStart == other.idStart && bytes[..<idStart] == other.bytes[..<idStart]
    }
}

extension StoreKey {
    package init(instance key: InstanceKey) { self.init(.instances, key.bytes) }

    /// The `number`th row that continues a registration too long for one: the instance's key ‖ 0 ‖ number.
    package init(continuationOf key: InstanceKey, number: UInt8) {
        self.init(.instances, key.bytes)
        append(0 as UInt8)
        append(number)
    }

    /// What every instance of a service begins with.
    package init(instancesOf service: some Sequence<UInt8>, tenant: some Sequence<UInt8>) {
        self.init(.instances, tenant)
        append(0 as UInt8)
        append(service)
        append(0 as UInt8)
    }

    /// What every instance of a tenant begins with.
    package init(instancesOfTenant tenant: String) {
        self.init(.instances)
        append(terminated: tenant)
    }

    /// Who holds an address: host ‖ 0 ‖ port. One holder on the node, whatever the tenant: two services cannot listen on one port.
    package init(host: some Collection<UInt8>, port: UInt16) {
        self.init(.addresses)
        if host.contains(UInt8(ascii: ":")), let address = IPAddress(String(decoding: host, as: UTF8.self)) {
            // An IPv6 address can be written in many ways, and some of them are an IPv4 address.
            append(address.description.utf8)
            append(0 as UInt8)
            append(port)
            return
        }
        // Host names are the same whatever their case (RFC 1123).
        for byte in host { append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte) }
        append(0 as UInt8)
        append(port)
    }

    /// Whose lease a slot of the board is.
    package init(leaseSlot slot: Int) {
        self.init(.leases)
        append(UInt32(slot))
    }
}

import Domain
import Store

/// Key of an instance's row: table id ‖ tenant ‖ 0 ‖ service ‖ 0 ‖ instance id. Sorted as lists are shown.
///
/// None of the names can hold a zero byte, so one instance's rows lie together and a prefix never catches a stranger.
package struct InstanceKey: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(tenant: String, service: String, id: String) {
        var key = InstanceKey.prefix(tenant: tenant, service: service)
        key.append(contentsOf: id.utf8)
        bytes = key
    }

    /// A key as it was stored; nil for a row that continues another or that is no instance.
    package init?(stored: UnsafeRawBufferPointer) {
        guard stored.first == Table.instances.id, stored.count(where: { $0 == 0 }) == 2 else { return nil }
        bytes = Array(stored)
    }

    /// What every instance of a tenant's service begins with.
    package static func prefix(tenant: String, service: String) -> [UInt8] {
        var key = prefix(tenant: tenant)
        key.append(contentsOf: service.utf8)
        key.append(0)
        return key
    }

    package static func prefix(tenant: String) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(tenant.utf8.count + 200)
        key.append(Table.instances.id)
        key.append(contentsOf: tenant.utf8)
        key.append(0)
        return key
    }

    /// Key of the `number`th row that continues a registration too long for one.
    package static func continuation(of key: some Collection<UInt8>, number: UInt8) -> [UInt8] {
        var bytes = Array(key)
        bytes.append(0)
        bytes.append(number)
        return bytes
    }

    package var tenant: String { part(0) }
    package var service: String { part(1) }
    package var id: String { part(2) }

    private func part(_ number: Int) -> String {
        let parts = bytes.dropFirst().split(separator: 0, omittingEmptySubsequences: false)
        return String(decoding: parts[number], as: UTF8.self)
    }
}

/// Key of the row that says who holds an address: table id ‖ host ‖ 0 ‖ port, big-endian. One holder on the node, whatever the tenant:
/// two services cannot listen on one port.
package func addressKey(host: some Sequence<UInt8>, port: UInt16) -> [UInt8] {
    var key: [UInt8] = [Table.addresses.id]
    key.append(contentsOf: host)
    key.append(0)
    key.append(UInt8(port >> 8))
    key.append(UInt8(port & 255))
    return key
}

/// Key of the row that says whose lease a slot of the board is: table id ‖ slot, big-endian.
package func leaseKey(slot: Int) -> [UInt8] {
    let slot = UInt32(slot)
    return [
        Table.leases.id, UInt8(truncatingIfNeeded: slot >> 24), UInt8(truncatingIfNeeded: slot >> 16), UInt8(truncatingIfNeeded: slot >> 8),
        UInt8(truncatingIfNeeded: slot),
    ]
}

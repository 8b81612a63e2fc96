import Domain
import Store

/// What is stored of an instance: a fixed part that decisions read without parsing, the host, and the registration's JSON members.
///
///     0        1       2       3      4     8           10   12    14          15        16            24        32         40            44
///     version  health  lease   parts  slot  generation  ttl  port  hostLength  protocol  registeredAt  revision  renewedAt  memberLength  host members…
///
/// Little-endian (Documentation/FORMATS.md). `parts` rows continue the members of a registration too long for one row.
package struct InstanceRow: Equatable, Sendable {
    package static let version: UInt8 = 1
    package static let fixedSize = 44
    /// Payload of one row: the store's largest value less its header.
    package static let payloadBytesMax = 4_080 - RecordHeader.size

    package var health: Health
    package var isMarkedExpired: Bool
    package var slot: Int
    package var generation: UInt16
    package var ttlSeconds: Int
    package var port: UInt16
    package var transport: ServiceProtocol
    package var registeredAt: Timestamp
    /// Revision of its last change.
    package var revision: UInt64
    /// Wall time of the last renewal that was a change: what is shown when the board was lost.
    package var renewedAt: Timestamp
    package var host: [UInt8]
    /// The registration as `Registration.members()` wrote it.
    package var members: [UInt8]

    package init(
        health: Health, isMarkedExpired: Bool, slot: Int, generation: UInt16, registration: Registration, members: [UInt8],
        registeredAt: Timestamp, revision: UInt64, renewedAt: Timestamp
    ) {
        self.health = health
        self.isMarkedExpired = isMarkedExpired
        self.slot = slot
        self.generation = generation
        ttlSeconds = registration.ttlSeconds
        port = registration.port
        transport = registration.transport
        self.registeredAt = registeredAt
        self.revision = revision
        self.renewedAt = renewedAt
        host = Array(registration.host.utf8)
        self.members = members
    }

    /// The payloads of its row and of those that continue it.
    package func encode() -> (row: [UInt8], continuations: [ArraySlice<UInt8>]) {
        let inline = min(members.count, Self.payloadBytesMax - Self.fixedSize - host.count)
        let rest = members[inline...]
        var continuations: [ArraySlice<UInt8>] = []
        var at = rest.startIndex
        while at < rest.endIndex {
            let end = min(at + Self.payloadBytesMax, rest.endIndex)
            continuations.append(rest[at..<end])
            at = end
        }
        var row: [UInt8] = []
        row.reserveCapacity(Self.fixedSize + host.count + inline)
        row.append(Self.version)
        row.append(health.rawValue)
        row.append(isMarkedExpired ? 1 : 0)
        row.append(UInt8(continuations.count))
        row.append(littleEndian: UInt32(slot))
        row.append(littleEndian: generation)
        row.append(littleEndian: UInt16(ttlSeconds))
        row.append(littleEndian: port)
        row.append(UInt8(host.count))
        row.append(UInt8(ServiceProtocol.allCases.firstIndex(of: transport)!))
        row.append(littleEndian: UInt64(bitPattern: registeredAt.milliseconds))
        row.append(littleEndian: revision)
        row.append(littleEndian: UInt64(bitPattern: renewedAt.milliseconds))
        row.append(littleEndian: UInt32(members.count))
        row.append(contentsOf: host)
        row.append(contentsOf: members[..<inline])
        return (row, continuations)
    }

    /// - Parameter continuation: reads the payload of the numbered row that continues this one; nil if it is not there.
    package init?(payload: UnsafeRawBufferPointer, continuation: (UInt8) -> [UInt8]?) {
        guard let view = InstanceRowView(payload) else { return nil }
        self.init(view, continuation: continuation)
    }

    package init?(_ view: InstanceRowView, continuation: (UInt8) -> [UInt8]?) {
        health = view.health
        isMarkedExpired = view.isMarkedExpired
        slot = view.slot
        generation = view.generation
        ttlSeconds = view.ttlSeconds
        port = view.port
        transport = view.transport
        registeredAt = view.registeredAt
        revision = view.revision
        renewedAt = view.renewedAt
        host = Array(view.host)
        members = Array(view.inlineMembers)
        if view.partCount > 0 {
            for number in 1...view.partCount {
                guard let part = continuation(number) else { return nil }
                members.append(contentsOf: part)
            }
        }
        guard members.count == view.memberLength else { return nil }
    }
}

/// A stored row where it lies: reads without copying. Valid as long as the bytes are.
package struct InstanceRowView {
    private let bytes: UnsafeRawBufferPointer

    package init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= InstanceRow.fixedSize, payload[0] == InstanceRow.version,
            payload.count >= InstanceRow.fixedSize + Int(payload[14]), Health(rawValue: payload[1]) != nil,
            Int(payload[15]) < ServiceProtocol.allCases.count
        else { return nil }
        bytes = payload
    }

    package var health: Health { Health(rawValue: bytes[1])! }
    package var isMarkedExpired: Bool { bytes[2] == 1 }
    package var partCount: UInt8 { bytes[3] }
    package var slot: Int { Int(load(4, UInt32.self)) }
    package var generation: UInt16 { load(8, UInt16.self) }
    package var ttlSeconds: Int { Int(load(10, UInt16.self)) }
    package var port: UInt16 { load(12, UInt16.self) }
    package var transport: ServiceProtocol { ServiceProtocol.allCases[Int(bytes[15])] }
    package var registeredAt: Timestamp { Timestamp(milliseconds: Int64(bitPattern: load(16, UInt64.self))) }
    package var revision: UInt64 { load(24, UInt64.self) }
    package var renewedAt: Timestamp { Timestamp(milliseconds: Int64(bitPattern: load(32, UInt64.self))) }
    package var memberLength: Int { Int(load(40, UInt32.self)) }
    package var host: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[InstanceRow.fixedSize..<InstanceRow.fixedSize + Int(bytes[14])])
    }
    package var inlineMembers: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(InstanceRow.fixedSize + Int(bytes[14]))...])
    }

    private func load<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension [UInt8] {
    package mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

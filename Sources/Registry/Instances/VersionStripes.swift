import Synchronization

/// Says cheaply whether anything about a service may have changed since a copy of it was made.
///
/// A counter each for 1,024 groups of services, chosen by a hash of tenant and name. Who changes or renews an instance counts its
/// group on after the change can be seen; who keeps a rendered copy remembers the count from before it read. A collision costs a
/// needless rendering, never a stale answer.
package final class VersionStripes: Sendable {
    private static let count = 1_024
    private let counters = InlineArray<1_024, Atomic<UInt64>> { _ in Atomic(1) }

    package init() {}

    package func version(of hash: UInt64) -> UInt64 {
        counters[Int(hash & UInt64(Self.count - 1))].load(ordering: .acquiring)
    }

    package func bump(_ hash: UInt64) {
        counters[Int(hash & UInt64(Self.count - 1))].wrappingAdd(1, ordering: .releasing)
    }

    package func bumpAll() {
        for stripe in 0..<UInt64(Self.count) { bump(stripe) }
    }

    /// FNV-1a (Fowler, Noll, Vo) with a final mix, over tenant ‖ 0 ‖ service: names are short and we only need spread.
    package static func hash(tenant: some Sequence<UInt8>, service: some Sequence<UInt8>) -> UInt64 {
        let beginning = Beginning(state: continued(Beginning.offset, tenant))
        // Whole, because a generic function of another module pays for each byte that it asks for.
        return service.withContiguousStorageIfAvailable { beginning.hash(service: $0) }
            ?? Array(service).withUnsafeBufferPointer { beginning.hash(service: $0) }
    }

    private static func continued(_ hash: UInt64, _ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = bytes.withContiguousStorageIfAvailable { fold(hash, $0) } ?? Array(bytes).withUnsafeBufferPointer { fold(hash, $0) }
        hash = hash &* 0x100_0000_01b3
        return hash
    }

    private static func fold(_ start: UInt64, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    /// The hash of tenant ‖ 0, from which those of its services go on.
    package struct Beginning: Sendable {
        fileprivate static let offset: UInt64 = 0xcbf2_9ce4_8422_2325
        fileprivate let state: UInt64

        fileprivate init(state: UInt64) { self.state = state }
        package init(tenant: String) { state = VersionStripes.continued(Self.offset, tenant.utf8) }

        package func hash(service: UnsafeBufferPointer<UInt8>) -> UInt64 {
            let hash = VersionStripes.fold(state, service)
            return hash ^ hash >> 32
        }
    }
}

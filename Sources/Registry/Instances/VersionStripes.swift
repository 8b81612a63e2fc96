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
        let hash = continued(continued(0xcbf2_9ce4_8422_2325, tenant) &* prime, service)
        return hash ^ hash >> 32
    }

    private static let prime: UInt64 = 0x100_0000_01b3

    private static func continued(_ hash: UInt64, _ bytes: some Sequence<UInt8>) -> UInt64 {
        // Whole, because a generic function of another module pays for each byte that it asks for.
        bytes.withContiguousStorageIfAvailable { fold(hash, $0) } ?? Array(bytes).withUnsafeBufferPointer { fold(hash, $0) }
    }

    private static func fold(_ start: UInt64, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* prime }
        return hash
    }
}

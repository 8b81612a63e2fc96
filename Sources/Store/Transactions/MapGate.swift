import Domain
import Glibc
import Synchronization

/// Keeps everybody out of the map while it is moved: LMDB does not look whether somebody reads there (lmdb.h, `mdb_env_set_mapsize`).
///
/// Two atomic additions a read transaction, and nobody ever waits unless the map is moved, which is once an hour at most.
final class MapGate: Sendable {
    private let inside = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    /// Waits while it is closed.
    @inline(__always)
    func enter() {
        while true {
            // First in, then look: whoever closes first closes, then looks who is in. So one of the two sees the other.
            inside.add(1, ordering: .sequentiallyConsistent)
            if !isClosed.load(ordering: .sequentiallyConsistent) { return }
            leave()
            poll(nil, 0, 1)
        }
    }

    @inline(__always)
    func leave() { inside.subtract(1, ordering: .sequentiallyConsistent) }

    /// Runs `body` while nobody is inside; nil if somebody stayed longer than `Limits.mapGateWait`. Only on the writer's thread, between two
    /// transactions.
    func closed<R>(_ body: () -> R) -> R? {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        defer { isClosed.store(false, ordering: .sequentiallyConsistent) }
        let deadline = bootNanoseconds() + UInt64(Limits.mapGateWait.wholeMilliseconds) * 1_000_000
        while inside.load(ordering: .sequentiallyConsistent) > 0 {
            guard bootNanoseconds() < deadline else { return nil }
            poll(nil, 0, 1)
        }
        return body()
    }
}

import CLMDB
import Domain
import Synchronization

/// When a map that is full may grow: at most once an hour. A value.
///
/// The map is four budgets, so this does not happen unless pages leak; but a full map refuses everything, deletions too.
package struct MapGrowth: Equatable, Sendable {
    /// How often the map was found full and was grown.
    package private(set) var count = 0
    private var last: Uptime?

    package init() {}

    package func mayGrow(now: Uptime) -> Bool { last.map { now >= $0 + Limits.mapGrowthPause } ?? true }

    package mutating func grew(now: Uptime) {
        count += 1
        last = now
    }
}

extension StoreEnvironment {
    /// How often the map had to grow since the start. Any thread.
    package var mapGrowthCount: Int { mapGrowth.withLock { $0.count } }

    /// Makes the map larger, if it may. On the writer's thread, between two transactions.
    ///
    /// - Returns: whether it is.
    func growMap(now: Uptime) -> Bool {
        guard mapGrowth.withLock({ $0.mayGrow(now: now) }) else { return false }
        let isGrown = gate.closed {
            var info = MDB_envinfo()
            guard mdb_env_info(handle, &info) == 0 else { return false }
            return mdb_env_set_mapsize(handle, Int(info.me_mapsize) + Limits.mapGrowthBytes) == 0
        }
        guard isGrown == true else { return false }
        mapGrowth.withLock { $0.grew(now: now) }
        return true
    }
}

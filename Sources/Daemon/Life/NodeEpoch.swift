import Domain
import Store

/// Decides the lowest epoch that a node may begin in, from how its environments were opened.
///
/// An epoch is part of every record's id. Where records were lost their numbers will be given again, and only another epoch keeps the new ones
/// apart from those that the central plane has. One epoch holds for all environments of the node.
enum NodeEpoch {
    static func lowest(_ environments: [(environment: StoreEnvironment, opening: StoreOpening)]) throws(StoreError) -> UInt32 {
        var stored: [UInt32] = []
        for (environment, _) in environments {
            let identity = try environment.read { (transaction) throws(StoreError) in try StoreIdentity.read(transaction) }
            stored.append(identity?.epoch ?? 0)
        }
        return lowest(stored: stored, openings: environments.map(\.opening))
    }

    /// - Parameter stored: what each environment holds now, after its repair; 0 if it holds none.
    static func lowest(stored: [UInt32], openings: [StoreOpening]) -> UInt32 {
        var lowest = max(1, stored.max() ?? 1)
        for opening in openings {
            switch opening {
            // A restore writes a new epoch by itself.
            case .sound, .lastGoodCopy: break
            case .salvaged(let report, _): lowest = max(lowest, UInt32(clamping: report.epoch))
            case .empty: break
            }
        }
        // Nothing is left that could tell which epochs there were.
        if openings.contains(where: { if case .empty = $0 { true } else { false } }) { lowest += Limits.epochsUnknownMax + 1 }
        return lowest
    }
}

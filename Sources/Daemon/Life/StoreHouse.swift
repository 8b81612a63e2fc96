import Crypto
import Domain
import Glibc
import Registry
import ServiceManager
import Store

/// The two environments of a node, opened: `state.mdb` with everything that shares a transaction with state, `bulk.mdb` with the rest.
package struct StoreHouse {
    package let state: StoreEnvironment
    package let bulk: StoreEnvironment
    package let stateJournal: Journal
    package let bulkJournal: Journal
    package let identity: StoreIdentity
    package let openings: [(name: String, opening: StoreOpening)]

    /// Streams of this priority and above lie in `bulk.mdb`.
    static let bulkPriority = RecordPriority.telemetry

    /// Checks both environments in child processes, repairs what is damaged, and opens them. Before the first thread.
    package static func open(
        _ configuration: Configuration, folder: borrowing StateDirectory, time: TimeSource, log: Log
    ) throws(DaemonFailure) -> StoreHouse {
        let policies = streamPolicies(configuration)
        let statePolicies = policies.filter { $0.priority < bulkPriority }
        let bulkPolicies = policies.filter { $0.priority >= bulkPriority }
        let (stateBudget, bulkBudget) = budgets(configuration.store.sizeMaxBytes)
        let stateOpening = try prepare("state.mdb", statePolicies, folder, time, log)
        let bulkOpening = try prepare("bulk.mdb", bulkPolicies, folder, time, log)
        let storeFolder = folder.storeFolder
        do throws(StoreError) {
            let state = try StoreEnvironment.open(
                StoreEnvironment.Options(
                    path: storeFolder + "/state.mdb", budgetBytes: stateBudget, preallocate: true,
                    ballastBytes: min(Int(clamping: configuration.store.ballastBytes), stateBudget),
                    diskFreeBytesMin: diskFreeBytesMin(storeFolder)))
            let bulk = try StoreEnvironment.open(
                StoreEnvironment.Options(
                    path: storeFolder + "/bulk.mdb", budgetBytes: bulkBudget, tables: [.meta, .streams, .cursors, .dedup, .dedupByAge, .checkpoints],
                    diskFreeBytesMin: diskFreeBytesMin(storeFolder)))
            let identity = try StoreIdentity.loadOrCreate(
                in: state, nodeID: configuration.node.id.isEmpty ? nil : configuration.node.id, proposedNodeID: proposedNodeID(),
                epochMin: try NodeEpoch.lowest([(state, stateOpening), (bulk, bulkOpening)]), now: time.timestamp(),
                randomBytes: randomBytes)
            let stateJournal = try openJournal(
                state, identity, statePolicies, stateOpening,
                floors: { () throws(StoreError) in
                    ["state": try InstanceIndex.highestRevision(in: state)]
                })
            if case .salvaged = stateOpening { try replay(state, log) }
            precondition(stateJournal.stream("state") == .state && stateJournal.stream("audit") == .audit, "the first streams are not ours")
            _ = try StoreIdentity.loadOrCreate(
                in: bulk, nodeID: identity.nodeID, proposedNodeID: identity.nodeID, epoch: identity.epoch, now: time.timestamp(),
                randomBytes: randomBytes)
            let bulkJournal = try openJournal(bulk, identity, bulkPolicies, bulkOpening, floors: { [:] })
            return StoreHouse(
                state: state, bulk: bulk, stateJournal: stateJournal, bulkJournal: bulkJournal, identity: identity,
                openings: [("state.mdb", stateOpening), ("bulk.mdb", bulkOpening)])
        } catch {
            throw DaemonFailure(error, storeFolder)
        }
    }

    /// After a salvage: rows lay on other pages than the records of their changes, and either may have been lost alone.
    private static func replay(_ state: StoreEnvironment, _ log: Log) throws(StoreError) {
        let report = try InstanceReplay.run(in: state)
        try InstanceIndex.rebuild(in: state)
        log.warning(
            "store", "instances_replayed",
            [
                "restored": .integer(report.restored), "removed": .integer(report.removed),
                "unreadable_records": .integer(report.unreadable),
            ])
    }

    /// After a repair the streams' rows are brought in line with their records first.
    private static func openJournal(
        _ environment: StoreEnvironment, _ identity: StoreIdentity, _ policies: [StreamPolicy], _ opening: StoreOpening,
        floors: () throws(StoreError) -> [String: UInt64]
    ) throws(StoreError) -> Journal {
        let journal = try Journal.open(environment, nodeID: identity.nodeID, epoch: identity.epoch, policies: policies)
        switch opening {
        case .sound, .empty: return journal
        case .salvaged, .lastGoodCopy:
            try Journal.reconcile(environment, floors: try floors())
            return try Journal.open(environment, nodeID: identity.nodeID, epoch: identity.epoch, policies: policies)
        }
    }

    private static func prepare(
        _ name: String, _ policies: [StreamPolicy], _ folder: borrowing StateDirectory, _ time: TimeSource, _ log: Log
    ) throws(DaemonFailure) -> StoreOpening {
        let streams = policies.enumerated().map { Table.stream(UInt8($0.offset), named: $0.element.name) }
        let place = StoreLadder.Place(
            stateDirectory: folder.path, name: name, streams: streams, formatVersion: StoreFormat.currentVersion)
        do throws(StoreError) {
            return try StoreLadder.prepare(place, now: time.timestamp()) { sentence in
                log.warning("store", "recovery", ["step": .text(sentence)])
            }
        } catch {
            throw DaemonFailure(error, place.path)
        }
    }

    /// Below this the disk counts as full. On a small file system a sixteenth of it: the usual bound would be most of what it has.
    private static func diskFreeBytesMin(_ folder: String) -> Int {
        var answer = statvfs()
        guard statvfs(folder, &answer) == 0 else { return Limits.diskFreeBytesMin }
        return min(Limits.diskFreeBytesMin, max(1 << 20, Int(answer.f_blocks) * Int(answer.f_frsize) / 16))
    }

    /// A quarter for the state, which is kept in preallocated space: 1 GiB by default.
    static func budgets(_ sizeMax: UInt64) -> (state: Int, bulk: Int) {
        let size = Int(clamping: sizeMax)
        let state = max(size / 4, 16 << 20)
        return (state, max(size - state, 16 << 20))
    }

    static func streamPolicies(_ configuration: Configuration) -> [StreamPolicy] {
        let (stateBudget, _) = budgets(configuration.store.sizeMaxBytes)
        // The order gives `state` and `audit` their numbers at the first start; they keep them for ever.
        var policies = [
            StreamPolicy(name: "state", priority: .state, bytesMax: UInt64(stateBudget / 4), ageMax: .seconds(90 * 86_400)),
            StreamPolicy(
                name: "audit", priority: .audit, bytesMax: UInt64(stateBudget / 4), ageMax: .seconds(90 * 86_400), isChained: true),
        ]
        for stream in configuration.streams {
            policies.append(
                StreamPolicy(
                    name: stream.name, priority: RecordPriority(rawValue: UInt8(stream.priority))!, bytesMax: stream.bytesMax,
                    ageMax: stream.ageMax, whenFull: stream.whenFull == .dropOldest ? .dropOldest : .rejectNew))
        }
        return policies
    }

    /// Random, so that two nodes made from one image differ.
    private static func proposedNodeID() -> String {
        randomBytes(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

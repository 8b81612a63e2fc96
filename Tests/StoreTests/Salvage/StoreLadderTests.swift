import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

@Suite("the ladder of a damaged store")
struct StoreLadderTests {
    init() { #expect(CareWarmUp.done) }

    private let now = Timestamp(milliseconds: 1_795_233_699_000)

    private func place(_ folder: CareFolder) -> StoreLadder.Place {
        StoreLadder.Place(stateDirectory: folder.path, name: "state.mdb", streams: CareStore.tables, formatVersion: 1)
    }

    @discardableResult
    private func makeStore(_ path: String, format: UInt32 = 1) -> [[UInt8]: [UInt8]] {
        let store = CareStore(path, format: format)
        store.write { store in for number in 0..<2_000 { store.register(number, [UInt8](repeating: 9, count: 100)) } }
        store.close()
        return store.model
    }

    @Test("every event has its step")
    func decisions() {
        var kept = SalvageReport()
        kept.kept = 5
        let header = BackupHeader(
            storeID: Identifier16(high: 1, low: 2), nodeID: "branch-7", epoch: 1, created: now, revision: 9)
        func steps(_ events: StoreLadder.Event...) -> StoreLadder.Action {
            var ladder = StoreLadder()
            var action = StoreLadder.Action.setAside
            for event in events { action = ladder.next(event) }
            return action
        }
        #expect(steps(.checked(.sound)) == .open(.sound))
        #expect(steps(.checked(.missing)) == .open(.sound))
        #expect(steps(.checked(.damaged("x"))) == .salvage)
        #expect(steps(.checked(.damaged("x")), .salvaged(.done(kept))) == .open(.salvaged(kept, reason: "x")))
        #expect(steps(.checked(.damaged("x")), .salvaged(.done(SalvageReport()))) == .restoreLastGoodCopy)
        #expect(steps(.checked(.damaged("x")), .salvaged(.failed("y"))) == .restoreLastGoodCopy)
        #expect(steps(.checked(.damaged("x")), .salvaged(.failed("y")), .restored(header)) == .open(.lastGoodCopy(at: now, reason: "x; y")))
        #expect(steps(.checked(.damaged("x")), .salvaged(.failed("y")), .restored(nil)) == .setAside)
        #expect(steps(.checked(.damaged("x")), .salvaged(.failed("y")), .restored(nil), .setAside) == .open(.empty(reason: "x; y")))
        for (event, code) in [
            (StoreLadder.Event.checked(.newerFormat(7)), StoreError.Code.newerFormat), (.checked(.busy), .locked),
            (.checked(.unreadable("z")), .system), (.salvaged(.noRoom), .full),
        ] {
            guard case .refuse(code, let hint) = steps(event), !hint.isEmpty else {
                Issue.record("\(event)")
                continue
            }
        }
    }

    @Test("a sound store is opened as it is, and a missing one too")
    func sound() throws {
        let folder = CareFolder()
        #expect(try StoreLadder.prepare(place(folder), now: now) { _ in } == .sound)
        makeStore(folder.file("store/state.mdb"))
        let before = CareFile.read(folder.file("store/state.mdb"))
        #expect(try StoreLadder.prepare(place(folder), now: now) { _ in } == .sound)
        #expect(CareFile.read(folder.file("store/state.mdb")) == before)
        #expect(place(folder).evidence.list().isEmpty)
    }

    @Test("a damaged store is salvaged, and becomes evidence with its lock file and a report")
    func salvaged() throws {
        let folder = CareFolder()
        let model = makeStore(folder.file("store/state.mdb"))
        CareFile.overwrite(folder.file("store/state.mdb"), at: 0, with: [UInt8](repeating: 0, count: 4_096))
        CareFile.write([1, 2, 3], to: folder.file("store/state.mdb-lock"))
        let damaged = CareFile.read(folder.file("store/state.mdb"))
        var steps: [String] = []
        let opening = try StoreLadder.prepare(place(folder), now: now) { steps.append($0) }
        guard case .salvaged(let report, let reason) = opening else {
            Issue.record("\(opening)")
            return
        }
        #expect(report.kept == UInt64(model.count) && reason.contains("meta page 0"))
        #expect(steps.count >= 3)
        let set = try #require(place(folder).evidence.list().first)
        #expect(set.folder.hasSuffix("/evidence/20261121T040139Z-state.mdb"))
        #expect(CareFile.read(set.folder + "/state.mdb") == damaged)
        #expect(CareFile.read(set.folder + "/state.mdb-lock") == [1, 2, 3])
        #expect(String(decoding: CareFile.read(set.folder + "/report.json"), as: UTF8.self).contains("\"kept\":\(model.count)"))
        #expect(!FileBytes.exists(folder.file("store/state.mdb-lock")) && !FileBytes.exists(folder.file("store/state.mdb.next")))
        #expect(try StoreLadder.prepare(place(folder), now: now) { _ in } == .sound)
        let found = CareStore.contents(folder.file("store/state.mdb"))
        #expect(found.filter { $0.key != IdentityRow.epoch.key } == model.filter { $0.key != IdentityRow.epoch.key })
    }

    @Test("when nothing can be salvaged the last good copy is taken, and without one the store begins empty")
    func lastGoodCopyAndEmpty() throws {
        let folder = CareFolder()
        let path = folder.file("store/state.mdb")
        CareFile.write([UInt8](repeating: 0xEE, count: 100_000), to: path)
        guard case .empty = try StoreLadder.prepare(place(folder), now: now, log: { _ in }) else {
            Issue.record("not empty")
            return
        }
        #expect(!FileBytes.exists(path))
        #expect(place(folder).evidence.list().count == 1)

        let store = CareStore(folder.file("other.mdb"))
        store.write { store in for number in 0..<50 { store.register(number, [1]) } }
        let header = BackupHeader(
            storeID: Identifier16(high: 1, low: 2), nodeID: "branch-7", epoch: 3,
            created: Timestamp(milliseconds: 5_000), revision: store.revision)
        let tables = CareStore.tables.map { (table: $0, dbi: store.dbis[$0.id]!) }
        _ = try store.read { (t) throws(StoreError) in try Backup.write(t, tables: tables, header: header, to: place(folder).lastGoodCopy) }
        CareFile.write([UInt8](repeating: 0xEE, count: 100_000), to: path)
        guard case .lastGoodCopy(Timestamp(milliseconds: 5_000), _) = try StoreLadder.prepare(place(folder), now: now, log: { _ in }) else {
            Issue.record("not from the copy")
            return
        }
        #expect(place(folder).evidence.list().count == 2)
        let found = CareStore.contents(path)
        #expect(found.filter { $0.key != IdentityRow.epoch.key } == store.model.filter { $0.key != IdentityRow.epoch.key })
    }

    @Test("a newer store is refused untouched, with a hint")
    func newer() throws {
        let folder = CareFolder()
        makeStore(folder.file("store/state.mdb"), format: 9)
        let before = CareFile.read(folder.file("store/state.mdb"))
        let error = #expect(throws: StoreError.self) { try StoreLadder.prepare(place(folder), now: now) { _ in } }
        #expect(error?.code == .newerFormat && error?.operation.contains("install") == true)
        #expect(CareFile.read(folder.file("store/state.mdb")) == before)
        #expect(!FileBytes.exists(folder.file("evidence")))
    }

    @Test("a crash between the steps of a swap leaves the old store or the new one")
    func interruptedSwap() throws {
        let folder = CareFolder()
        let swap = StoreSwap(path: folder.file("store/state.mdb"))
        // Finished, and the old one already renamed away.
        CareFile.write([1], to: swap.next)
        #expect(try swap.finishInterrupted())
        #expect(CareFile.read(swap.path) == [1] && !FileBytes.exists(swap.next))
        // Finished, and the old one still there: it is judged anew.
        CareFile.write([2], to: swap.next)
        CareFile.write([3], to: swap.building)
        #expect(try !swap.finishInterrupted())
        #expect(CareFile.read(swap.path) == [1] && !FileBytes.exists(swap.next) && !FileBytes.exists(swap.building))
    }
}

import CLMDB
import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

extension CareStore: BackupSource {
    var backupTables: [(table: Table, dbi: MDB_dbi)] { Self.tables.map { (table: $0, dbi: dbis[$0.id]!) } }

    func withTransaction<R>(_ body: (OpaquePointer) throws(StoreError) -> R) throws(StoreError) -> R { try read(body) }
}

@Suite("backup and restore")
struct BackupTests {
    init() { #expect(CareWarmUp.done) }

    private let now = Timestamp(milliseconds: 1_795_233_699_000)
    private let storeID = Identifier16(high: 0x0707_0707_0707_0707, low: 0x0707_0707_0707_0707)

    private func header(_ store: CareStore, epoch: UInt32 = 3) -> BackupHeader {
        BackupHeader(
            storeID: storeID, nodeID: "branch-7", epoch: epoch, created: Timestamp(milliseconds: 77),
            revision: store.revision)
    }

    private func makeStore(_ path: String, records: Int = 2_500, seed: UInt64 = 1) -> CareStore {
        let store = CareStore(path)
        var random = CareRandom(seed: seed)
        store.write { store in
            for number in 0..<records { store.register(number, random.bytes(Int.random(in: 0...300, using: &random))) }
            store.append(CareStore.events, 1, random.bytes(4_000))
        }
        return store
    }

    private func place(_ folder: CareFolder) -> StoreLadder.Place {
        StoreLadder.Place(stateDirectory: folder.path, name: "state.mdb", streams: CareStore.tables, formatVersion: 1)
    }

    private func epoch(_ path: String) -> UInt32? {
        CareStore.contents(path)[IdentityRow.epoch.key].flatMap { IdentityRow.number(Array($0.dropFirst(RecordHeader.size))) }
    }

    @Test("a restored store holds every record of the backup under a new epoch, and the old store is evidence")
    func roundTrip() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"))
        let model = store.model
        let summary = try Backup.write(store, header: header(store), to: folder.file("b"))
        #expect(summary.records == UInt64(model.count) && summary.tables == 5 && summary.bytes == FileBytes.size(folder.file("b")))
        #expect(!FileBytes.exists(folder.file("b.partial")))
        // What came after the backup is lost by a restore, but kept as evidence.
        store.write { $0.register(9_999, [1, 2, 3]) }
        store.close()
        let later = CareFile.read(folder.file("store/state.mdb"))
        #expect(
            try Restore.run(folder.file("b"), onto: place(folder), expecting: storeID, now: now) == header(store).replacingRevision(2_500))
        let found = CareStore.contents(folder.file("store/state.mdb"))
        #expect(found.filter { $0.key != IdentityRow.epoch.key } == model.filter { $0.key != IdentityRow.epoch.key })
        #expect(epoch(folder.file("store/state.mdb")) == 4)
        let evidence = place(folder).evidence.list()
        #expect(evidence.count == 1 && CareFile.read(evidence[0].folder + "/state.mdb") == later)
        #expect(try StoreCheck.run(path: folder.file("store/state.mdb"), formatVersion: 1) == .sound)
        // The same backup again: numbers are given a third time, so the epoch must differ from both.
        _ = try Restore.run(folder.file("b"), onto: place(folder), expecting: nil, now: now)
        #expect(epoch(folder.file("store/state.mdb")) == 5)
        #expect(place(folder).evidence.list().count == 2)
    }

    @Test("a backup sees one moment, whatever is written meanwhile")
    func oneMoment() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"))
        let model = store.model
        try store.read { (transaction) throws(StoreError) in
            store.write { store in for number in 0..<1_000 { store.register(number, [4]) } }
            _ = try Backup.write(transaction, tables: store.backupTables, header: header(store), to: folder.file("b"))
        }
        _ = try Restore.run(
            folder.file("b"), onto: StoreLadder.Place(stateDirectory: folder.path, name: "new.mdb", streams: [], formatVersion: 1),
            expecting: nil, now: now)
        let found = CareStore.contents(folder.file("store/new.mdb"))
        #expect(found.filter { $0.key != IdentityRow.epoch.key } == model.filter { $0.key != IdentityRow.epoch.key })
    }

    @Test("a backup with any byte changed is refused, and the store is untouched")
    func flipped() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 40)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        store.close()
        let before = CareFile.read(folder.file("store/state.mdb"))
        var bytes = CareFile.read(folder.file("b"))
        for at in Array(0..<200) + Array(stride(from: 200, to: bytes.count - 200, by: 17)) + Array(bytes.count - 200..<bytes.count) {
            bytes[at] ^= 0x10
            CareFile.write(bytes, to: folder.file("c"))
            bytes[at] ^= 0x10
            let error = #expect(throws: StoreError.self, "byte \(at)") { try Restore.verify(folder.file("c"), expecting: storeID) }
            #expect([.corrupted, .newerFormat].contains(error?.code), "byte \(at)")
        }
        CareFile.write(Array(bytes.dropLast(9)) + [1] + bytes.suffix(8), to: folder.file("c"))
        #expect(throws: StoreError.self) { try Restore.run(folder.file("c"), onto: place(folder), expecting: storeID, now: now) }
        #expect(CareFile.read(folder.file("store/state.mdb")) == before)
        #expect(!FileBytes.exists(folder.file("evidence")))
    }

    @Test("a backup cut off anywhere, or with something behind it, is refused")
    func cutOff() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 40)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        let bytes = CareFile.read(folder.file("b"))
        for count in Array(0..<150) + Array(stride(from: 150, to: bytes.count, by: 61)) + [bytes.count - 1] {
            CareFile.write(Array(bytes.prefix(count)), to: folder.file("c"))
            #expect(throws: StoreError.self, "\(count) bytes") { try Restore.verify(folder.file("c"), expecting: nil) }
        }
        CareFile.write(bytes + [0], to: folder.file("c"))
        #expect(throws: StoreError.self) { try Restore.verify(folder.file("c"), expecting: nil) }
        #expect(try Restore.verify(folder.file("b"), expecting: nil).records == UInt64(store.model.count))
    }

    @Test("a backup of another store, a newer one and another kind of file are refused with a sentence")
    func foreign() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 40)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        let other = #expect(throws: StoreError.self) { try Restore.verify(folder.file("b"), expecting: Identifier16(high: 1, low: 1)) }
        #expect(other?.operation.contains("another store") == true)
        var bytes = CareFile.read(folder.file("b"))
        bytes[8] = 3
        var checksum = bytes.withUnsafeBytes { posto_crc32c(0, $0.baseAddress, 308) }.littleEndian
        withUnsafeBytes(of: &checksum) { bytes.replaceSubrange(308..<312, with: $0) }
        CareFile.write(bytes, to: folder.file("c"))
        let newer = #expect(throws: StoreError.self) { try Restore.verify(folder.file("c"), expecting: nil) }
        #expect(newer?.code == .newerFormat && newer?.operation.contains("format 3") == true)
        let file = #expect(throws: StoreError.self) { try Restore.verify(folder.file("store/state.mdb"), expecting: nil) }
        #expect(file?.operation.contains("no backup") == true)
        #expect(throws: StoreError.self) { try Restore.verify(folder.path, expecting: nil) }
    }

    private func bulkPlace(_ folder: CareFolder) -> StoreLadder.Place {
        StoreLadder.Place(stateDirectory: folder.path, name: "bulk.mdb", streams: CareStore.tables, formatVersion: 1)
    }

    private func fullHeader(_ store: CareStore) -> BackupHeader {
        BackupHeader(
            storeID: storeID, nodeID: "branch-7", epoch: 3, created: Timestamp(milliseconds: 77), revision: store.revision, holdsBulk: true)
    }

    @Test("both environments come back under one new epoch above every one that was used, and both old ones are evidence")
    func bulk() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 300)
        let bulk = makeStore(folder.file("store/bulk.mdb"), records: 700, seed: 2)
        let (model, bulkModel) = (store.model, bulk.model)
        let summary = try Backup.write(store, bulk: bulk, header: fullHeader(store), to: folder.file("b"))
        #expect(summary.records == UInt64(model.count + bulkModel.count) && summary.tables == 10)
        store.write { $0.register(9_999, [1]) }
        bulk.write { $0.register(9_998, [2]) }
        store.close()
        bulk.close()
        for round in 1...2 as ClosedRange<UInt32> {
            #expect(
                try Restore.run(folder.file("b"), onto: place(folder), bulk: bulkPlace(folder), expecting: storeID, now: now).holdsBulk)
            for (name, model) in [("state", model), ("bulk", bulkModel)] {
                let path = folder.file("store/\(name).mdb")
                let found = CareStore.contents(path)
                #expect(found.filter { $0.key != IdentityRow.epoch.key } == model.filter { $0.key != IdentityRow.epoch.key })
                #expect(epoch(path) == 3 + round)
                #expect(try StoreCheck.run(path: path, formatVersion: 1) == .sound)
            }
            #expect(place(folder).evidence.list().count == Int(2 * round))
        }
        // A place for the state alone takes the state alone: the copy from which a start begins.
        let before = CareFile.read(folder.file("store/bulk.mdb"))
        _ = try Restore.run(folder.file("b"), onto: place(folder), expecting: nil, now: now)
        #expect(CareFile.read(folder.file("store/bulk.mdb")) == before)
    }

    @Test("a backup of the state alone, as older versions wrote it, leaves bulk as it is and takes an epoch above it")
    func stateAlone() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 30)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        store.close()
        let bulk = makeStore(folder.file("store/bulk.mdb"), records: 20)
        bulk.close()
        // Bulk is ahead, as after a restore that was interrupted.
        _ = try Restore.run(
            folder.file("b"), onto: StoreLadder.Place(stateDirectory: folder.path, name: "bulk.mdb", streams: [], formatVersion: 1),
            expecting: nil, now: now)
        let ahead = try #require(epoch(folder.file("store/bulk.mdb")))
        let before = CareFile.read(folder.file("store/bulk.mdb"))
        #expect(CareFile.read(folder.file("b"))[8] == 1)
        #expect(try !Restore.run(folder.file("b"), onto: place(folder), bulk: bulkPlace(folder), expecting: nil, now: now).holdsBulk)
        #expect(CareFile.read(folder.file("store/bulk.mdb")) == before)
        #expect(try #require(epoch(folder.file("store/state.mdb"))) > ahead)
    }

    @Test("a backup of both is refused with any byte changed, cut off, or with its second part missing or twice; nothing is touched")
    func bulkDamaged() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 20)
        let bulk = makeStore(folder.file("store/bulk.mdb"), records: 20, seed: 3)
        _ = try Backup.write(store, bulk: bulk, header: fullHeader(store), to: folder.file("b"))
        _ = try Backup.write(store, header: header(store), to: folder.file("s"))
        store.close()
        bulk.close()
        let bytes = CareFile.read(folder.file("b"))
        let before = CareFile.read(folder.file("store/state.mdb")) + CareFile.read(folder.file("store/bulk.mdb"))
        for at in stride(from: 0, to: bytes.count, by: 37) {
            var changed = bytes
            changed[at] ^= 0x10
            CareFile.write(changed, to: folder.file("c"))
            #expect(throws: StoreError.self, "byte \(at)") { try Restore.verify(folder.file("c"), expecting: nil) }
            CareFile.write(Array(bytes.prefix(at)), to: folder.file("c"))
            #expect(throws: StoreError.self, "\(at) bytes") { try Restore.verify(folder.file("c"), expecting: nil) }
        }
        // Each header with the body of the other.
        CareFile.write(Array(bytes[..<312]) + CareFile.read(folder.file("s"))[312...], to: folder.file("c"))
        #expect(throws: StoreError.self) { try Restore.verify(folder.file("c"), expecting: nil) }
        CareFile.write(Array(CareFile.read(folder.file("s"))[..<312]) + bytes[312...], to: folder.file("c"))
        #expect(throws: StoreError.self) {
            try Restore.run(folder.file("c"), onto: place(folder), bulk: bulkPlace(folder), expecting: nil, now: now)
        }
        #expect(CareFile.read(folder.file("store/state.mdb")) + CareFile.read(folder.file("store/bulk.mdb")) == before)
        #expect(!FileBytes.exists(folder.file("evidence")))
    }

    @Test("an open store is not replaced")
    func busy() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("source.mdb"), records: 40)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        let open = CareStore(folder.file("store/state.mdb"), locks: true)
        let error = #expect(throws: StoreError.self) { try Restore.run(folder.file("b"), onto: place(folder), expecting: nil, now: now) }
        #expect(error?.code == .locked)
        open.close()
    }

    @Test("a backup that cannot be written leaves the older one, and a damaged record is not backed up")
    func failures() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 40)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        let before = CareFile.read(folder.file("b"))
        store.write { $0.putRaw([Table.instances.id, 1], [1, 2, 3]) }
        let error = #expect(throws: StoreError.self) { try Backup.write(store, header: header(store), to: folder.file("b")) }
        #expect(error?.code == .corrupted)
        #expect(CareFile.read(folder.file("b")) == before && !FileBytes.exists(folder.file("b.partial")))
        #expect(throws: StoreError.self) { try Backup.write(store, header: header(store), to: "/none/b") }
    }

    @Test("killing a restore at any moment leaves the old store or the new one")
    func killed() throws {
        let folder = CareFolder()
        let store = makeStore(folder.file("store/state.mdb"), records: 1_500)
        _ = try Backup.write(store, header: header(store), to: folder.file("b"))
        let model = store.model
        store.write { $0.register(9_999, [1]) }
        let later = store.model
        store.close()
        var random = CareRandom(seed: 8)
        var finished = 0
        for _ in 0..<25 {
            let child = posto_fork()
            if child == 0 {
                posto_die_quietly()
                // The locks of other tests' stores would last as long as this child.
                _ = posto_close_from(3)
                _exit((try? Restore.run(folder.file("b"), onto: place(folder), expecting: nil, now: now)) != nil ? 0 : 1)
            }
            // The moment of the kill is told by what the child has done, not by a clock.
            var left = Int.random(in: 0...12, using: &random)
            var seen = FolderPicture(place(folder).path)
            var status: Int32 = 0
            var hasEnded = false
            while left > 0, !hasEnded {
                let now = FolderPicture(place(folder).path)
                if now != seen { left -= 1 }
                seen = now
                hasEnded = waitpid(child, &status, WNOHANG) == child
            }
            if !hasEnded {
                kill(child, SIGKILL)
                waitpid(child, &status, 0)
            }
            if status == 0 { finished += 1 }
            #expect(try StoreLadder.prepare(place(folder), now: now) { _ in } == .sound)
            let found = CareStore.contents(folder.file("store/state.mdb")).filter { $0.key != IdentityRow.epoch.key }
            #expect(found == model.filter { $0.key != IdentityRow.epoch.key } || found == later.filter { $0.key != IdentityRow.epoch.key })
        }
        print("\(finished) of 25 restores were finished before the kill")
    }
}

extension BackupHeader {
    fileprivate func replacingRevision(_ revision: UInt64) -> BackupHeader {
        BackupHeader(storeID: storeID, nodeID: nodeID, epoch: epoch, created: created, revision: revision, holdsBulk: holdsBulk)
    }
}

/// The files beside a store, with their sizes and times: what changes while a restore goes on.
private struct FolderPicture: Equatable {
    private var lines: Set<String> = []

    init(_ store: String) {
        let folder = String(store[..<store.lastIndex(of: "/")!])
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0 else { continue }
            lines.insert("\(name) \(status.st_ino) \(status.st_blocks) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)")
        }
    }
}

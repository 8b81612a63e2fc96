import CPlatform
import CLMDB
import Domain
import Glibc
import Store
import Synchronization
import Testing

@Suite("The environment")
struct EnvironmentTests {
    func bytes(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        precondition(file >= 0)
        defer { close(file) }
        var status = stat()
        fstat(file, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = read(file, &bytes, bytes.count)
        precondition(count == bytes.count)
        return bytes
    }

    @Test("a file that is open is not opened again, by whatever name")
    func secondOpen() throws {
        let folder = TemporaryFolder()
        let store = try TestStore(in: folder)
        #expect(link(folder.file("state.mdb"), folder.file("other.mdb")) == 0)
        for name in ["state.mdb", "other.mdb"] {
            #expect {
                _ = try StoreEnvironment.open(.init(path: folder.file(name), budgetBytes: 1 << 20))
            } throws: {
                ($0 as? StoreError)?.code == .locked
            }
        }
        #expect(try store.environment.usage().usedPages > 2)
    }

    @Test("it can be opened again once it was closed")
    func reopen() throws {
        let folder = TemporaryFolder()
        for _ in 0..<3 { _ = try TestStore(in: folder) }
    }

    @Test("a store of a newer format is refused, and no byte of it or beside it changes")
    func newerFormat() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder)
            try store.environment.write { (transaction) throws(StoreError) in
                try transaction.put(.meta, StoreKey(.meta, [1]), [2, 0, 0, 0], revision: 0)
            }
        }
        unlink(folder.file("state.mdb-lock"))
        let before = bytes(of: folder.file("state.mdb"))
        #expect(try StoreFormat.inspect(folder.file("state.mdb")) == .newer(version: 2))
        #expect {
            _ = try TestStore(in: folder)
        } throws: {
            ($0 as? StoreError)?.code == .newerFormat
        }
        #expect(bytes(of: folder.file("state.mdb")) == before)
        #expect(access(folder.file("state.mdb-lock"), F_OK) != 0)
    }

    @Test("a file that is no store is refused as corrupted and kept as it is")
    func foreignFile() throws {
        let folder = TemporaryFolder()
        let path = folder.file("state.mdb")
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        let content = [UInt8](repeating: 0x41, count: 20_000)
        #expect(write(file, content, content.count) == content.count)
        close(file)
        #expect {
            _ = try TestStore(in: folder)
        } throws: {
            ($0 as? StoreError)?.code == .corrupted
        }
        #expect(bytes(of: path) == content)
    }

    @Test("an empty file, as a crash at the first start leaves it, becomes a store")
    func emptyFile() throws {
        let folder = TemporaryFolder()
        close(open(folder.file("state.mdb"), O_WRONLY | O_CREAT, 0o600))
        #expect(try TestStore(in: folder).run(.put("a", [1])) == .committed)
    }

    @Test("the file and its lock belong to the owner alone")
    func mode() throws {
        let folder = TemporaryFolder()
        let store = try TestStore(in: folder)
        for name in ["state.mdb", "state.mdb-lock"] {
            var status = stat()
            #expect(stat(folder.file(name), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
        withExtendedLifetime(store) {}
    }

    @Test("identity is given once; another node or a restore begins a new epoch")
    func identity() throws {
        let folder = TemporaryFolder()
        let environment = try StoreEnvironment.open(.init(path: folder.file("a.mdb"), budgetBytes: 1 << 20))
        func load(_ node: String?, seed: UInt8) throws -> StoreIdentity {
            try StoreIdentity.loadOrCreate(
                in: environment, nodeID: node, proposedNodeID: "proposed", now: Timestamp(milliseconds: Int64(seed)),
                randomBytes: { [UInt8](repeating: seed, count: $0) })
        }
        let first = try load(nil, seed: 1)
        #expect(first.nodeID == "proposed" && first.epoch == 1 && first.storeID == [UInt8](repeating: 1, count: 16))
        #expect(try load(nil, seed: 2) == first)
        #expect(try load("proposed", seed: 2) == first)
        let other = try load("branch-7", seed: 3)
        #expect(other.nodeID == "branch-7" && other.epoch == 2 && other.storeID == first.storeID && other.created == first.created)
        #expect(try StoreIdentity.renewEpoch(in: environment).epoch == 3)
        #expect(environment.epoch == 3)
    }

    @Test("the lag of the oldest reader is counted in commits, and gone with the reader")
    func readerLag() throws {
        let store = try TestStore()
        #expect(try store.environment.usage().oldestReaderLag == 0)
        let lag = try store.environment.read { (_) throws(StoreError) in
            for i in 0..<5 { try store.run(.put("k", [UInt8(i)])) }
            return try store.environment.usage().oldestReaderLag
        }
        #expect(lag == 5)
        #expect(try store.environment.usage().oldestReaderLag == 0)
        #expect(store.environment.checkReaders() == 0)
    }

    @Test("used and free pages are all pages of the file")
    func pages() throws {
        let store = try TestStore()
        for i in 0..<200 { try store.run(.put("key\(i)", [UInt8](repeating: 1, count: 900))) }
        for i in 0..<150 {
            try store.run(
                TestRequest(releasesSpace: true) { (context) throws(StoreError) in
                    try context.transaction.delete(.things, StoreKey(.things, Array("key\(i)".utf8)))
                })
        }
        let usage = try store.environment.usage()
        #expect(usage.freePages > 30)
        #expect((usage.usedPages + usage.freePages) * 4_096 >= usage.fileBytes)
    }

    @Test("preallocation keeps room for the budget, and at most half of what is free")
    func preallocation() throws {
        let roomy = try TestStore(budgetBytes: 32 << 20, preallocate: true)
        let usage = try roomy.environment.usage()
        #expect(usage.reserve == StoreReserve(method: .preallocated, wantedBytes: 32 << 20, reservedBytes: 32 << 20))
        #expect(usage.allocatedBytes >= 32 << 20)
        #expect(usage.fileBytes < 1 << 20)

        let disk = ManualDisk()
        disk.free.store(10 << 20, ordering: .relaxed)
        let tight = try TestStore(budgetBytes: 32 << 20, preallocate: true, disk: disk.disk)
        #expect(try tight.environment.usage().reserve.reservedBytes == (5 << 20) + 8_192)
        #expect(try !tight.environment.usage().reserve.isComplete)
        disk.free.store(1 << 40, ordering: .relaxed)
        tight.environment.reserve.maintain()
        #expect(try tight.environment.usage().reserve.isComplete)
    }

    @Test("where the file system cannot preallocate, a ballast file grows step by step")
    func ballast() throws {
        let disk = ManualDisk()
        disk.preallocation.store(EOPNOTSUPP, ordering: .relaxed)
        let folder = TemporaryFolder()
        let store = try TestStore(in: folder, budgetBytes: 160 << 20, preallocate: true, disk: disk.disk)
        #expect(try store.environment.usage().reserve == StoreReserve(method: .ballast, wantedBytes: 8 << 20, reservedBytes: 4 << 20))
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.isComplete)
        var status = stat()
        #expect(stat(folder.file("state.mdb.ballast"), &status) == 0)
        #expect(status.st_size == 8 << 20)
    }

    @Test("on a small disk the reserve leaves what the disk must have to count as having room; the ballast stands in until it is whole")
    func smallDisk() throws {
        let disk = ManualDisk()
        disk.free.store(3 << 20, ordering: .relaxed)
        let folder = TemporaryFolder()
        let store = try TestStore(
            in: folder, budgetBytes: 32 << 20, preallocate: true, ballastBytes: 1 << 20, disk: disk.disk, diskFreeBytesMin: 1 << 20)
        #expect(
            try store.environment.usage().reserve
                == StoreReserve(method: .preallocated, wantedBytes: 32 << 20, reservedBytes: (1 << 20) + 8_192))
        var status = stat()
        #expect(stat(folder.file("state.mdb.ballast"), &status) == 0 && status.st_size == 1 << 20)
        disk.free.store(2 << 20, ordering: .relaxed)
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.reservedBytes == (1 << 20) + 8_192)
        disk.free.store(1 << 40, ordering: .relaxed)
        store.environment.reserve.maintain()
        #expect(try store.environment.usage().reserve.isComplete)
        #expect(stat(folder.file("state.mdb.ballast"), &status) != 0, "room is kept twice")
    }
}

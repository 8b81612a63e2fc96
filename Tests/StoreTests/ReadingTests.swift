import CPlatform
import Domain
import Glibc
import Store
import Testing

@Suite("Reading beside a daemon")
struct ReadingTests {
    func fill(_ store: TestStore, _ count: Int) throws {
        for _ in 0..<count {
            let answer = try store.run(
                TestRequest { (context) throws(StoreError) in
                    let draft = EventDraft(type: "posto.test", tenant: "default", priority: .audit)
                    _ = try context.append(context.journal.stream("audit")!, draft) { json, seq in json.unsigned(seq) }
                })
            #expect(answer == .committed)
        }
    }

    /// Runs `body` in a child while `meanwhile` runs here: between the byte that the child sends and the one that it waits for.
    func beside(_ body: (_ synchronize: () -> Void) -> Int32, meanwhile: () throws -> Void) throws -> Int32 {
        var ready: [Int32] = [-1, -1]
        var goOn: [Int32] = [-1, -1]
        #expect(posto_pipe(&ready) == 0 && posto_pipe(&goOn) == 0)
        let child = posto_fork()
        if child == 0 {
            posto_die_quietly()
            // The locks of other tests' stores would last as long as this child.
            for file in Int32(3)..<1_024 where file != ready[1] && file != goOn[0] { close(file) }
            alarm(20)
            _exit(
                body {
                    var byte: UInt8 = 1
                    _ = write(ready[1], &byte, 1)
                    _ = read(goOn[0], &byte, 1)
                })
        }
        close(ready[1])
        var byte: UInt8 = 0
        if read(ready[0], &byte, 1) == 1 { try meanwhile() }
        _ = write(goOn[1], &byte, 1)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {}
        for file in [ready[0], goOn[0], goOn[1]] { close(file) }
        return status & 0x7F == 0 ? status >> 8 : 128 + status & 0x7F
    }

    @Test("a reader sees its moment while the writer goes on, and the writer leaves it its pages")
    func besideWriter() throws {
        let store = try TestStore()
        try fill(store, 3)
        let path = store.environment.path
        let audit = store.audit
        let status = try beside({ synchronize in
            do throws(StoreError) {
                let reader = try StoreEnvironment.openForReading(path)
                let last = try reader.read { (transaction) throws(StoreError) in
                    synchronize()
                    return try transaction.scan(audit, after: 0) { (_) throws(StoreError) in true }
                }
                let verification = try JournalVerifier.verify(audit, in: reader)
                return last == 3 && verification.finding == .intact && verification.last == 203 ? 0 : 1
            } catch {
                return 2
            }
        }) {
            try fill(store, 200)
            #expect(try store.environment.usage().oldestReaderLag == 200)
        }
        #expect(status == 0)
        #expect(try store.environment.usage().oldestReaderLag == 0)
    }

    @Test("a reader cannot write")
    func writes() throws {
        let folder = TemporaryFolder()
        do { _ = try TestStore(in: folder) }
        let reader = try StoreEnvironment.openForReading(folder.file("state.mdb"))
        #expect(throws: StoreError.self) {
            try reader.write { (transaction) throws(StoreError) in try transaction.put(.meta, StoreKey(.meta, [9]), [1], revision: 0) }
        }
    }

    @Test("a store that only somebody reads is not busy: a node can start on it")
    func readerIsNotBusy() throws {
        let folder = TemporaryFolder()
        let path = folder.file("state.mdb")
        do { _ = try TestStore(in: folder) }
        let reader = try StoreEnvironment.openForReading(path)
        #expect(try StoreCheck.run(path: path, formatVersion: StoreFormat.currentVersion) == .sound)
        let status = try beside({ _ in
            do throws(StoreError) {
                let writer = try StoreEnvironment.open(.init(path: path, budgetBytes: 64 << 20))
                try writer.write { (transaction) throws(StoreError) in try transaction.put(.meta, StoreKey(.meta, [9]), [1], revision: 0) }
                return 0
            } catch {
                return 1
            }
        }) {}
        #expect(status == 0)
        let seen = try reader.read { (transaction) throws(StoreError) in try transaction.contains(.meta, StoreKey(.meta, [9])) }
        #expect(seen)
    }

    @Test("what is not there is not made, and a newer store stays as it is")
    func createsNothing() throws {
        let folder = TemporaryFolder()
        let path = folder.file("state.mdb")
        #expect {
            _ = try StoreEnvironment.openForReading(path)
        } throws: {
            ($0 as? StoreError)?.number == ENOENT
        }
        #expect(access(path, F_OK) != 0 && access(path + "-lock", F_OK) != 0)
        do {
            let store = try TestStore(in: folder)
            try store.environment.write { (transaction) throws(StoreError) in
                try transaction.put(.meta, StoreKey(.meta, [1]), [2, 0, 0, 0], revision: 0)
            }
        }
        unlink(path + "-lock")
        #expect {
            _ = try StoreEnvironment.openForReading(path)
        } throws: {
            ($0 as? StoreError)?.code == .newerFormat
        }
        #expect(access(path + "-lock", F_OK) != 0)
    }
}

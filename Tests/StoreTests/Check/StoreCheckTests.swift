import CLMDB
import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

@Suite("the check at open")
struct StoreCheckTests {
    init() { #expect(CareWarmUp.done) }

    private func makeStore(_ path: String, records: Int = 3_000, format: UInt32 = 1) {
        let store = CareStore(path, format: format)
        store.write { store in
            for number in 0..<records { store.register(number, [UInt8](repeating: UInt8(number & 0xFF), count: 200)) }
        }
        store.write { store in for number in 0..<100 { store.remove(number) } }
        store.close()
    }

    @Test("a sound store is judged sound at every point of a churn, and no byte of it changes", arguments: [1, 2, 3] as [UInt64])
    func churn(seed: UInt64) throws {
        print("seed \(seed)")
        let folder = CareFolder()
        let path = folder.file("state.mdb")
        var random = CareRandom(seed: seed)
        var store = CareStore(path)
        var present: Set<Int> = []
        var sequence: UInt64 = 0
        for commit in 0..<3_500 {
            store.write { store in
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let number = Int.random(in: 0..<800, using: &random)
                    if present.contains(number), Bool.random(using: &random) {
                        store.remove(number)
                        present.remove(number)
                    } else {
                        store.register(number, random.bytes(Int.random(in: 1...4_000, using: &random)))
                        present.insert(number)
                    }
                }
                sequence += 1
                store.append(CareStore.events, sequence, [UInt8](repeating: 1, count: Int.random(in: 1...3_000, using: &random)))
                let mark = store.trimmed[CareStore.events.id] ?? 0
                if sequence > mark + 300 { store.trim(CareStore.events, through: sequence - UInt64.random(in: 1...200, using: &random)) }
            }
            if commit % 50 == 7 {
                #expect(try StoreCheck.run(path: path, formatVersion: 1) == .sound, "seed \(seed), commit \(commit)")
            }
            if commit % 1_000 == 999 {
                let (model, revision, trimmed) = (store.model, store.revision, store.trimmed)
                store.close()
                #expect(CareStore.contents(path) == model)
                let before = CareFile.read(path)
                #expect(try StoreCheck.run(path: path, formatVersion: 1) == .sound)
                #expect(CareFile.read(path) == before)
                #expect(!FileBytes.exists(path + "-lock"))
                store = CareStore(path)
                store.revision = revision
                store.trimmed = trimmed
                present = Set((0..<800).filter { model[CareStore.row($0)] != nil })
                store.adopt(model)
            }
        }
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let name: String
        let apply: @Sendable (String) -> Void
        var testDescription: String { name }
    }

    static let damages: [Damage] = [
        Damage(name: "meta page 0 zeroed") { CareFile.overwrite($0, at: 0, with: [UInt8](repeating: 0, count: 4_096)) },
        Damage(name: "meta page 1 zeroed") { CareFile.overwrite($0, at: 4_096, with: [UInt8](repeating: 0, count: 4_096)) },
        Damage(name: "the transaction number of a meta page changed") { CareFile.overwrite($0, at: 16 + 128, with: [9, 9, 9]) },
        Damage(name: "cut in half") { path in truncate(path, off_t(FileBytes.size(path)! / 8_192 * 4_096)) },
        Damage(name: "cut in the second page") { truncate($0, 5_000) },
        Damage(name: "every data page zeroed") { path in
            CareFile.overwrite(path, at: 8_192, with: [UInt8](repeating: 0, count: FileBytes.size(path)! - 8_192))
        },
        Damage(name: "every data page random") { path in
            var random = CareRandom(seed: 5)
            CareFile.overwrite(path, at: 8_192, with: random.bytes(FileBytes.size(path)! - 8_192))
        },
        Damage(name: "another kind of file") { CareFile.write(Array("hello, this is no store at all\n".utf8), to: $0) },
    ]

    @Test("damage is a verdict with a reason", arguments: damages)
    func damaged(_ damage: Damage) throws {
        let folder = CareFolder()
        let path = folder.file("state.mdb")
        makeStore(path)
        damage.apply(path)
        let verdict = try StoreCheck.run(path: path, formatVersion: 1)
        guard case .damaged(let reason) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("one flipped bit in one of the last 1,000 records of a stream is found")
    func flippedBit() throws {
        let folder = CareFolder()
        let path = folder.file("state.mdb")
        let store = CareStore(path)
        store.write { store in
            for sequence in 1...5_000 as ClosedRange<UInt64> {
                store.append(CareStore.events, sequence, Array("event-\(sequence)-here".utf8))
            }
        }
        store.close()
        let bytes = CareFile.read(path)
        for (number, isFound) in [(4_500, true), (2_000, false)] {
            let needle = Array("event-\(number)-here".utf8)
            let at = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
            CareFile.overwrite(path, at: at, with: [bytes[at] ^ 1])
            let verdict = try StoreCheck.run(path: path, formatVersion: 1)
            // What a start does not need is left to the scrub.
            #expect((verdict == .damaged("a record of table stream-events has changed")) == isFound, "\(verdict)")
            CareFile.overwrite(path, at: at, with: [bytes[at]])
        }
    }

    @Test("a store of a later format is refused, and so is one of a later LMDB")
    func newer() throws {
        let folder = CareFolder()
        makeStore(folder.file("a.mdb"), format: 2)
        #expect(try StoreCheck.run(path: folder.file("a.mdb"), formatVersion: 1) == .newerFormat(2))
        #expect(try StoreCheck.run(path: folder.file("a.mdb"), formatVersion: 2) == .sound)
        makeStore(folder.file("b.mdb"))
        CareFile.overwrite(folder.file("b.mdb"), at: 16 + 4, with: [2, 0, 0, 0])
        CareFile.overwrite(folder.file("b.mdb"), at: 4_096 + 16 + 4, with: [2, 0, 0, 0])
        #expect(try StoreCheck.run(path: folder.file("b.mdb"), formatVersion: 1) == .newerFormat(2))
    }

    @Test("no file and an empty file are a beginning")
    func missing() throws {
        let folder = CareFolder()
        #expect(try StoreCheck.run(path: folder.file("none.mdb"), formatVersion: 1) == .missing)
        CareFile.write([], to: folder.file("empty.mdb"))
        #expect(try StoreCheck.run(path: folder.file("empty.mdb"), formatVersion: 1) == .missing)
    }

    @Test("a store that is open is busy, and the check does not take its lock away")
    func busy() throws {
        let folder = CareFolder()
        let store = CareStore(folder.file("state.mdb"), locks: true)
        #expect(try StoreCheck.run(path: folder.file("state.mdb"), formatVersion: 1) == .busy)
        #expect(try StoreCheck.run(path: folder.file("state.mdb"), formatVersion: 1) == .busy)
        store.close()
        #expect(try StoreCheck.run(path: folder.file("state.mdb"), formatVersion: 1) == .sound)
    }

    @Test("a child that hangs, crashes or talks without end is a verdict")
    func children() throws {
        let hung = try ChildProcess.run(seconds: 1) { _ in while true { pause() } }
        #expect(StoreCheck.verdict(hung.end, "") == .damaged("the check did not end in time"))
        let crashed = try ChildProcess.run(seconds: 10) { _ in kill(getpid(), SIGSEGV) }
        #expect(StoreCheck.verdict(crashed.end, "") == .damaged("the check was ended by signal \(SIGSEGV)"))
        let loud = try ChildProcess.run(seconds: 10) { answer in
            for _ in 0..<200 { answer.send([UInt8](repeating: 65, count: 4_096)) }
            return 0
        }
        #expect(loud.answer.count == Limits.childAnswerBytesMax && loud.end == .exited(0))
    }

    @Test("the check takes 20 ms at most, whatever the size")
    func duration() throws {
        // 2.3 GiB by POSTO_BIG=1, else a tenth of it: the time does not depend on it.
        let records: UInt64 = getenv("POSTO_BIG") != nil ? 600_000 : 60_000
        let folder = CareFolder()
        let path = folder.file("state.mdb")
        let store = CareStore(path)
        let body = [UInt8](repeating: 5, count: 4_000)
        for start in stride(from: 1 as UInt64, through: records, by: 10_000) {
            store.write { store in
                for sequence in start..<start + 10_000 { store.append(CareStore.events, sequence, body) }
            }
            store.forget()
        }
        store.write { store in for number in 0..<2_000 { store.register(number, [UInt8](repeating: 3, count: 300)) } }
        store.close()
        let times = try (0..<9).map { _ in
            let start = ContinuousClock.now
            let verdict = try StoreCheck.run(path: path, formatVersion: 1)
            #expect(verdict == .sound)
            return ContinuousClock.now - start
        }
        print("check of \(FileBytes.size(path)! >> 20) MiB: \(times.min()!), median \(times.sorted()[4])")
        // 20 ms when it has the machine to itself, which it has not among other tests.
        #expect(times.min()! <= .milliseconds(getenv("POSTO_BIG") != nil ? 20 : 200))
    }
}

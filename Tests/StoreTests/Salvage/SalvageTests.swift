import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

/// A store of more than 50,000 records with a past: trimmed streams, removed and rewritten rows, freed pages.
enum SalvageFixture {
    struct Made: Sendable {
        let bytes: [UInt8]
        let model: [[UInt8]: [UInt8]]
        /// Every value a key ever had.
        let history: [[UInt8]: Set<[UInt8]>]
        let trimmed: UInt64
    }

    static let made: Made = {
        let folder = CareFolder()
        let store = CareStore(folder.file("state.mdb"))
        var random = CareRandom(seed: 42)
        store.keepsHistory = true
        var sequence: UInt64 = 0
        // One pattern for all bodies: their bytes need not be random, their lengths must.
        let pattern = random.bytes(8_000)
        func body(_ length: Int) -> [UInt8] {
            let start = Int.random(in: 0..<4_000, using: &random)
            return Array(pattern[start..<start + length])
        }
        for round in 0..<12 {
            if round % 2 == 1, round < 11 { store.write { $0.trim(CareStore.events, through: UInt64(round) * 1_800) } }
            for _ in 0..<10 {
                store.write { store in
                    for _ in 0..<150 {
                        store.register(Int.random(in: 0..<6_000, using: &random), body(Int.random(in: 40...300, using: &random)))
                    }
                    for _ in 0..<450 {
                        sequence += 1
                        let length = sequence % 50 == 0 ? 3_000 : Int.random(in: 20...200, using: &random)
                        store.append(CareStore.events, sequence, body(length))
                    }
                }
            }
            store.write { store in
                let rows = store.model.keys.filter { $0[0] == Table.instances.id }.sorted { $0.lexicographicallyPrecedes($1) }
                for row in rows.shuffled(using: &random).prefix(100) {
                    store.remove(Int(String(decoding: row.drop { $0 != UInt8(ascii: "-") }.dropFirst(), as: UTF8.self))!)
                }
            }
        }
        // The last trimming leaves pages that nothing has used again; its mark is carried by what is appended after it.
        store.write { $0.trim(CareStore.events, through: 20_000) }
        for _ in 0..<3 {
            store.write { store in
                sequence += 1
                store.append(CareStore.events, sequence, [1])
            }
        }
        let (model, trimmed) = (store.model, store.trimmed[CareStore.events.id]!)
        store.close()
        return Made(bytes: CareFile.read(folder.file("state.mdb")), model: model, history: store.history, trimmed: trimmed)
    }()

    /// Which of the model's records stand on which pages, as they stand in the file; a record on an overflow page needs two.
    static let places: [[UInt8]: [[Int]]] = {
        let folder = CareFolder()
        CareFile.write(made.bytes, to: folder.file("sound.mdb"))
        // SAFETY: the line above wrote the file; without it there is nothing to test, and the trap names the error.
        let file = try! PageFile.open(folder.file("sound.mdb"))
        var places: [[UInt8]: [[Int]]] = [:]
        for number in 2..<file.pageCount {
            let page = file.page(number)
            guard page.isSane(number: UInt64(number), kinds: [PageLayout.leaf]) else { continue }
            for index in 0..<page.nodeCount {
                guard let node = page.node(index), node.flags != PageLayout.subtree, let (key, value) = file.record(node) else { continue }
                guard made.model[[UInt8](key)].map({ $0.elementsEqual(value) }) ?? false else { continue }
                let overflow = node.flags == PageLayout.bigData ? [Int(node.inline(8)!.loadUnaligned(as: UInt64.self))] : []
                places[[UInt8](key), default: []].append([number] + overflow)
            }
        }
        return places
    }()
}

@Suite("salvage", .serialized)
struct SalvageTests {
    init() { #expect(CareWarmUp.done) }

    enum Kind: String, CaseIterable, Sendable { case random, zero, flipped }

    /// Smashes pages and returns their numbers.
    private func smash(_ path: String, pages: [Int], _ kind: Kind, _ random: inout CareRandom) {
        for page in pages {
            switch kind {
            case .random: CareFile.overwrite(path, at: page * 4_096, with: random.bytes(4_096))
            case .zero: CareFile.overwrite(path, at: page * 4_096, with: [UInt8](repeating: 0, count: 4_096))
            case .flipped: CareFile.overwrite(path, at: page * 4_096 + Int.random(in: 0..<4_088, using: &random), with: random.bytes(8))
            }
        }
    }

    private func sequence(of key: [UInt8]) -> UInt64 { key.withUnsafeBytes { JournalMarks.sequence($0)! } }

    /// Compares what was salvaged with what was committed, record for record.
    private func judge(_ path: String, smashed: Set<Int>, _ title: String) throws {
        let made = SalvageFixture.made
        let target = path + ".out"
        guard case .done(let report) = try Salvage.run(path, into: target, streams: CareStore.tables, formatVersion: 1) else {
            Issue.record("\(title): nothing was salvaged")
            return
        }
        let found = CareStore.contents(target)
        // A record whose every copy touches a smashed page may be missing; nothing else may.
        var (expected, recovered) = (0, 0)
        for (key, value) in made.model where key[0] != Table.meta.id {
            let survives = SalvageFixture.places[key]!.contains { !$0.contains(where: smashed.contains) }
            if survives { expected += 1 }
            if found[key] == value { recovered += 1 } else if survives { Issue.record("\(title): a record of table \(key[0]) is missing") }
        }
        // The trim mark that at least one whole page still carries.
        var mark: UInt64 = 0
        for (key, value) in made.model where key[0] == CareStore.events.id {
            guard SalvageFixture.places[key]!.contains(where: { !$0.contains(where: smashed.contains) }) else { continue }
            mark = max(mark, value.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: RecordHeader.size, as: UInt64.self) })
        }
        // What is there too much may only be an older version of a row whose newest version or removal was smashed.
        let removals = made.model.filter { $0.key[0] == CareStore.state.id && $0.value[2] & 16 != 0 }
        var resurrected = 0
        for (key, value) in found where key[0] != Table.meta.id && made.model[key] != value {
            if key[0] == CareStore.events.id, sequence(of: key) <= made.trimmed { continue }
            #expect(key[0] < 128 && made.history[key]?.contains(value) ?? false, "\(title): a record that never was")
            let newest = made.model[key].map { _ in SalvageFixture.places[key]! }
            let tombs =
                newest
                ?? removals.filter { $0.value.dropLast(2).suffix(key.count).elementsEqual(key) }.flatMap { SalvageFixture.places[$0.key]! }
            #expect(tombs.contains { $0.contains(where: smashed.contains) }, "\(title): a removed row came back")
            resurrected += 1
        }
        for key in found.keys where key[0] == CareStore.events.id {
            #expect(sequence(of: key) > mark, "\(title): a trimmed record came back")
        }
        #expect(UInt64(found.count) >= report.kept && report.epoch >= 4)
        let share = Double(recovered) / Double(made.model.count)
        print(
            "\(title): \(recovered) of \(made.model.count) (\(share)), \(expected) on whole pages, \(resurrected) older; \(report.summary)")
        #expect(recovered >= expected)
        #expect(try StoreCheck.run(path: target, formatVersion: 1) == .sound)
    }

    @Test("a sound store is salvaged whole, and nothing that was removed or trimmed comes back")
    func whole() throws {
        #expect(SalvageFixture.made.model.count >= 50_000)
        let folder = CareFolder()
        CareFile.write(SalvageFixture.made.bytes, to: folder.file("s.mdb"))
        try judge(folder.file("s.mdb"), smashed: [], "sound")
        let found = CareStore.contents(folder.file("s.mdb.out"))
        #expect(found.filter { $0.key[0] != Table.meta.id } == SalvageFixture.made.model.filter { $0.key[0] != Table.meta.id })
        let epoch = try #require(found[IdentityRow.epoch.key])
        #expect(Array(epoch.dropFirst(RecordHeader.size)) == IdentityRow.bytes(4))
        #expect(CareFile.read(folder.file("s.mdb")) == SalvageFixture.made.bytes)
    }

    @Test("meta pages are not needed", arguments: [[0], [0, 1]])
    func metaPages(pages: [Int]) throws {
        let folder = CareFolder()
        CareFile.write(SalvageFixture.made.bytes, to: folder.file("s.mdb"))
        var random = CareRandom(seed: 7)
        smash(folder.file("s.mdb"), pages: pages, .random, &random)
        try judge(folder.file("s.mdb"), smashed: Set(pages), "meta pages \(pages)")
    }

    @Test(
        "what is lost is what lay on the smashed pages",
        arguments: [(.random, 1), (.random, 10), (.random, 100), (.zero, 10), (.zero, 100), (.flipped, 1), (.flipped, 100)] as [(Kind, Int)]
    )
    func pages(kind: Kind, count: Int) throws {
        let seed = UInt64(count + kind.rawValue.count)
        let folder = CareFolder()
        CareFile.write(SalvageFixture.made.bytes, to: folder.file("s.mdb"))
        var random = CareRandom(seed: seed)
        var pages: Set<Int> = []
        while pages.count < count { pages.insert(Int.random(in: 2..<SalvageFixture.made.bytes.count / 4_096, using: &random)) }
        smash(folder.file("s.mdb"), pages: pages.sorted(), kind, &random)
        try judge(folder.file("s.mdb"), smashed: pages, "\(count) pages \(kind.rawValue), seed \(seed)")
    }

    @Test("half a file gives what was in that half")
    func half() throws {
        let folder = CareFolder()
        let cut = SalvageFixture.made.bytes.count / 8_192
        CareFile.write(Array(SalvageFixture.made.bytes.prefix(cut * 4_096 + 100)), to: folder.file("s.mdb"))
        try judge(folder.file("s.mdb"), smashed: Set(cut..<SalvageFixture.made.bytes.count / 4_096), "half")
    }

    @Test("random bytes, zeros, an empty and a missing file give nothing, and nobody falls")
    func nothing() throws {
        let folder = CareFolder()
        var random = CareRandom(seed: 3)
        CareFile.write(random.bytes(400_000), to: folder.file("a"))
        CareFile.write([UInt8](repeating: 0, count: 400_000), to: folder.file("b"))
        CareFile.write([], to: folder.file("c"))
        for name in ["a", "b", "c"] {
            guard case .done(let report) = try Salvage.run(folder.file(name), into: folder.file("out"), streams: [], formatVersion: 1)
            else {
                Issue.record("salvage of \(name) failed")
                continue
            }
            #expect(report.kept == 0 && report.found == 0)
        }
        guard case .failed = try Salvage.run(folder.file("d"), into: folder.file("out"), streams: [], formatVersion: 1) else {
            Issue.record("a missing file was salvaged")
            return
        }
    }

    @Test("a stream that the configuration has forgotten keeps its name")
    func forgottenStream() throws {
        let folder = CareFolder()
        CareFile.write(SalvageFixture.made.bytes, to: folder.file("s.mdb"))
        guard case .done(let report) = try Salvage.run(folder.file("s.mdb"), into: folder.file("out"), streams: [], formatVersion: 1) else {
            Issue.record("nothing was salvaged")
            return
        }
        #expect(report.unnamed == 0)
        #expect(report.keptByTable[CareStore.events.id]! > 30_000)
    }

    @Test("of versions with the same revision the committed one is kept")
    func sameRevision() throws {
        let folder = CareFolder()
        let store = CareStore(folder.file("s.mdb"))
        // Counters change without a new revision; each commit leaves the version before on a freed page.
        for round in 0..<200 {
            store.write { store in
                for number in 0..<40 { store.put([Table.streams.id, UInt8(number)], Array("count \(round) \(number * round)".utf8)) }
            }
        }
        store.close()
        guard case .done(let report) = try Salvage.run(folder.file("s.mdb"), into: folder.file("out"), streams: [], formatVersion: 1) else {
            Issue.record("nothing was salvaged")
            return
        }
        #expect(report.superseded > 0)
        #expect(
            CareStore.contents(folder.file("out")).filter { $0.key[0] == Table.streams.id }
                == store.model.filter { $0.key[0] == Table.streams.id })
    }

    @Test("half a record in pieces is left behind, a whole one is kept")
    func pieces() throws {
        let folder = CareFolder()
        let store = CareStore(folder.file("s.mdb"))
        store.write { store in
            for sequence in 1...40 as ClosedRange<UInt64> {
                let key = CareStore.key(CareStore.events, sequence)
                store.put(key, [3, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 1, count: 3_000), flags: [.journal, .pieces], append: true)
                for part in 1...2 as ClosedRange<UInt8> where sequence != 20 || part != 1 {
                    store.put(key + [0, part], [UInt8](repeating: part, count: 3_000), flags: JournalMarks.continuation, append: true)
                }
            }
        }
        store.close()
        guard
            case .done(let report) = try Salvage.run(
                folder.file("s.mdb"), into: folder.file("out"), streams: CareStore.tables, formatVersion: 1)
        else {
            Issue.record("nothing was salvaged")
            return
        }
        #expect(report.incomplete == 2)
        #expect(CareStore.contents(folder.file("out")).keys.filter { $0[0] == CareStore.events.id }.count == 39 * 3)
    }

    @Test("sorting in place orders anything", arguments: [1, 2, 3, 4] as [UInt64])
    func sorting(seed: UInt64) {
        var random = CareRandom(seed: seed)
        for count in [0, 1, 2, 15, 16, 17, 100, 5_000] {
            for range in [1, 10, 1_000_000] {
                var numbers = (0..<count).map { _ in Int.random(in: 0..<range, using: &random) }
                if seed == 2 { numbers.sort() }
                if seed == 3 { numbers.sort(by: >) }
                let sorted = numbers.sorted()
                numbers.withUnsafeMutableBufferPointer { $0.sortInPlace(by: <) }
                #expect(numbers == sorted)
            }
        }
    }
}

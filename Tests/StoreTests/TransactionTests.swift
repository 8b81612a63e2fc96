import CPlatform
import Domain
import Glibc
import Store
import Testing

@Suite("Transactions")
struct TransactionTests {
    func filled(_ count: Int, in folder: TemporaryFolder = TemporaryFolder(), bytes: Int = 10) throws -> TestStore {
        let store = try TestStore(in: folder)
        try store.environment.write { (transaction) throws(StoreError) in
            for i in 0..<count {
                let payload = [UInt8](repeating: UInt8(i % 251), count: bytes)
                var key: [UInt8] = [90]
                for shift in stride(from: 56, through: 0, by: -8) { key.append(UInt8(truncatingIfNeeded: i >> shift)) }
                try key.span.withUnsafeBytes { (key) throws(StoreError) in
                    try payload.span.withUnsafeBytes { (payload) throws(StoreError) in
                        try transaction.append(.things, key, payload, revision: UInt64(i))
                    }
                }
            }
        }
        return store
    }

    func keys(_ store: TestStore, _ body: (borrowing ReadTransaction, inout [UInt64]) throws(StoreError) -> Void) throws -> [UInt64] {
        var keys: [UInt64] = []
        try store.environment.read { (transaction) throws(StoreError) in try body(transaction, &keys) }
        return keys
    }

    static func number(_ key: UnsafeRawBufferPointer) -> UInt64 {
        UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
    }

    @Test("a scan goes in the order of keys, from a key, within a prefix, up to a limit, until told to stop")
    func scan() throws {
        let store = try filled(1_000)
        #expect(
            try keys(store) { (transaction, keys) throws(StoreError) in
                try transaction.scan(.things, prefix: StoreKey(.things), limit: 3) { (key, _, _) throws(StoreError) in
                    keys.append(Self.number(key))
                    return true
                }
            } == [0, 1, 2])
        #expect(
            try keys(store) { (transaction, keys) throws(StoreError) in
                try transaction.scan(.things, from: StoreKey(.things, 254), prefix: StoreKey(.things, [0, 0, 0, 0, 0, 0, 0])) {
                    (key, _, _) throws(StoreError) in
                    keys.append(Self.number(key))
                    return true
                }
            } == [254, 255])
        #expect(
            try keys(store) { (transaction, keys) throws(StoreError) in
                try transaction.scanBackwards(.things) { (key, _, _) throws(StoreError) in
                    keys.append(Self.number(key))
                    return keys.count < 2
                }
            } == [999, 998])
        #expect(try store.environment.read { (transaction) throws(StoreError) in try transaction.count(.things) } == 1_000)
        #expect(
            try store.environment.read { (transaction) throws(StoreError) in
                try transaction.last(.things) { (key, payload, header) throws(StoreError) in
                    [Self.number(key), UInt64(payload.count), header.revision]
                }
            } == [999, 10, 999])
        #expect(
            try store.environment.read { (transaction) throws(StoreError) in
                try transaction.last(.cursors) { (_, _, _) throws(StoreError) in 1 }
            } == nil)
    }

    @Test("a damaged tree that leads in a circle ends as corrupted, not never")
    func boundedScan() throws {
        let folder = TemporaryFolder()
        do { _ = try filled(500, in: folder, bytes: 300) }
        // The last child of the table's root becomes its first once more: one full leaf in place of one that is not.
        let file = open(folder.file("state.mdb"), O_RDWR)
        var status = stat()
        fstat(file, &status)
        var page = [UInt8](repeating: 0, count: 4_096)
        var damaged = 0
        for number in 2..<(Int(status.st_size) / 4_096) {
            guard pread(file, &page, 4_096, off_t(number * 4_096)) == 4_096 else { continue }
            func word(_ at: Int) -> Int { Int(page[at]) | Int(page[at + 1]) << 8 }
            guard word(0) == number, word(10) == 1 else { continue }
            let count = (word(12) - 16) / 2
            let first = word(16)
            let last = word(16 + 2 * (count - 1))
            for byte in 0..<6 { page[last + byte] = page[first + byte] }
            #expect(pwrite(file, page, 4_096, off_t(number * 4_096)) == 4_096)
            damaged += 1
        }
        close(file)
        #expect(damaged >= 1)
        let store = try TestStore(in: folder, starts: false)
        var seen = 0
        #expect {
            try store.environment.read { (transaction) throws(StoreError) in
                try transaction.scan(.things, prefix: StoreKey(.things)) { (_, _, _) throws(StoreError) in
                    seen += 1
                    return true
                }
            }
        } throws: {
            ($0 as? StoreError)?.code == .corrupted
        }
        #expect(seen <= 500)
    }

    @Test("a flipped byte in the file is told as corrupted, by a look-up and by a scan")
    func flippedByte() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder)
            try store.run(.put("marked", Array("MARK-MARK-MARK".utf8)))
        }
        let file = open(folder.file("state.mdb"), O_RDWR)
        var status = stat()
        fstat(file, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        #expect(pread(file, &bytes, bytes.count, 0) == bytes.count)
        let mark = Array("MARK-MARK-MARK".utf8)
        for at in 0..<(bytes.count - mark.count) where bytes[at] == mark[0] && Array(bytes[at..<(at + mark.count)]) == mark {
            bytes[at] = 0x6D
        }
        #expect(pwrite(file, bytes, bytes.count, 0) == bytes.count)
        close(file)
        let store = try TestStore(in: folder)
        #expect {
            _ = try store.environment.value("marked")
        } throws: {
            ($0 as? StoreError)?.code == .corrupted
        }
    }

    @Test("an append out of order is refused")
    func appendOrder() throws {
        let store = try filled(3)
        #expect {
            try store.environment.write { (transaction) throws(StoreError) in
                var key: [UInt8] = [90]
                key.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 1])
                try key.span.withUnsafeBytes { (key) throws(StoreError) in
                    try transaction.append(.things, key, UnsafeRawBufferPointer(start: nil, count: 0), revision: 0)
                }
            }
        } throws: {
            ($0 as? StoreError)?.code == .corrupted
        }
    }

    @Test("a value of a page's size is stored; one byte more is a programming error")
    func largestValue() async throws {
        let store = try TestStore()
        let largest = [UInt8](repeating: 9, count: Limits.payloadBytesMax)
        #expect(try store.run(.put("a", largest)) == .committed)
        #expect(try store.environment.value("a") == largest)
        await #expect(processExitsWith: .failure) {
            let store = try TestStore()
            try store.run(.put("a", [UInt8](repeating: 9, count: Limits.payloadBytesMax + 1)))
        }
    }

    @Test("a table keeps another table's keys out")
    func foreignKey() async {
        await #expect(processExitsWith: .failure) {
            let store = try TestStore()
            _ = try store.environment.read { (transaction) throws(StoreError) in
                try transaction.withValue(.things, StoreKey(.cursors, [1])) { (_, _) throws(StoreError) in 1 }
            }
        }
    }

    @Test("keys sort as the numbers and texts in them")
    func keyOrder() {
        func bytes(_ key: consuming StoreKey) -> [UInt8] { key.withBytes { Array($0) } }
        #expect(bytes(StoreKey(.things, 255)).lexicographicallyPrecedes(bytes(StoreKey(.things, 256))))
        var a = StoreKey(.things)
        a.append(terminated: "a")
        a.append(UInt16(65_535))
        var ab = StoreKey(.things)
        ab.append(terminated: "ab")
        #expect(bytes(a).lexicographicallyPrecedes(bytes(ab)))
    }
}

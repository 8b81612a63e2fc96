import CLMDB
import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

/// A folder for one test, removed with everything in it.
final class CareFolder: Sendable {
    let path: String

    init(_ root: String = "/tmp") {
        var template = Array("\(root)/posto-care-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Where `StoreLadder.Place` looks for environments.
        mkdir(path + "/store", 0o700)
    }

    deinit { Self.remove(path) }

    static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    func file(_ name: String) -> String { path + "/" + name }
}

/// SplitMix64, so that a printed seed repeats a run.
struct CareRandom: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
    mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for start in stride(from: 0, to: count, by: 8) {
                withUnsafeBytes(of: next()) {
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[start...]).copyBytes(
                        from: $0.prefix(count - start))
                }
            }
            initialized = count
        }
    }
}

/// A store in the shared record format, made with LMDB alone. It remembers what was committed.
final class CareStore {
    static let state = Table.stream(0, named: "state")
    static let events = Table.stream(1, named: "events")
    static let tables: [Table] = [.meta, .streams, .instances, state, events]

    let path: String
    private var environment: OpaquePointer?
    private(set) var dbis: [UInt8: MDB_dbi] = [:]
    private var transaction: OpaquePointer?
    /// The lock of a store that may be written.
    private var lock: Int32 = -1
    /// Key → value as stored.
    private(set) var model: [[UInt8]: [UInt8]] = [:]
    /// Every value that a row ever had, if it is kept.
    private(set) var history: [[UInt8]: Set<[UInt8]>] = [:]
    var keepsHistory = false
    var revision: UInt64 = 0
    var trimmed: [UInt8: UInt64] = [:]

    init(_ path: String, locks: Bool = false, mapBytes: Int = 8 << 30, format: UInt32 = 1, epoch: UInt32 = 3) {
        self.path = path
        precondition(mdb_env_create(&environment) == 0)
        mdb_env_set_mapsize(environment, mapBytes)
        mdb_env_set_maxdbs(environment, 64)
        let flags = UInt32(MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC) | (locks ? 0 : UInt32(MDB_NOLOCK))
        precondition(mdb_env_open(environment, path, flags, 0o600) == 0)
        if locks {
            lock = open(path, O_RDONLY | O_CLOEXEC)
            precondition(flock(lock, LOCK_EX | LOCK_NB) == 0)
        }
        write { store in
            for table in Self.tables {
                var dbi: MDB_dbi = 0
                precondition(mdb_dbi_open(store.transaction, table.name, UInt32(MDB_CREATE), &dbi) == 0)
                store.dbis[table.id] = dbi
            }
            store.put(IdentityRow.formatVersion.key, IdentityRow.bytes(format))
            store.put(IdentityRow.storeID.key, [UInt8](repeating: 7, count: 16))
            store.put(IdentityRow.epoch.key, IdentityRow.bytes(epoch))
        }
    }

    deinit { close() }

    func close() {
        guard let environment else { return }
        mdb_env_sync(environment, 1)
        mdb_env_close(environment)
        self.environment = nil
        if lock >= 0 { Glibc.close(lock) }
    }

    func write(_ body: (CareStore) -> Void) {
        precondition(mdb_txn_begin(environment, nil, 0, &transaction) == 0)
        body(self)
        precondition(mdb_txn_commit(transaction) == 0)
    }

    func read<R>(_ body: (OpaquePointer) throws(StoreError) -> R) throws(StoreError) -> R {
        var reader: OpaquePointer?
        precondition(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &reader) == 0)
        defer { mdb_txn_abort(reader) }
        return try body(reader!)
    }

    func put(_ key: [UInt8], _ payload: [UInt8], flags: RecordHeader.Flags = [], append: Bool = false) {
        var key = key
        var value = Self.value(key, payload, flags: flags, revision: revision)
        model[key] = value
        if keepsHistory, key[0] < 128 { history[key, default: []].insert(value) }
        let code = key.withUnsafeMutableBytes { key in
            value.withUnsafeMutableBytes { value in
                var (k, v) = (
                    MDB_val(mv_size: key.count, mv_data: key.baseAddress), MDB_val(mv_size: value.count, mv_data: value.baseAddress)
                )
                return mdb_put(transaction, dbis[key[0]]!, &k, &v, append ? UInt32(MDB_APPEND) : 0)
            }
        }
        precondition(code == 0, "put: \(code)")
    }

    /// Puts a value without header.
    func putRaw(_ key: [UInt8], _ value: [UInt8]) {
        var (key, value) = (key, value)
        key.withUnsafeMutableBytes { key in
            value.withUnsafeMutableBytes { value in
                var (k, v) = (
                    MDB_val(mv_size: key.count, mv_data: key.baseAddress), MDB_val(mv_size: value.count, mv_data: value.baseAddress)
                )
                precondition(mdb_put(transaction, dbis[key[0]]!, &k, &v, 0) == 0)
            }
        }
    }

    static func value(_ key: [UInt8], _ payload: [UInt8], flags: RecordHeader.Flags, revision: UInt64, epoch: UInt32 = 3) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: RecordHeader.size + payload.count)
        let header = RecordHeader(flags: flags, length: UInt32(payload.count), epoch: epoch, revision: revision)
        key.withUnsafeBytes { key in
            payload.withUnsafeBytes { payload in value.withUnsafeMutableBytes { header.write(key: key, payload: payload, to: $0) } }
        }
        return value
    }

    func delete(_ key: [UInt8]) {
        var key = key
        model[key] = nil
        let code = key.withUnsafeMutableBytes { key in
            var k = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
            return mdb_del(transaction, dbis[key[0]]!, &k, nil)
        }
        precondition(code == 0, "delete: \(code)")
    }

    /// Takes over what an earlier environment of the same file held.
    func adopt(_ model: [[UInt8]: [UInt8]]) { self.model.merge(model) { mine, _ in mine } }

    /// Drops the model, for stores too large to remember.
    func forget() { model = [:] }

    // MARK: As the rooms do

    static func key(_ stream: Table, _ sequence: UInt64) -> [UInt8] {
        [stream.id] + withUnsafeBytes(of: sequence.bigEndian) { [UInt8]($0) }
    }
    static func row(_ number: Int) -> [UInt8] { [Table.instances.id] + Array("default".utf8) + [0] + Array("service-\(number)".utf8) }

    func append(_ stream: Table, _ sequence: UInt64, _ body: [UInt8], flags: RecordHeader.Flags = []) {
        let mark = withUnsafeBytes(of: (trimmed[stream.id] ?? 0).littleEndian) { [UInt8]($0) }
        put(Self.key(stream, sequence), mark + [UInt8](repeating: 0, count: 16) + body, flags: flags.union(.journal), append: true)
    }

    /// Writes a row and its record.
    func register(_ number: Int, _ body: [UInt8]) {
        revision += 1
        put(Self.row(number), body)
        append(Self.state, revision, Array("registered".utf8))
    }

    func remove(_ number: Int) {
        revision += 1
        let key = Self.row(number)
        delete(key)
        append(Self.state, revision, Array("removed".utf8) + key + [UInt8(key.count & 0xFF), UInt8(key.count >> 8)], flags: .removal)
    }

    func trim(_ stream: Table, through sequence: UInt64) {
        for number in (trimmed[stream.id] ?? 0) + 1...sequence { delete(Self.key(stream, number)) }
        trimmed[stream.id] = sequence
    }

    /// All records of a file that is sound, by key.
    static func contents(_ path: String) -> [[UInt8]: [UInt8]] {
        var environment: OpaquePointer?
        precondition(mdb_env_create(&environment) == 0)
        defer { mdb_env_close(environment) }
        mdb_env_set_maxdbs(environment, 64)
        precondition(mdb_env_open(environment, path, UInt32(MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK), 0o600) == 0)
        var reader: OpaquePointer?
        precondition(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &reader) == 0)
        defer { mdb_txn_abort(reader) }
        var contents: [[UInt8]: [UInt8]] = [:]
        var names: [String] = []
        walk(reader!, 1) { key, _ in names.append(String(decoding: key, as: UTF8.self)) }
        for name in names {
            var dbi: MDB_dbi = 0
            precondition(mdb_dbi_open(reader, name, 0, &dbi) == 0)
            walk(reader!, dbi) { contents[[UInt8]($0)] = [UInt8]($1) }
        }
        return contents
    }

    private static func walk(_ reader: OpaquePointer, _ dbi: MDB_dbi, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        var cursor: OpaquePointer?
        precondition(mdb_cursor_open(reader, dbi, &cursor) == 0)
        defer { mdb_cursor_close(cursor) }
        var (k, v) = (MDB_val(), MDB_val())
        while mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0 {
            body(UnsafeRawBufferPointer(start: k.mv_data, count: k.mv_size), UnsafeRawBufferPointer(start: v.mv_data, count: v.mv_size))
        }
    }
}

enum CareFile {
    static func read(_ path: String) -> [UInt8] { FileBytes.read(path, atMost: .max)! }

    static func write(_ bytes: [UInt8], to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(file) }
        bytes.withUnsafeBytes { raw in
            var done = 0
            while done < raw.count { done += Glibc.write(file, raw.baseAddress! + done, raw.count - done) }
        }
    }

    static func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) {
        let file = open(path, O_WRONLY)
        defer { close(file) }
        precondition(pwrite(file, bytes, bytes.count, off_t(offset)) == bytes.count)
    }
}

/// Runs once in the test process what children will run, so that a fork beside other threads finds every type already made.
enum CareWarmUp {
    static let done: Bool = {
        let folder = CareFolder()
        let store = CareStore(folder.file("warm.mdb"))
        store.write { store in
            for number in 0..<200 { store.register(number, [UInt8](repeating: 1, count: 100)) }
            for number in 0..<50 { store.remove(number) }
        }
        store.close()
        let child = try? ChildProcess.run(seconds: 60) { answer in
            answer.send("x")
            return 0
        }
        var inspection = StoreInspection(path: folder.file("warm.mdb"), formatVersion: 1)
        let found = try? inspection.run()
        var other = StoreInspection(path: folder.file("none.mdb"), formatVersion: 1)
        let missing = try? other.run()
        let report = try? Salvage.rebuild(
            folder.file("warm.mdb"), into: folder.file("out.mdb"), streams: CareStore.tables, formatVersion: 1)
        return child != nil && found != nil && missing == nil && report != nil && SalvageReport(encoded: report!.encoded) == report
    }()
}

import CPlatform
import Crypto
import Domain

/// What a backup says of itself (Documentation/FORMATS.md §6).
package struct BackupHeader: Equatable, Sendable {
    package let storeID: Identifier16
    /// At most `nodeBytesMax` bytes of UTF-8.
    package let nodeID: String
    package let epoch: UInt32
    package let created: Timestamp
    /// The revision of the state that it holds.
    package let revision: UInt64
    /// Whether the bulk environment follows the state; then the format is 2, which older versions refuse.
    package let holdsBulk: Bool

    package init(storeID: Identifier16, nodeID: String, epoch: UInt32, created: Timestamp, revision: UInt64, holdsBulk: Bool = false) {
        precondition(nodeID.utf8.count <= Self.nodeBytesMax, "a node's name is longer than any host name")
        self.storeID = storeID
        self.nodeID = nodeID
        self.epoch = epoch
        self.created = created
        self.revision = revision
        self.holdsBulk = holdsBulk
    }

    static let magic: [UInt8] = Array("POSTOBAK".utf8)
    /// The newest format that is read: 1 has the state alone, 2 the bulk environment too.
    static let version: UInt32 = 2
    static let nodeBytesMax = 256
    static let size = 312

    /// magic · version u32 · epoch u32 · store 16 · created i64 · revision u64 · node bytes u32 · node 256 · crc32c of what is before.
    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        bytes.withUnsafeMutableBytes { raw in
            raw.copyBytes(from: Self.magic)
            raw.storeBytes(of: UInt32(holdsBulk ? 2 : 1).littleEndian, toByteOffset: 8, as: UInt32.self)
            raw.storeBytes(of: epoch.littleEndian, toByteOffset: 12, as: UInt32.self)
            raw.storeIdentifier(storeID, at: 16)
            raw.storeBytes(of: created.milliseconds.littleEndian, toByteOffset: 32, as: Int64.self)
            raw.storeBytes(of: revision.littleEndian, toByteOffset: 40, as: UInt64.self)
            raw.storeBytes(of: UInt32(nodeID.utf8.count).littleEndian, toByteOffset: 48, as: UInt32.self)
            UnsafeMutableRawBufferPointer(rebasing: raw[52...]).copyBytes(from: nodeID.utf8)
            raw.storeBytes(of: posto_crc32c(0, raw.baseAddress, 308).littleEndian, toByteOffset: 308, as: UInt32.self)
        }
        return bytes
    }

    /// - Throws: `.corrupted` or `.newerFormat`, with a sentence.
    init(_ raw: UnsafeRawBufferPointer) throws(StoreError) {
        guard raw.count == Self.size, raw.prefix(8).elementsEqual(Self.magic) else {
            throw StoreError(.corrupted, "read the backup: this file is no backup of posto")
        }
        let version = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let checksum = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 308, as: UInt32.self))
        guard checksum == posto_crc32c(0, raw.baseAddress, 308) else {
            throw StoreError(.corrupted, "read the backup: its header has changed")
        }
        guard (1...Self.version).contains(version) else {
            throw StoreError(.newerFormat, "read the backup: it has format \(version), this version of posto reads \(Self.version)")
        }
        holdsBulk = version == 2
        epoch = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        storeID = raw.loadIdentifier(at: 16)
        created = Timestamp(milliseconds: Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 32, as: Int64.self)))
        revision = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 40, as: UInt64.self))
        let nodeBytes = Int(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 48, as: UInt32.self)))
        guard nodeBytes <= Self.nodeBytesMax else { throw StoreError(.corrupted, "read the backup: its header has changed") }
        nodeID = String(decoding: raw[52..<52 + nodeBytes], as: UTF8.self)
    }
}

/// What precedes the bytes of each part of a backup: 12 bytes, then key, then value.
///
///     0     1      2           4             8
///     kind  table  key bytes   value bytes   crc32c of the eight bytes before, the key and the value
struct BackupFrame: Equatable {
    static let size = 12

    enum Kind: UInt8 {
        /// A record, as it is stored.
        case record = 1
        /// The name of a table, as the key. Its records follow.
        case table = 2
        /// The end: value = tables u64 · records u64 · SHA-256 of all the bytes before this frame.
        case trailer = 3
        /// The name of the next environment, as the key. Its tables follow, by rising id again.
        case environment = 4
    }
    static let trailerBytes = 16 + SHA256.size

    let kind: Kind
    let table: UInt8
    let keyBytes: Int
    let valueBytes: Int
    let checksum: UInt32

    init(_ kind: Kind, table: UInt8, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        self.kind = kind
        self.table = table
        keyBytes = key.count
        valueBytes = value.count
        var head = Self.head(kind.rawValue, table, key.count, value.count)
        checksum = posto_crc32c(posto_crc32c(posto_crc32c(0, &head, 8), key.baseAddress, key.count), value.baseAddress, value.count)
    }

    /// Nil if it is no frame, or longer than any that we write.
    init?(_ raw: UnsafeRawBufferPointer) {
        guard let kind = Kind(rawValue: raw[0]) else { return nil }
        self.kind = kind
        table = raw[1]
        keyBytes = Int(UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        let length = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard keyBytes <= Limits.storeKeyBytesMax, length <= UInt32(Limits.backupValueBytesMax) else { return nil }
        valueBytes = Int(length)
        checksum = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }

    private static func head(_ kind: UInt8, _ table: UInt8, _ keyBytes: Int, _ valueBytes: Int) -> UInt64 {
        (UInt64(kind) | UInt64(table) << 8 | UInt64(keyBytes) << 16 | UInt64(valueBytes) << 32).littleEndian
    }

    func write(to raw: UnsafeMutableRawBufferPointer) {
        raw.storeBytes(of: Self.head(kind.rawValue, table, keyBytes, valueBytes), toByteOffset: 0, as: UInt64.self)
        raw.storeBytes(of: checksum.littleEndian, toByteOffset: 8, as: UInt32.self)
    }
}

import CLMDB
import CPlatform

extension Table {
    /// How the names of the tables of streams begin.
    static let streamNamePrefix = "stream-"
}

/// The rows of the table `meta` that check, salvage and restore touch: key = table id, then this byte (Documentation/FORMATS.md §1).
enum IdentityRow: UInt8 {
    case formatVersion = 1
    case storeID = 2
    case nodeID = 3
    case epoch = 4

    var key: [UInt8] { [Table.meta.id, rawValue] }

    /// Nil if the row is absent or damaged.
    func payload(from transaction: OpaquePointer, _ dbi: MDB_dbi) -> [UInt8]? {
        var bytes = key
        return bytes.withUnsafeMutableBytes { raw in
            var (key, value) = (MDB_val(mv_size: raw.count, mv_data: raw.baseAddress), MDB_val())
            guard mdb_get(transaction, dbi, &key, &value) == MDB_SUCCESS else { return nil }
            let stored = UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
            return RecordHeader.read(key: UnsafeRawBufferPointer(raw), value: stored).map { [UInt8]($0.payload) }
        }
    }

    func number(from transaction: OpaquePointer, _ dbi: MDB_dbi) -> UInt32? { payload(from: transaction, dbi).flatMap(Self.number) }

    static func number(_ payload: [UInt8]) -> UInt32? {
        payload.count == 4 ? payload.reversed().reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// Writes the row anew.
    func put(_ payload: [UInt8], epoch: UInt32, revision: UInt64, to transaction: OpaquePointer, _ dbi: MDB_dbi) -> Int32 {
        var bytes = key
        var record = [UInt8](repeating: 0, count: RecordHeader.size + payload.count)
        let header = RecordHeader(length: UInt32(payload.count), epoch: epoch, revision: revision)
        return bytes.withUnsafeMutableBytes { key in
            record.withUnsafeMutableBytes { record in
                payload.withUnsafeBytes { header.write(key: UnsafeRawBufferPointer(key), payload: $0, to: record) }
                var keyValue = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
                var value = MDB_val(mv_size: record.count, mv_data: record.baseAddress)
                return mdb_put(transaction, dbi, &keyValue, &value, 0)
            }
        }
    }

    static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) } }
}

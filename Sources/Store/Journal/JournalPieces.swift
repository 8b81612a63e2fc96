import CLMDB
import Domain

/// A record longer than one value: part 0 under `seq`, the others under `seq ‖ part u16`.
///
/// Part 0 begins with the number of parts (u16), two zero bytes and the length of prefix and line together (u32); what follows are the bytes,
/// cut every `Limits.payloadBytesMax`.
enum JournalPieces {
    static let headSize = 8

    static func writeHead(count: Int, total: Int, to destination: UnsafeMutableRawBufferPointer) {
        destination.storeBytes(of: UInt16(count).littleEndian, toByteOffset: 0, as: UInt16.self)
        destination.storeBytes(of: 0, toByteOffset: 2, as: UInt16.self)
        destination.storeBytes(of: UInt32(total).littleEndian, toByteOffset: 4, as: UInt32.self)
    }

    static func readHead(_ payload: UnsafeRawBufferPointer) -> (count: Int, total: Int)? {
        guard payload.count >= headSize else { return nil }
        let count = Int(UInt16(littleEndian: payload.loadUnaligned(as: UInt16.self)))
        let total = Int(UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard count >= 2, total <= Limits.journalRecordBytesMax + JournalPrefix.chainedSize else { return nil }
        return (count, total)
    }
}

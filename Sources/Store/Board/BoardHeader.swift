import CPlatform
import Domain
import Glibc

/// The first 64 bytes of a board's file (Documentation/FORMATS.md §5): little-endian.
///
///     0       8         12     16         24     40      56       60
///     magic   version   zero   published  boot   store   capacity crc32c of what is before
struct BoardHeader: Equatable {
    static let size = 64

    let identity: BoardIdentity
    let capacity: Int
    /// When the board was first complete.
    let published: Uptime

    func write(to destination: UnsafeMutableRawBufferPointer) {
        destination.storeBytes(of: LeaseBoard.magic.littleEndian, toByteOffset: 0, as: UInt64.self)
        destination.storeBytes(of: UInt64(LeaseBoard.version).littleEndian, toByteOffset: 8, as: UInt64.self)
        destination.storeBytes(of: published.milliseconds.littleEndian, toByteOffset: 16, as: Int64.self)
        destination.storeIdentifier(identity.boot, at: 24)
        destination.storeIdentifier(identity.store, at: 40)
        destination.storeBytes(of: UInt32(capacity).littleEndian, toByteOffset: 56, as: UInt32.self)
        let crc = posto_crc32c(0, destination.baseAddress, 60)
        destination.storeBytes(of: crc.littleEndian, toByteOffset: 60, as: UInt32.self)
    }

    /// Nil if the file holds no whole board of this version.
    static func read(from file: Int32, size: Int) -> BoardHeader? {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        guard pread(file, &bytes, Self.size, 0) == Self.size else { return nil }
        return bytes.withUnsafeBytes { raw in
            guard UInt64(littleEndian: raw.load(as: UInt64.self)) == LeaseBoard.magic,
                UInt32(littleEndian: raw.load(fromByteOffset: 8, as: UInt32.self)) == LeaseBoard.version,
                UInt32(littleEndian: raw.load(fromByteOffset: 60, as: UInt32.self)) == posto_crc32c(0, raw.baseAddress, 60)
            else { return nil }
            let capacity = Int(UInt32(littleEndian: raw.load(fromByteOffset: 56, as: UInt32.self)))
            guard size == LeaseBoard.headerSize + capacity * 8 else { return nil }
            return BoardHeader(
                identity: BoardIdentity(boot: raw.loadOptionalIdentifier(at: 24), store: raw.loadIdentifier(at: 40)),
                capacity: capacity,
                published: Uptime(milliseconds: Int64(littleEndian: raw.load(fromByteOffset: 16, as: Int64.self))))
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// As bytes in order, the first being the highest of `high`.
    func storeIdentifier(_ identifier: Identifier16?, at offset: Int) {
        storeBytes(of: (identifier?.high ?? 0).bigEndian, toByteOffset: offset, as: UInt64.self)
        storeBytes(of: (identifier?.low ?? 0).bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }
}

extension UnsafeRawBufferPointer {
    func loadIdentifier(at offset: Int) -> Identifier16 {
        Identifier16(
            high: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
            low: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
    }

    /// Nil where zeros stand.
    func loadOptionalIdentifier(at offset: Int) -> Identifier16? {
        let identifier = loadIdentifier(at: offset)
        return identifier == Identifier16(high: 0, low: 0) ? nil : identifier
    }
}

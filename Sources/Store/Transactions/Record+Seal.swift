import CPlatform

extension RecordHeader {
    /// Writes the header before a payload that lies in its place already, so that a record is copied once, into LMDB's page.
    ///
    /// `write(key:payload:to:)` copies the payload first.
    func seal(key: UnsafeRawBufferPointer, over destination: UnsafeMutableRawBufferPointer) {
        precondition(destination.count == Self.size + Int(length))
        destination[0] = Self.magic
        destination[1] = version
        destination.storeBytes(of: flags.rawValue.littleEndian, toByteOffset: 2, as: UInt16.self)
        destination.storeBytes(of: length.littleEndian, toByteOffset: 4, as: UInt32.self)
        destination.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self)
        destination.storeBytes(of: epoch.littleEndian, toByteOffset: 12, as: UInt32.self)
        destination.storeBytes(of: revision.littleEndian, toByteOffset: 16, as: UInt64.self)
        var crc = posto_crc32c(0, key.baseAddress, key.count)
        crc = posto_crc32c(crc, destination.baseAddress, destination.count)
        destination.storeBytes(of: crc.littleEndian, toByteOffset: 8, as: UInt32.self)
    }
}

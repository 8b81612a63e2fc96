import CPlatform
import Domain
import Glibc

/// The two copies of the board in the store's folder, `lease.a` and `lease.b`, written in turn, so that one is whole whenever the power goes.
///
/// Each is one O_DIRECT | O_DSYNC write into blocks that were written before, so that the file system has nothing else to record; where
/// O_DIRECT is refused (tmpfs), a plain write and fdatasync. Belongs to the thread that writes the store.
package struct BoardCopies: ~Copyable {
    private let paths: [String]
    private let identity: BoardIdentity
    private var sequence: UInt64
    private var next: Int
    private var files: [Int32] = [-1, -1]
    private var prepared = [0, 0]
    private var isDirect = true
    // SAFETY: owned by this value alone, freed in `deinit`; the type is neither copyable nor Sendable.
    private var buffer: UnsafeMutableRawBufferPointer

    private static let alignment = 4_096

    /// - Parameter newest: what `newest(in:store:)` found, so that the older file is written first.
    package init(folder: String, identity: BoardIdentity, newest: (copy: BoardCopy, index: Int)?) {
        paths = Self.paths(in: folder)
        self.identity = identity
        sequence = newest?.copy.sequence ?? 0
        next = newest.map { 1 - $0.index } ?? 0
        buffer = .allocate(byteCount: Self.alignment, alignment: Self.alignment)
    }

    deinit {
        for file in files where file >= 0 { close(file) }
        buffer.deallocate()
    }

    package static func paths(in folder: String) -> [String] { [folder + "/lease.a", folder + "/lease.b"] }

    /// The newest whole copy of this store's board; nil if there is none.
    package static func newest(in folder: String, store: Identifier16) -> (copy: BoardCopy, index: Int)? {
        var best: (copy: BoardCopy, index: Int)?
        for (index, path) in paths(in: folder).enumerated() {
            guard let bytes = FileBytes.read(path, atMost: BoardCopy.bytes(slots: Limits.leaseSlotsMax)) else { continue }
            guard let copy = bytes.withUnsafeBytes(BoardCopy.init), copy.identity.store == store else { continue }
            if best == nil || best!.copy.sequence < copy.sequence { best = (copy, index) }
        }
        return best
    }

    /// Copies the board to disk. It is there when this returns.
    ///
    /// - Returns: the bytes written.
    /// - Throws: `.full` or `.system`; the other copy is untouched, and the next call tries the same file again.
    package mutating func write(_ board: borrowing LeaseBoard, slots: Int, now: Uptime, timeFloor: Timestamp) throws(StoreError) -> Int {
        let bytes = BoardCopy.bytes(slots: slots)
        if buffer.count < bytes {
            buffer.deallocate()
            // Twice what is needed, so that a growing board seldom comes back here.
            buffer = .allocate(byteCount: (2 * bytes + Self.alignment - 1) / Self.alignment * Self.alignment, alignment: Self.alignment)
        }
        let image = UnsafeMutableRawBufferPointer(rebasing: buffer[..<bytes])
        image.initializeMemory(as: UInt8.self, repeating: 0)
        for slot in 0..<slots {
            image.storeBytes(of: board.word(slot).rawValue.littleEndian, toByteOffset: BoardCopy.headerSize + slot * 8, as: UInt64.self)
        }
        BoardCopy.seal(
            image, count: slots, identity: identity, sequence: sequence + 1, now: now, timeFloor: timeFloor,
            period: LeaseBoardKeeper.period(copyBytes: bytes))
        try prepare(next, bytes: bytes)
        try put(image, into: next)
        sequence += 1
        next = 1 - next
        return bytes
    }

    /// Opens the file and writes it once with zeros to the size that will be needed.
    private mutating func prepare(_ index: Int, bytes: Int) throws(StoreError) {
        if files[index] < 0 { try openFile(index) }
        guard prepared[index] < bytes else { return }
        var status = stat()
        guard fstat(files[index], &status) == 0 else { throw StoreError(.system, "look at \(paths[index])", number: errno) }
        let size = Int(status.st_size)
        guard size < bytes else {
            prepared[index] = size
            return
        }
        var wanted = Self.alignment
        while wanted < bytes { wanted *= 2 }
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.alignment, alignment: Self.alignment)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var offset = size / Self.alignment * Self.alignment
        if offset < size { offset += Self.alignment }
        while offset < wanted {
            try put(UnsafeMutableRawBufferPointer(zeros), into: index, at: offset)
            offset += Self.alignment
        }
        guard fsync(files[index]) == 0 else { throw StoreError(.diskFailed, "prepare \(paths[index])", number: errno) }
        if size == 0 { try FileBytes.syncFolder(FileBytes.folder(of: paths[index])) }
        prepared[index] = wanted
    }

    private mutating func openFile(_ index: Int) throws(StoreError) {
        if isDirect {
            files[index] = posto_open_direct(paths[index], 0o600)
            if files[index] >= 0 { return }
            guard errno == EINVAL else { throw StoreError(.system, "open \(paths[index])", number: errno) }
            isDirect = false
        }
        files[index] = open(paths[index], O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard files[index] >= 0 else { throw StoreError(.system, "open \(paths[index])", number: errno) }
    }

    private mutating func put(_ bytes: UnsafeMutableRawBufferPointer, into index: Int, at offset: Int = 0) throws(StoreError) {
        var count = pwrite(files[index], bytes.baseAddress, bytes.count, off_t(offset))
        if count < 0, errno == EINVAL, isDirect {
            // Some file systems take the flag at open and refuse the write.
            isDirect = false
            for other in files.indices where files[other] >= 0 {
                close(files[other])
                files[other] = -1
            }
            try openFile(index)
            count = pwrite(files[index], bytes.baseAddress, bytes.count, off_t(offset))
        }
        guard count == bytes.count else {
            throw StoreError(count >= 0 || errno == ENOSPC ? .full : .system, "write \(paths[index])", number: count < 0 ? errno : ENOSPC)
        }
        if !isDirect, fdatasync(files[index]) != 0 { throw StoreError(.system, "write \(paths[index])", number: errno) }
    }
}

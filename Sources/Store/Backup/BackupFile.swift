import CPlatform
import Crypto
import Domain
import Glibc

/// A file that is written from front to back, hashed on the way, and gets its name when all of it is on disk.
struct BackupFileWriter: ~Copyable {
    private let path: String
    private let temporary: String
    private let file: Int32
    private let hash = SHA256()
    // SAFETY: owned by this value alone, freed in `deinit`; the type is neither copyable nor Sendable.
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private(set) var bytesWritten = 0

    init(path: String) throws(StoreError) {
        self.path = path
        temporary = path + ".partial"
        file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StoreError(.system, "make \(path).partial", number: errno) }
        buffer = .allocate(byteCount: Limits.backupBufferBytes, alignment: 16)
        hash.begin()
    }

    deinit {
        buffer.deallocate()
        close(file)
        // After `finish` the name is gone and this does nothing.
        unlink(temporary)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        if used + bytes.count > buffer.count { try flush() }
        guard bytes.count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
        used += bytes.count
    }

    mutating func frame(_ kind: BackupFrame.Kind, table: UInt8, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
        throws(StoreError)
    {
        let frame = BackupFrame(kind, table: table, key: key, value: value)
        if used + BackupFrame.size > buffer.count { try flush() }
        frame.write(to: UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + BackupFrame.size]))
        used += BackupFrame.size
        try write(key)
        try write(value)
    }

    private mutating func flush() throws(StoreError) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        hash.update(bytes)
        try FileBytes.write(bytes, to: file, "write \(path)")
        bytesWritten += used
        used = 0
    }

    /// The SHA-256 of all bytes so far; nothing written afterwards is part of it.
    mutating func digest() throws(StoreError) -> [UInt8] {
        try flush()
        return hash.finish()
    }

    /// Puts the file under its name, durably.
    mutating func finish() throws(StoreError) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        try FileBytes.write(bytes, to: file, "write \(path)")
        bytesWritten += used
        used = 0
        guard fsync(file) == 0 else { throw StoreError(.diskFailed, "sync \(path)", number: errno) }
        try FileBytes.rename(temporary, to: path)
        try FileBytes.syncFolder(path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) + "/" : ".")
    }
}

/// Reads a backup from front to back and checks all of it: each frame's CRC, the CRC of each record, the order, the counts and the SHA-256.
struct BackupFileReader: ~Copyable {
    private let file: Int32
    private let hash = SHA256()
    // SAFETY: owned by this value alone, freed in `deinit`; the type is neither copyable nor Sendable.
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    let header: BackupHeader
    let fileBytes: Int

    init(path: String) throws(StoreError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError(.system, "open the backup \(path)", number: errno) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: BackupHeader.size)
        let isPlain = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let count = isPlain ? pread(file, &bytes, bytes.count, 0) : 0
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(StoreError) in try BackupHeader(UnsafeRawBufferPointer(rebasing: raw[..<max(0, count)])) }
        }
        guard case .success(let header) = result else {
            close(file)
            throw result.failure!
        }
        self.file = file
        self.header = header
        fileBytes = Int(status.st_size)
        buffer = .allocate(byteCount: Limits.backupBufferBytes, alignment: 16)
        hash.begin()
    }

    deinit {
        buffer.deallocate()
        close(file)
    }

    private static var cutOff: StoreError { StoreError(.corrupted, "read the backup: it is cut off") }
    private static var changed: StoreError { StoreError(.corrupted, "read the backup: it has changed since it was written") }

    /// Lends the next `count` bytes; they stay until the next call.
    private mutating func take(_ count: Int, hashed: Bool = true) throws(StoreError) -> UnsafeRawBufferPointer {
        if end - start < count {
            buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: end - start)
            (start, end) = (0, end - start)
            while end < count {
                let got = read(file, buffer.baseAddress! + end, buffer.count - end)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw StoreError(.system, "read the backup", number: errno) }
                guard got > 0 else { throw Self.cutOff }
                end += got
            }
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
        start += count
        if hashed { hash.update(bytes) }
        return bytes
    }

    /// Calls `body` with each table and each record, in the order of the file.
    ///
    /// - Parameter body: `isBulk` is true from the second environment on.
    /// - Throws: `.corrupted` at the first byte that is not as it was written. What `body` was given before must then be thrown away.
    mutating func readAll(
        _ body: (_ isBulk: Bool, _ table: UInt8, _ name: String, _ record: (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)?)
            throws(StoreError)
            -> Void
    ) throws(StoreError) {
        _ = try take(BackupHeader.size)
        var (tables, records) = (UInt64(0), UInt64(0))
        var current: (id: UInt8, name: String)?
        var isBulk = false
        while true {
            // The hash ends before the trailer, so a frame is hashed once its kind is known.
            let head = try take(BackupFrame.size, hashed: false)
            guard let frame = BackupFrame(head) else { throw Self.changed }
            let headCopy = [UInt8](head)
            if frame.kind == .trailer {
                guard isBulk == header.holdsBulk else { throw Self.changed }
                try readTrailer(frame, tables: tables, records: records)
                return
            }
            headCopy.withUnsafeBytes { hash.update($0) }
            let bytes = try take(frame.keyBytes + frame.valueBytes)
            let key = UnsafeRawBufferPointer(rebasing: bytes[..<frame.keyBytes])
            let value = UnsafeRawBufferPointer(rebasing: bytes[frame.keyBytes...])
            guard BackupFrame(frame.kind, table: frame.table, key: key, value: value) == frame else { throw Self.changed }
            if frame.kind == .environment {
                // The name is no path: only this one is known, and it comes once.
                guard header.holdsBulk, !isBulk, key.elementsEqual(Backup.bulkName.utf8), frame.valueBytes == 0 else { throw Self.changed }
                isBulk = true
                current = nil
            } else if frame.kind == .table {
                guard current.map({ $0.id < frame.table }) ?? true, !key.isEmpty else { throw Self.changed }
                current = (frame.table, String(decoding: key, as: UTF8.self))
                tables += 1
                try body(isBulk, frame.table, current!.name, nil)
            } else {
                guard let current, current.id == frame.table, key.first == frame.table, RecordHeader.read(key: key, value: value) != nil
                else { throw Self.changed }
                records += 1
                try body(isBulk, frame.table, current.name, (key, value))
            }
        }
    }

    private mutating func readTrailer(_ frame: BackupFrame, tables: UInt64, records: UInt64) throws(StoreError) {
        guard frame.keyBytes == 0, frame.valueBytes == BackupFrame.trailerBytes else { throw Self.changed }
        let value = try take(frame.valueBytes, hashed: false)
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        guard BackupFrame(.trailer, table: frame.table, key: empty, value: value) == frame,
            UInt64(littleEndian: value.loadUnaligned(as: UInt64.self)) == tables,
            UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) == records,
            value[16...].elementsEqual(hash.finish())
        else { throw Self.changed }
        var extra: UInt8 = 0
        guard start == end, read(file, &extra, 1) == 0 else { throw StoreError(.corrupted, "read the backup: something follows its end") }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}

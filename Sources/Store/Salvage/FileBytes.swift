import CPlatform
import Glibc

/// Plain work on files that check, salvage, backup and board share.
enum FileBytes {
    /// The beginning of a file; nil if it cannot be read.
    static func read(_ path: String, atMost limit: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let wanted = min(limit, Int(status.st_size))
        var total = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
            while total < wanted {
                let count = pread(file, buffer.baseAddress! + total, wanted - total, off_t(total))
                guard count > 0 else { break }
                total += count
            }
            initialized = total
        }
        return total == wanted ? bytes : nil
    }

    /// Writes all bytes, whatever signals or short writes come between.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ operation: String) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw StoreError(errno == ENOSPC || errno == EDQUOT ? .full : .system, operation, number: errno)
            }
            done += count
        }
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// The folder that a file lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes names in a folder durable.
    static func syncFolder(_ path: String) throws(StoreError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw StoreError(.system, "open the folder \(path)", number: errno) }
        defer { close(folder) }
        // Some file systems refuse it for folders, and need it not.
        guard fsync(folder) == 0 || errno == EINVAL else { throw StoreError(.diskFailed, "sync the folder \(path)", number: errno) }
    }

    static func rename(_ old: String, to new: String) throws(StoreError) {
        guard Glibc.rename(old, new) == 0 else {
            throw StoreError(errno == ENOSPC ? .full : .system, "rename \(old) to \(new)", number: errno)
        }
    }
}

import CPlatform
import Glibc
import Synchronization

/// A file by device and inode, held by one environment of the process at a time.
struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    private static let held = Mutex<Set<FileIdentity>>([])

    static func claim(_ descriptor: Int32) throws(StoreError) -> FileIdentity {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError(errno: "ask for the store's inode") }
        let identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        guard held.withLock({ $0.insert(identity).inserted }) else { throw StoreError(.locked, "open a store that is open") }
        return identity
    }

    func release() {
        _ = Self.held.withLock { $0.remove(self) }
    }
}

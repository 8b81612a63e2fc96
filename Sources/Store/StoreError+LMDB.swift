import CLMDB
import Glibc

extension StoreError {
    /// Throws what LMDB's `code` means to a caller; nothing for 0.
    ///
    /// EIO is `.diskFailed` here. After a commit it may also mean a full disk: `StoreEnvironment.classify` asks the file system.
    @inline(__always)
    static func check(_ code: Int32, _ operation: StaticString) throws(StoreError) {
        if code != 0 { throw StoreError(lmdb: code, operation) }
    }

    init(lmdb code: Int32, _ operation: StaticString) {
        let meaning: Code =
            switch code {
            case MDB_MAP_FULL, MDB_TXN_FULL, ENOSPC, EDQUOT: .full
            case EIO, MDB_PANIC: .diskFailed
            case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_INCOMPATIBLE: .corrupted
            case MDB_VERSION_MISMATCH: .newerFormat
            case MDB_READERS_FULL: .busy
            default: .system
            }
        self.init(meaning, "\(operation)", number: code)
    }

    /// The last failure of the operating system.
    init(errno operation: StaticString) {
        let number = errno
        self.init(number == ENOSPC || number == EDQUOT ? .full : number == EIO ? .diskFailed : .system, "\(operation)", number: number)
    }
}

import CPlatform
import Glibc

/// What the store asks of the file system below it; tests put their own in.
package struct StoreDisk: Sendable {
    /// Bytes that we may still write on the file system of this descriptor; nil if it does not say.
    package let freeBytes: @Sendable (_ descriptor: Int32) -> Int?
    /// Keeps room for the first `length` bytes of the file without changing its size. 0 or an errno.
    package let preallocate: @Sendable (_ descriptor: Int32, _ length: Int) -> Int32

    package init(
        freeBytes: @escaping @Sendable (Int32) -> Int?,
        preallocate: @escaping @Sendable (Int32, Int) -> Int32
    ) {
        self.freeBytes = freeBytes
        self.preallocate = preallocate
    }

    /// statvfs(3) and fallocate(2).
    package static let system = StoreDisk(
        freeBytes: { descriptor in
            var answer = statvfs()
            guard fstatvfs(descriptor, &answer) == 0 else { return nil }
            return Int(answer.f_bavail) * Int(answer.f_frsize)
        },
        preallocate: { descriptor, length in
            // There a block that is written anew is a new block: what was kept for the file is of no use to it.
            if posto_copies_on_write(descriptor) != 0 { return EOPNOTSUPP }
            while posto_preallocate(descriptor, 0, length) != 0 {
                if errno != EINTR { return errno }
            }
            return 0
        })
}

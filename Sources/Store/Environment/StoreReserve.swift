import CPlatform
import Domain
import Glibc
import Synchronization

/// Room kept on the disk, so that audit can be written when there is none. Shown in health.
package struct StoreReserve: Equatable, Sendable {
    package enum Method: Equatable, Sendable {
        /// Nothing was asked for.
        case none
        /// The file's blocks are its own already.
        case preallocated
        /// The file system cannot do that: a file that is removed when the disk is full.
        case ballast
    }

    package let method: Method
    package let wantedBytes: Int
    package let reservedBytes: Int

    package init(method: Method, wantedBytes: Int, reservedBytes: Int) {
        self.method = method
        self.wantedBytes = wantedBytes
        self.reservedBytes = reservedBytes
    }

    package var isComplete: Bool { reservedBytes >= wantedBytes }
}

/// Makes and keeps the reserve: preallocation, or a ballast file where the file system refuses it.
///
/// Never takes more than half of what is free, so that it is not us who fill a small disk. Any thread.
package final class StoreReserveKeeper: Sendable {
    private let descriptor: Int32
    private let ballastPath: String
    private let budgetBytes: Int
    private let disk: StoreDisk
    private let state: Mutex<StoreReserve>

    init(descriptor: Int32, ballastPath: String, wantedBytes: Int, disk: StoreDisk) {
        self.descriptor = descriptor
        self.ballastPath = ballastPath
        self.disk = disk
        budgetBytes = wantedBytes
        state = Mutex(StoreReserve(method: wantedBytes > 0 ? .preallocated : .none, wantedBytes: wantedBytes, reservedBytes: 0))
    }

    package var current: StoreReserve { state.withLock { $0 } }

    /// Takes what is missing, as far as there is room. At open and each minute; a ballast grows by one step a call.
    package func maintain() {
        state.withLock { reserve in
            guard reserve.method != .none, !reserve.isComplete, let free = disk.freeBytes(descriptor) else { return }
            if reserve.method == .preallocated {
                var status = stat()
                guard fstat(descriptor, &status) == 0 else { return }
                // Blocks the file has are not taken again; half of the rest of the disk is not ours to take.
                let has = Int(status.st_blocks) * 512
                let length = min(budgetBytes, max(has, reserve.reservedBytes) + free / 2)
                switch disk.preallocate(descriptor, length) {
                case 0: reserve = StoreReserve(method: .preallocated, wantedBytes: budgetBytes, reservedBytes: length)
                case EOPNOTSUPP, ENOSYS:
                    let wanted = min(Limits.ballastBytesMax, budgetBytes / 20)
                    reserve = StoreReserve(method: .ballast, wantedBytes: wanted, reservedBytes: existingBallast())
                default: return
                }
            }
            if reserve.method == .ballast, !reserve.isComplete {
                let step = min(Limits.ballastStepBytes, reserve.wantedBytes - reserve.reservedBytes, free / 2)
                let grown = growBallast(from: reserve.reservedBytes, by: step)
                reserve = StoreReserve(method: .ballast, wantedBytes: reserve.wantedBytes, reservedBytes: grown)
            }
        }
    }

    /// Gives the ballast's room back to the file system, at the first commit that finds it full. False if there was none.
    func release() -> Bool {
        state.withLock { reserve in
            guard reserve.method == .ballast, reserve.reservedBytes > 0 else { return false }
            unlink(ballastPath)
            reserve = StoreReserve(method: .ballast, wantedBytes: reserve.wantedBytes, reservedBytes: 0)
            return true
        }
    }

    private func existingBallast() -> Int {
        var status = stat()
        return stat(ballastPath, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    /// Bytes that no file system can compress away, because a ballast of zeros might weigh nothing.
    private func growBallast(from size: Int, by step: Int) -> Int {
        guard step > 0 else { return size }
        let file = open(ballastPath, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return size }
        defer { close(file) }
        var random: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(size)
        var grown = size
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8_192) { words in
            while grown < size + step {
                for i in words.indices {
                    random ^= random << 13
                    random ^= random >> 7
                    random ^= random << 17
                    words[i] = random
                }
                let bytes = min(words.count * 8, size + step - grown)
                let written = pwrite(file, words.baseAddress, bytes, grown)
                guard written > 0 else { return }
                grown += written
            }
        }
        fdatasync(file)
        return grown
    }
}

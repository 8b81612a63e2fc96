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

/// Makes and keeps the reserve: preallocation; a ballast file where the file system refuses it, or had not enough for it.
///
/// Never takes more than half of what is free, nor what the disk must keep to count as having room, so that it is not us who fill a small disk.
/// Any thread.
package final class StoreReserveKeeper: Sendable {
    private struct State {
        var reserve: StoreReserve
        var ballastBytes = 0
        /// Room that the ballast gave back and has not taken again: it is for audit alone.
        var owedBytes = 0
    }

    private let descriptor: Int32
    private let ballastPath: String
    private let budgetBytes: Int
    private let ballastBytesMax: Int
    private let diskFreeBytesMin: Int
    private let disk: StoreDisk
    private let state: Mutex<State>

    /// - Parameter budgetBytes: what is kept for the file; 0: nothing, no ballast either.
    init(descriptor: Int32, ballastPath: String, budgetBytes: Int, ballastBytesMax: Int, diskFreeBytesMin: Int, disk: StoreDisk) {
        self.descriptor = descriptor
        self.ballastPath = ballastPath
        self.budgetBytes = budgetBytes
        self.ballastBytesMax = ballastBytesMax
        self.diskFreeBytesMin = diskFreeBytesMin
        self.disk = disk
        let method = budgetBytes > 0 ? StoreReserve.Method.preallocated : .none
        state = Mutex(State(reserve: StoreReserve(method: method, wantedBytes: budgetBytes, reservedBytes: 0)))
    }

    package var current: StoreReserve { state.withLock { $0.reserve } }

    /// What a commit gave back to a full disk and the ballast has not taken again: until it has, free space up to this is no room for changes.
    package var owedBytes: Int { state.withLock { $0.owedBytes } }

    /// Takes what is missing, as far as there is room. At open and each minute; a ballast grows by one step a call.
    package func maintain() {
        state.withLock { state in
            guard state.reserve.method != .none else { return }
            if state.reserve.method == .preallocated, !state.reserve.isComplete { preallocate(&state) }
            if state.reserve.method == .preallocated, state.reserve.isComplete {
                // Of an earlier start, on a smaller disk.
                if FileBytes.exists(ballastPath) { unlink(ballastPath) }
                (state.ballastBytes, state.owedBytes) = (0, 0)
                return
            }
            if state.ballastBytes == 0 { state.ballastBytes = existingBallast() }
            if state.ballastBytes < ballastBytesMax { growBallast(&state) }
            if state.reserve.method == .ballast {
                state.reserve = StoreReserve(method: .ballast, wantedBytes: ballastBytesMax, reservedBytes: state.ballastBytes)
            }
        }
    }

    private func preallocate(_ state: inout State) {
        var status = stat()
        guard let free = disk.freeBytes(descriptor), fstat(descriptor, &status) == 0 else { return }
        // Blocks the file has are not taken again; half of the rest of the disk is not ours to take.
        let has = max(Int(status.st_blocks) * 512, state.reserve.reservedBytes)
        let length = min(budgetBytes, has + max(0, min(free / 2, free - 2 * diskFreeBytesMin)))
        switch disk.preallocate(descriptor, length) {
        case 0: state.reserve = StoreReserve(method: .preallocated, wantedBytes: budgetBytes, reservedBytes: length)
        case EOPNOTSUPP, ENOSYS: state.reserve = StoreReserve(method: .ballast, wantedBytes: ballastBytesMax, reservedBytes: 0)
        default: return
        }
    }

    /// Gives the ballast's room back to the file system, at the first commit that finds it full. False if there was none.
    func release() -> Bool {
        state.withLock { state in
            guard state.ballastBytes > 0 else { return false }
            unlink(ballastPath)
            state.owedBytes += state.ballastBytes
            state.ballastBytes = 0
            if state.reserve.method == .ballast {
                state.reserve = StoreReserve(method: .ballast, wantedBytes: ballastBytesMax, reservedBytes: 0)
            }
            return true
        }
    }

    private func existingBallast() -> Int {
        var status = stat()
        return stat(ballastPath, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    /// Bytes that no file system can compress away, because a ballast of zeros might weigh nothing.
    private func growBallast(_ state: inout State) {
        guard let free = disk.freeBytes(descriptor) else { return }
        let size = state.ballastBytes
        let step = min(Limits.ballastStepBytes, ballastBytesMax - size, free / 2, free - 2 * diskFreeBytesMin)
        guard step > 0 else { return }
        let file = open(ballastPath, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
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
        state.owedBytes = max(0, state.owedBytes - (grown - size))
        state.ballastBytes = grown
    }
}

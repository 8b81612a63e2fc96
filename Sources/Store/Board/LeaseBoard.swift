import CPlatform
import Domain
import Glibc

/// The deadlines of all leases, in memory that outlives the process: a shared mapping of a file that is best kept in a tmpfs.
///
/// A renewal is one compare-and-exchange here and no write to a disk. A word that was stored before the answer was sent is still there after
/// SIGKILL (Documentation/FORMATS.md §5). Renewals come from any thread; `set`, `clear` and `copy` belong to the thread that writes the store.
// SAFETY: @unchecked because of the raw pointer: it is set once, every access to what it points at is a 64-bit atomic of CPlatform, and
// the mapping is undone only in `deinit`.
package final class LeaseBoard: @unchecked Sendable {
    /// What became of a renewal.
    package enum RenewOutcome: Equatable, Sendable {
        /// The deadline on the board is at least the one asked for.
        case renewed
        /// Announced as expired; the writer must revive it.
        case expired
        /// The slot was given to a later lease.
        case otherGeneration
        /// The slot holds no lease.
        case closed
    }

    static let headerSize = 4_096
    static let version: UInt32 = 1
    static let magic: UInt64 = 0x4452_4142_4f54_5350  // "PSTOBARD"

    package let capacity: Int
    private let file: Int32
    private let base: UnsafeMutableRawPointer
    private let mappedBytes: Int

    private init(file: Int32, base: UnsafeMutableRawPointer, capacity: Int) {
        self.file = file
        self.base = base
        self.capacity = capacity
        mappedBytes = Self.bytes(capacity: capacity)
    }

    deinit {
        munmap(base, mappedBytes)
        close(file)
    }

    private static func bytes(capacity: Int) -> Int { headerSize + capacity * 8 }

    // MARK: Opening

    /// Opens the board at `path` and locks it for this process.
    ///
    /// - Returns: the board, and what was found. Unless that is `.valid` the board is empty, and nobody else will read it until `publish`.
    /// - Throws: `.locked` if another daemon has it, `.system` if it cannot be opened, is not a plain file of ours or cannot be mapped.
    package static func open(path: String, identity: BoardIdentity, capacity: Int = Limits.leaseSlotsMax, now: Uptime) throws(StoreError)
        -> (board: LeaseBoard, found: BoardRecovery.Board)
    {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StoreError(.system, "open the lease board \(path)", number: errno) }
        do throws(StoreError) {
            return try take(file: file, identity: identity, capacity: capacity, now: now)
        } catch {
            close(file)
            throw error
        }
    }

    private static func take(file: Int32, identity: BoardIdentity, capacity: Int, now: Uptime) throws(StoreError)
        -> (board: LeaseBoard, found: BoardRecovery.Board)
    {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreError(.system, "look at the lease board", number: errno) }
        // In /dev/shm anybody may lay a file in our way.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else { throw StoreError(.system, "own the lease board") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw StoreError(errno == EWOULDBLOCK ? .locked : .system, "lock the lease board", number: errno)
        }
        let size = bytes(capacity: capacity)
        let found = BoardHeader.read(from: file, size: Int(status.st_size)).map { header -> BoardRecovery.Board in
            guard header.identity.store == identity.store else { return .foreign }
            guard header.capacity == capacity else { return .absent }
            return .valid(boot: BoardRecovery.Boot(written: header.identity.boot, now: identity.boot), clockHolds: header.published <= now)
        }
        let keeps = found == .valid(boot: .same, clockHolds: true)
        // A board that will not be used is emptied at once: its words must never be read as those of the new one.
        if !keeps, ftruncate(file, 0) != 0 { throw StoreError(.system, "empty the lease board", number: errno) }
        guard ftruncate(file, off_t(size)) == 0 else { throw StoreError(.full, "size the lease board", number: errno) }
        let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let base, base != MAP_FAILED else { throw StoreError(.system, "map the lease board", number: errno) }
        return (LeaseBoard(file: file, base: base, capacity: capacity), found ?? .absent)
    }

    /// Writes the header, from which a later start knows that every slot has been filled in. To be called once after recovery.
    package func publish(_ identity: BoardIdentity, now: Uptime) {
        BoardHeader(identity: identity, capacity: capacity, published: now).write(
            to: UnsafeMutableRawBufferPointer(start: base, count: BoardHeader.size))
    }

    // MARK: Words

    private func pointer(_ slot: Int) -> UnsafeMutablePointer<UInt64> {
        precondition(slot >= 0 && slot < capacity, "slot \(slot) of a board of \(capacity)")
        return (base + Self.headerSize + slot * 8).assumingMemoryBound(to: UInt64.self)
    }

    private var changeCounter: UnsafeMutablePointer<UInt64> { (base + BoardHeader.size).assumingMemoryBound(to: UInt64.self) }

    /// Grows with every change; equal means that nothing needs to be copied.
    package var changes: UInt64 { posto_atomic_load(changeCounter) }

    package func word(_ slot: Int) -> LeaseWord { LeaseWord(rawValue: UInt64(littleEndian: posto_atomic_load(pointer(slot)))) }

    /// Moves the deadline of a lease, never backwards. From any thread.
    package func renew(slot: Int, generation: UInt16, deadline: Uptime) -> RenewOutcome {
        let word = pointer(slot)
        let wanted = LeaseWord(deadline: deadline, generation: generation)
        var seen = posto_atomic_load(word)
        while true {
            let current = LeaseWord(rawValue: UInt64(littleEndian: seen))
            guard current.isValid else { return .closed }
            guard current.generation == generation else { return .otherGeneration }
            guard !current.isExpired else { return .expired }
            guard current.deadline < wanted.deadline else { return .renewed }
            if posto_atomic_exchange_if(word, &seen, wanted.rawValue.littleEndian) != 0 {
                _ = posto_atomic_add(changeCounter, 1)
                return .renewed
            }
        }
    }

    /// Marks a lease as expired, unless it was renewed, closed or given away since `observed` was read.
    ///
    /// - Returns: whether it is now marked by this call; if not, a renewal was faster and the lease lives.
    package func markExpired(slot: Int, generation: UInt16, ifDeadlineIs observed: Uptime) -> Bool {
        let held = LeaseWord(deadline: observed, generation: generation)
        let ended = LeaseWord(deadline: observed, generation: generation, isExpired: true)
        var expected = held.rawValue.littleEndian
        guard posto_atomic_exchange_if(pointer(slot), &expected, ended.rawValue.littleEndian) != 0 else { return false }
        _ = posto_atomic_add(changeCounter, 1)
        return true
    }

    /// Gives a slot a lease, whatever stood there. By the writer only, once the lease's row is durable.
    package func set(slot: Int, to word: LeaseWord) {
        precondition(word.isValid, "an invalid word for slot \(slot)")
        posto_atomic_store(pointer(slot), word.rawValue.littleEndian)
        _ = posto_atomic_add(changeCounter, 1)
    }

    /// Takes the lease from a slot. By the writer only.
    package func clear(slot: Int) {
        posto_atomic_store(pointer(slot), 0)
        _ = posto_atomic_add(changeCounter, 1)
    }

    /// The number of slots up to the last that is set. Reads the board from its end: a millisecond at most.
    package func usedSlots() -> Int {
        var count = capacity
        while count > 0, posto_atomic_load(pointer(count - 1)) == 0 { count -= 1 }
        return count
    }
}

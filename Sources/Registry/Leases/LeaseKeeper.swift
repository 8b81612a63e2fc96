import Domain
import Store
import Synchronization

/// What is known of a lease at one moment.
package struct LeaseStatus: Equatable, Sendable {
    /// When it ends or ended; nil when nothing comparable with now is known.
    package let deadline: Uptime?
    /// It was announced as expired.
    package let isMarkedExpired: Bool

    package init(deadline: Uptime?, isMarkedExpired: Bool) {
        self.deadline = deadline
        self.isMarkedExpired = isMarkedExpired
    }
}

/// Keeps every lease's deadline and wakes for those that run out.
///
/// The deadlines are on the board, which outlives the process; here are the slots that are free, and one timer a lease. A renewal moves the
/// deadline on the board alone: its timer fires at the old one, sees the new one, and is set again. So a lease costs one timer a TTL,
/// however often it is renewed.
///
/// `renew` and `status` come from any thread; slots are given and taken by the writer's thread; timers by both and housekeeping.
package final class LeaseKeeper: Sendable {
    private struct Book {
        var wheel: TimerWheel
        /// When an expired lease is removed, by slot.
        var reapAt: [Int: Uptime] = [:]
        var free: [Int] = []
        /// Slots from here on have never been used.
        var unused = 0
        /// Slots that requests of the batch at work hold anew as soon as the disk has it, and how many do.
        var promised: [Int: Int] = [:]
        var generation: UInt16
    }

    package let board: LeaseBoard
    package let grace: Duration
    private let book: Mutex<Book>

    /// - Parameter generation: any start; a slot's leases then differ by it.
    package init(board: LeaseBoard, grace: Duration, now: Uptime, generation: UInt16) {
        self.board = board
        self.grace = grace
        book = Mutex(Book(wheel: TimerWheel(slots: 0, tick: .milliseconds(100), now: now), generation: generation))
    }

    // MARK: Any thread

    package func renew(slot: Int, generation: UInt16, deadline: Uptime) -> LeaseBoard.RenewOutcome {
        board.renew(slot: slot, generation: generation, deadline: deadline)
    }

    package func status(slot: Int, generation: UInt16) -> LeaseStatus {
        let word = board.word(slot)
        guard word.isValid, word.generation == generation else { return LeaseStatus(deadline: nil, isMarkedExpired: true) }
        // A deadline of zero was written for a lease of which nothing was known.
        let deadline = word.deadline.milliseconds == 0 ? nil : word.deadline
        return LeaseStatus(deadline: deadline, isMarkedExpired: word.isExpired)
    }

    // MARK: Start

    /// Takes over a lease that was found in the store.
    ///
    /// - Parameter deadline: what its holder may have been promised last; nil if nothing is known of it.
    /// - Returns: whether it begins as expired.
    package func adopt(slot: Int, generation: UInt16, ttl: Duration, deadline: Uptime?, ready: Uptime) -> Bool {
        let machine = LeaseRecovery.begin(deadline: deadline, ttl: ttl, grace: grace, ready: ready)
        return book.withLock { book in
            switch machine.state {
            case .held(let deadline):
                board.set(slot: slot, to: LeaseWord(deadline: deadline, generation: generation))
                book.wheel.arm(slot, at: deadline)
                return false
            case .expired(let reapAt):
                board.set(slot: slot, to: LeaseWord(deadline: deadline ?? Uptime(milliseconds: 0), generation: generation, isExpired: true))
                book.reapAt[slot] = reapAt
                book.wheel.arm(slot, at: reapAt)
                return true
            }
        }
    }

    /// Declares every slot free that is not among `used`. Once, after `adopt`.
    package func finishAdoption(used: borrowing [Bool]) {
        let count = used.count
        var free: [Int] = []
        for slot in 0..<count where !used[slot] {
            free.append(slot)
            if !board.word(slot).isEmpty { board.clear(slot: slot) }
        }
        // What a run before this one left further up is no lease of anybody's.
        let written = board.usedSlots()
        if written > count { for slot in count..<written where !board.word(slot).isEmpty { board.clear(slot: slot) } }
        book.withLock { book in
            book.unused = count
            // The lowest last, so that it is given first and the board stays short.
            book.free = free.reversed()
        }
    }

    // MARK: The writer's thread

    /// A slot for a new lease; nil when the board is full.
    package func allocate() -> (slot: Int, generation: UInt16)? {
        book.withLock { book in
            let slot: Int
            if let free = book.free.popLast() {
                slot = free
            } else if book.unused < board.capacity {
                slot = book.unused
                book.unused += 1
            } else {
                return nil
            }
            book.generation &+= 1
            return (slot, book.generation)
        }
    }

    /// Gives back a slot whose lease never came to be.
    package func giveBack(slot: Int) {
        book.withLock { $0.free.append(slot) }
    }

    /// Notes that the lease in `slot` will be held anew by a request that has been performed and is not yet on the disk: until then the board
    /// shows the old state, by which nothing else of the batch may expire, remove or announce it.
    package func promise(slot: Int) {
        book.withLock { $0.promised[slot, default: 0] += 1 }
    }

    /// The request has held it, or came to another decision, or failed.
    package func withdrawPromise(slot: Int) {
        book.withLock { book in
            let left = (book.promised[slot] ?? 1) - 1
            book.promised[slot] = left > 0 ? left : nil
        }
    }

    package func isPromised(slot: Int) -> Bool { book.withLock { $0.promised[slot] != nil } }

    /// Whether it takes a change to bring the lease back.
    package func isLapsed(slot: Int, generation: UInt16) -> Bool {
        !isPromised(slot: slot) && status(slot: slot, generation: generation).isMarkedExpired
    }

    /// Begins a lease, or begins it anew, once its row is durable.
    ///
    /// - Parameter isShorter: the TTL has become shorter, so that the deadline may go back. Otherwise it never does: a renewal of another
    ///   thread may have promised a little more.
    package func hold(slot: Int, generation: UInt16, deadline: Uptime, isShorter: Bool = false) {
        if isShorter || board.renew(slot: slot, generation: generation, deadline: deadline) != .renewed {
            board.set(slot: slot, to: LeaseWord(deadline: deadline, generation: generation))
        }
        book.withLock { book in
            book.reapAt[slot] = nil
            book.wheel.arm(slot, at: deadline)
        }
    }

    /// Marks a lease as expired unless a renewal was faster.
    package func markExpired(slot: Int, generation: UInt16, observed: Uptime) -> Bool {
        board.markExpired(slot: slot, generation: generation, ifDeadlineIs: observed)
    }

    /// Takes a mark back, because the store did not take the change.
    package func unmark(slot: Int, generation: UInt16, deadline: Uptime, retryAt: Uptime) {
        board.set(slot: slot, to: LeaseWord(deadline: deadline, generation: generation))
        wake(slot: slot, at: retryAt)
    }

    /// An expired lease waits for its removal.
    package func awaitReap(slot: Int, at moment: Uptime) {
        book.withLock { book in
            book.reapAt[slot] = moment
            book.wheel.arm(slot, at: moment)
        }
    }

    /// Ends a lease whose rows are gone.
    package func end(slot: Int) {
        board.clear(slot: slot)
        book.withLock { book in
            book.wheel.disarm(slot)
            book.reapAt[slot] = nil
            book.free.append(slot)
        }
    }

    package func wake(slot: Int, at moment: Uptime) {
        book.withLock { $0.wheel.arm(slot, at: moment) }
    }

    /// When the lease in `slot`, if it is expired, is removed.
    package func reapAt(slot: Int) -> Uptime? {
        book.withLock { $0.reapAt[slot] }
    }

    // MARK: Housekeeping

    /// The slots whose time has come; each must be armed again or ended. Those that were renewed are armed again here.
    package func due(now: Uptime) -> [Int] {
        book.withLock { book in
            var fired: [Int] = []
            book.wheel.advance(to: now) { fired.append($0) }
            var due: [Int] = []
            for slot in fired {
                let word = board.word(slot)
                if word.isValid, !word.isExpired, word.deadline > now {
                    book.wheel.arm(slot, at: word.deadline)
                } else {
                    due.append(slot)
                }
            }
            return due
        }
    }

    /// Slots up to the last that was ever given: what a copy of the board must hold.
    package var usedSlots: Int { book.withLock { $0.unused } }

    package func nextDue() -> Uptime? {
        book.withLock { $0.wheel.nextDue() }
    }
}

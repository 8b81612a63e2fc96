import CPlatform
import Domain
import Glibc
import Synchronization
import Testing

@testable import Store

@Suite("the lease board")
struct LeaseBoardTests {
    static let identity = BoardIdentity(boot: Identifier16(high: 1, low: 1), store: Identifier16(high: 2, low: 2))

    private func uptime(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

    private func open(_ path: String, _ identity: BoardIdentity = identity, capacity: Int = 1_024, now: Int64 = 1_000) throws
        -> (board: LeaseBoard, found: BoardRecovery.Board)
    {
        var waits = 0
        while true {
            do throws(StoreError) {
                return try LeaseBoard.open(path: path, identity: identity, capacity: capacity, now: uptime(now))
            } catch {
                // Other tests of this process fork, and a child holds every lock that we had until it ends; nobody tells when.
                guard error.code == .locked, waits < 6_000 else { throw error }
                waits += 1
                poll(nil, 0, 10)
            }
        }
    }

    @Test("a word keeps its parts, and a deadline is rounded up, never down")
    func words() {
        for (milliseconds, stored) in [(0, 0), (1, 10), (9, 10), (10, 10), (11, 20), (86_400_000_001, 86_400_000_010)] as [(Int64, Int64)] {
            for isExpired in [false, true] {
                let word = LeaseWord(deadline: uptime(milliseconds), generation: 65_535, isExpired: isExpired)
                #expect(word.deadline == uptime(stored) && word.generation == 65_535 && word.isExpired == isExpired && word.isValid)
            }
        }
        #expect(LeaseWord.empty.isEmpty && !LeaseWord.empty.isValid)
        #expect(LeaseWord(deadline: uptime(0), generation: 0).rawValue != 0)
    }

    @Test("a word with any bit flipped is not valid")
    func flippedWords() {
        let word = LeaseWord(deadline: uptime(123_456_780), generation: 77)
        for bit in 0..<64 { #expect(!LeaseWord(rawValue: word.rawValue ^ 1 << UInt64(bit)).isValid, "bit \(bit)") }
    }

    @Test("a renewal moves a deadline forwards only, and only for its own lease")
    func renewal() throws {
        let folder = CareFolder()
        let board = try open(folder.file("b")).board
        #expect(board.renew(slot: 5, generation: 1, deadline: uptime(100)) == .closed)
        board.set(slot: 5, to: LeaseWord(deadline: uptime(1_000), generation: 1))
        #expect(board.renew(slot: 5, generation: 1, deadline: uptime(2_001)) == .renewed)
        #expect(board.word(5).deadline == uptime(2_010))
        #expect(board.renew(slot: 5, generation: 1, deadline: uptime(500)) == .renewed)
        #expect(board.word(5).deadline == uptime(2_010))
        #expect(board.renew(slot: 5, generation: 2, deadline: uptime(9_000)) == .otherGeneration)
        #expect(!board.markExpired(slot: 5, generation: 1, ifDeadlineIs: uptime(1_000)))
        #expect(!board.markExpired(slot: 5, generation: 2, ifDeadlineIs: uptime(2_010)))
        #expect(board.markExpired(slot: 5, generation: 1, ifDeadlineIs: uptime(2_010)))
        #expect(board.renew(slot: 5, generation: 1, deadline: uptime(9_000)) == .expired)
        board.clear(slot: 5)
        #expect(board.renew(slot: 5, generation: 1, deadline: uptime(9_000)) == .closed)
        #expect(board.usedSlots() == 0)
        board.set(slot: 900, to: LeaseWord(deadline: uptime(1), generation: 1))
        #expect(board.usedSlots() == 901)
    }

    @Test("a board is found again with every word, but only once it was published")
    func reopened() throws {
        let folder = CareFolder()
        do {
            let (board, found) = try open(folder.file("b"))
            #expect(found == .absent)
            board.set(slot: 3, to: LeaseWord(deadline: uptime(77_770), generation: 9))
        }
        do {
            let (board, found) = try open(folder.file("b"))
            #expect(found == .absent)
            #expect(board.word(3) == .empty, "an unfinished board is not believed")
            board.set(slot: 3, to: LeaseWord(deadline: uptime(77_770), generation: 9))
            board.publish(Self.identity, now: uptime(1_000))
        }
        do {
            let (board, found) = try open(folder.file("b"))
            #expect(found == .valid(boot: .same, clockHolds: true))
            #expect(board.word(3) == LeaseWord(deadline: uptime(77_770), generation: 9))
            #expect(board.changes == 1)
        }
        #expect(try open(folder.file("b"), now: 999).found == .valid(boot: .same, clockHolds: false))
    }

    @Test("a board of another boot, store, size or none at all is emptied")
    func foreign() throws {
        let other = Identifier16(high: 9, low: 9)
        let cases: [(BoardIdentity, Int, BoardRecovery.Board)] = [
            (BoardIdentity(boot: other, store: Self.identity.store), 1_024, .valid(boot: .other, clockHolds: true)),
            (BoardIdentity(boot: nil, store: Self.identity.store), 1_024, .valid(boot: .unknown, clockHolds: true)),
            (BoardIdentity(boot: Self.identity.boot, store: other), 1_024, .foreign), (Self.identity, 2_048, .absent),
        ]
        for (identity, capacity, expected) in cases {
            let folder = CareFolder()
            do {
                let board = try open(folder.file("b")).board
                board.set(slot: 3, to: LeaseWord(deadline: uptime(77_770), generation: 9))
                board.publish(Self.identity, now: uptime(1_000))
            }
            let (board, found) = try open(folder.file("b"), identity, capacity: capacity)
            #expect(found == expected)
            #expect(board.word(3) == .empty)
        }
    }

    @Test("a second daemon does not get the board")
    func locked() throws {
        let folder = CareFolder()
        let first = try open(folder.file("b")).board
        let error = #expect(throws: StoreError.self) {
            _ = try LeaseBoard.open(path: folder.file("b"), identity: Self.identity, capacity: 1_024, now: uptime(1_000))
        }
        #expect(error?.code == .locked)
        #expect(first.word(0) == .empty)
    }

    @Test("when renewals race with the mark of expiry, exactly one wins and both know it")
    func race() throws {
        let folder = CareFolder()
        let board = try open(folder.file("b"), capacity: 64).board
        let rounds = 20_000
        let turn = Atomic(0)
        let renewed = Mutex([Bool](repeating: false, count: rounds))
        let marked = Mutex([Bool](repeating: false, count: rounds))
        let start = uptime(1_000)
        // Each round has a slot and generation of its own, prepared beforehand, so that threads meet without waiting for each other.
        for round in stride(from: 0, to: rounds, by: 64) {
            let slots = min(64, rounds - round)
            for slot in 0..<slots { board.set(slot: slot, to: LeaseWord(deadline: start, generation: UInt16(round & 0xFFFF))) }
            turn.store(0, ordering: .releasing)
            let renewer = CareThread {
                turn.add(1, ordering: .acquiringAndReleasing)
                while turn.load(ordering: .acquiring) < 2 {}
                for slot in 0..<slots {
                    let outcome = board.renew(slot: slot, generation: UInt16(round & 0xFFFF), deadline: Uptime(milliseconds: 5_000))
                    renewed.withLock { $0[round + slot] = outcome == .renewed }
                }
            }
            turn.add(1, ordering: .acquiringAndReleasing)
            while turn.load(ordering: .acquiring) < 2 {}
            for slot in 0..<slots {
                let outcome = board.markExpired(slot: slot, generation: UInt16(round & 0xFFFF), ifDeadlineIs: start)
                marked.withLock { $0[round + slot] = outcome }
            }
            renewer.join()
            for slot in 0..<slots {
                let word = board.word(slot)
                let (won, lost) = (renewed.withLock { $0[round + slot] }, marked.withLock { $0[round + slot] })
                #expect(won != lost)
                #expect(word.isValid && word.isExpired == lost && word.deadline == uptime(won ? 5_000 : 1_000))
            }
        }
    }

    @Test("SIGKILL loses no acknowledged renewal and tears none")
    func killed() throws {
        let folder = CareFolder()
        let path = folder.file("b")
        let slots = 32
        do {
            let board = try open(path, capacity: slots).board
            for slot in 0..<slots { board.set(slot: slot, to: LeaseWord(deadline: uptime(10), generation: 1)) }
            board.publish(Self.identity, now: uptime(0))
        }
        var random = CareRandom(seed: 11)
        var known = [Int64](repeating: 10, count: slots)
        for _ in 0..<60 {
            var ends: [Int32] = [-1, -1]
            #expect(posto_pipe(&ends) == 0)
            let start = known.max()! / 10
            let child = posto_fork()
            if child == 0 {
                guard
                    let board = try? LeaseBoard.open(path: path, identity: Self.identity, capacity: slots, now: Uptime(milliseconds: 0))
                        .board
                else { _exit(1) }
                var step = start
                while true {
                    step += 1
                    let slot = Int(step) % slots
                    guard board.renew(slot: slot, generation: 1, deadline: Uptime(milliseconds: step * 10)) == .renewed else { _exit(2) }
                    // The acknowledgement: first stored, then said.
                    guard write(ends[1], &step, 8) == 8 else { _exit(3) }
                }
            }
            close(ends[1])
            var acknowledged: Int64 = 0
            for _ in 0..<Int.random(in: 1...3_000, using: &random) {
                var step: Int64 = 0
                guard read(ends[0], &step, 8) == 8 else { break }
                acknowledged = step
                known[Int(step) % slots] = step * 10
            }
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
            var step: Int64 = 0
            while read(ends[0], &step, 8) == 8 {
                acknowledged = step
                known[Int(step) % slots] = step * 10
            }
            close(ends[0])
            #expect(status & 0x7F == SIGKILL && acknowledged > 0)
            let (board, found) = try open(path, capacity: slots)
            #expect(found == .valid(boot: .same, clockHolds: true))
            for slot in 0..<slots {
                let word = board.word(slot)
                // At most the one renewal in flight is there without having been acknowledged.
                let inFlight = (acknowledged + 1) * 10
                #expect(word.isValid && (word.deadline == uptime(known[slot]) || word.deadline == uptime(inFlight)))
                known[slot] = word.deadline.milliseconds
            }
        }
    }
}

/// A thread that is joined.
final class CareThread {
    private var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        // SAFETY: the thread takes over the reference that is retained here, once.
        let box = Unmanaged.passRetained(Box(body))
        precondition(
            pthread_create(
                &thread, nil,
                { raw in
                    // SAFETY: balances passRetained above.
                    Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
                    return nil
                }, box.toOpaque()) == 0)
    }

    func join() { pthread_join(thread, nil) }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

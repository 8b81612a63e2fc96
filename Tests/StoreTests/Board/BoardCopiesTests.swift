import CPlatform
import Domain
import Glibc
import Testing

@testable import Store

@Suite("copies of the lease board")
struct BoardCopiesTests {
    private let identity = LeaseBoardTests.identity

    private func board(_ folder: CareFolder, slots: Int) throws -> LeaseBoard {
        let board = try LeaseBoard.open(path: folder.file("board"), identity: identity, capacity: 4_096, now: Uptime(milliseconds: 0)).board
        for slot in 0..<slots { board.set(slot: slot, to: LeaseWord(deadline: Uptime(milliseconds: Int64(slot) * 1_000), generation: 4)) }
        return board
    }

    @Test("107 leases fit into 1 KiB every 5 s, and more leases are copied less often")
    func size() {
        #expect(BoardCopy.bytes(slots: 107) == 1_024)
        #expect(LeaseBoardKeeper.period(copyBytes: 1_024) == .seconds(5))
        for slots in [0, 107, 400, 1_000, 10_000, 100_000] {
            let bytes = BoardCopy.bytes(slots: slots)
            let day = Duration.seconds(86_400) / LeaseBoardKeeper.period(copyBytes: bytes) * Double(bytes + Limits.leaseCopyOverheadBytes)
            #expect(bytes % 512 == 0 && day <= Double(Limits.leaseCopyBytesPerDayMax), "\(slots) slots")
        }
    }

    @Test("copies take turns, and the newest whole one is read", arguments: ["/tmp", "/dev/shm"])
    func turns(root: String) throws {
        let folder = CareFolder(root)
        let board = try board(folder, slots: 107)
        var copies = BoardCopies(folder: folder.path, identity: identity, newest: nil)
        #expect(BoardCopies.newest(in: folder.path, store: identity.store) == nil)
        for round in 1...6 as ClosedRange<Int64> {
            let bytes = try copies.write(board, slots: 107, now: Uptime(milliseconds: round), timeFloor: Timestamp(milliseconds: 7))
            #expect(bytes == 1_024)
            let (copy, index) = try #require(BoardCopies.newest(in: folder.path, store: identity.store))
            #expect(copy.sequence == UInt64(round) && index == Int(round + 1) % 2 && copy.takenAt == Uptime(milliseconds: round))
            #expect(copy.timeFloor == Timestamp(milliseconds: 7))
            #expect(copy.words == (0..<107).map(board.word))
        }
        // The files were made once, and no copy changes their size.
        for path in BoardCopies.paths(in: folder.path) { #expect(FileBytes.size(path) == 4_096) }
        // A torn newest copy leaves the one before.
        CareFile.overwrite(BoardCopies.paths(in: folder.path)[1], at: 600, with: [0xFF, 0xFF])
        #expect(BoardCopies.newest(in: folder.path, store: identity.store)?.copy.sequence == 5)
        #expect(BoardCopies.newest(in: folder.path, store: Identifier16(high: 5, low: 5)) == nil)
    }

    @Test("a copy of the version before is read, and nothing is believed of the time in it")
    func olderVersion() throws {
        let folder = CareFolder()
        let board = try board(folder, slots: 3)
        var copies = BoardCopies(folder: folder.path, identity: identity, newest: nil)
        _ = try copies.write(board, slots: 3, now: Uptime(milliseconds: 1), timeFloor: Timestamp(milliseconds: 7))
        let path = BoardCopies.paths(in: folder.path)[0]
        var bytes = CareFile.read(path)
        for (version, isRead) in [(1, true), (3, false)] as [(UInt8, Bool)] {
            bytes[8] = version
            let checksum = bytes.withUnsafeBytes { posto_crc32c(posto_crc32c(0, $0.baseAddress, 76), $0.baseAddress! + 80, 24) }
            withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(76..<80, with: $0) }
            CareFile.write(bytes, to: path)
            let newest = BoardCopies.newest(in: folder.path, store: identity.store)
            #expect((newest != nil) == isRead && newest?.copy.timeFloor == nil)
            if isRead { #expect(newest?.copy.words == (0..<3).map(board.word)) }
        }
    }

    @Test("the turn goes on after a restart with the older file, and a grown board fits")
    func restart() throws {
        let folder = CareFolder()
        let board = try board(folder, slots: 2_000)
        do {
            var copies = BoardCopies(folder: folder.path, identity: identity, newest: nil)
            _ = try copies.write(board, slots: 10, now: Uptime(milliseconds: 1), timeFloor: Timestamp(milliseconds: 7))
        }
        var copies = BoardCopies(
            folder: folder.path, identity: identity, newest: BoardCopies.newest(in: folder.path, store: identity.store))
        _ = try copies.write(board, slots: 2_000, now: Uptime(milliseconds: 2), timeFloor: Timestamp(milliseconds: 7))
        let (copy, index) = try #require(BoardCopies.newest(in: folder.path, store: identity.store))
        #expect(index == 1 && copy.sequence == 2 && copy.words.count == 2_000)
    }

    @Test("a copy is due when something changed and its time has come")
    func keeper() {
        var keeper = LeaseBoardKeeper()
        func at(_ seconds: Int64) -> Uptime { Uptime(milliseconds: seconds * 1_000) }
        #expect(!keeper.shouldWrite(now: at(0), changes: 0, copyBytes: 512))
        #expect(keeper.shouldWrite(now: at(0), changes: 1, copyBytes: 512))
        keeper.wrote(now: at(0), changes: 1)
        #expect(!keeper.shouldWrite(now: at(100), changes: 1, copyBytes: 512))
        #expect(!keeper.shouldWrite(now: at(4), changes: 2, copyBytes: 512))
        #expect(keeper.shouldWrite(now: at(5), changes: 2, copyBytes: 512))
        keeper.failed(now: at(5))
        #expect(!keeper.shouldWrite(now: at(9), changes: 2, copyBytes: 512))
        #expect(keeper.shouldWrite(now: at(10), changes: 2, copyBytes: 512))
        #expect(!keeper.shouldWrite(now: at(15), changes: 2, copyBytes: 800_000))
        // A quiet board is copied for the time it carries.
        keeper.wrote(now: at(20), changes: 2)
        #expect(!keeper.shouldWrite(now: at(319), changes: 2, copyBytes: 512))
        #expect(keeper.shouldWrite(now: at(320), changes: 2, copyBytes: 512))
    }

    @Test("recovery decides by board, boot, copy and clock")
    func recovery() {
        let now = Uptime(milliseconds: 50_000)
        let period = Duration.seconds(5)
        func copy(_ boot: BoardRecovery.Boot, _ taken: Int64 = 40_000) -> BoardRecovery.Copy {
            .valid(boot: boot, takenAt: Uptime(milliseconds: taken), period: period)
        }
        let fromCopy = BoardRecovery.fromCopy(takenAt: Uptime(milliseconds: 40_000), unseen: .seconds(10))
        let table: [(BoardRecovery.Board, BoardRecovery.Copy, BoardRecovery)] = [
            (.valid(boot: .same, clockHolds: true), .none, .exact),
            (.valid(boot: .same, clockHolds: true), copy(.same), .exact),
            (.valid(boot: .same, clockHolds: true), copy(.other), .exact),
            (.valid(boot: .same, clockHolds: false), copy(.same), .allExpired(.clockWentBack)),
            (.valid(boot: .other, clockHolds: true), copy(.other), .allExpired(.rebooted)),
            (.valid(boot: .other, clockHolds: false), .none, .allExpired(.rebooted)),
            (.valid(boot: .other, clockHolds: true), copy(.same), fromCopy),
            (.valid(boot: .unknown, clockHolds: true), .none, .allExpired(.bootUnknown)),
            (.valid(boot: .unknown, clockHolds: true), copy(.unknown), .allExpired(.bootUnknown)),
            (.absent, copy(.same), fromCopy),
            (.absent, copy(.same, 50_001), .allExpired(.clockWentBack)),
            (.absent, copy(.other), .allExpired(.rebooted)),
            (.absent, copy(.unknown), .allExpired(.bootUnknown)),
            (.absent, .none, .allExpired(.nothingLeft)),
            (.foreign, copy(.same), fromCopy),
            (.foreign, .none, .allExpired(.foreign)),
        ]
        for (board, copy, expected) in table { #expect(BoardRecovery.decide(board: board, copy: copy, now: now) == expected) }
    }

    @Test("a deadline out of a copy is never earlier than any that was promised before the board was lost", arguments: [1, 2] as [UInt64])
    func neverEarly(seed: UInt64) {
        var random = CareRandom(seed: seed)
        for _ in 0..<10_000 {
            let ttl = Int64.random(in: 1_000...60_000, using: &random)
            let taken = Int64.random(in: 100_000...200_000, using: &random)
            let before = taken - Int64.random(in: 0..<ttl, using: &random)
            let after = taken + Int64.random(in: 0...10_000, using: &random)
            let recovery = BoardRecovery.decide(
                board: .absent, copy: .valid(boot: .same, takenAt: Uptime(milliseconds: taken), period: .seconds(5)),
                now: Uptime(milliseconds: after + 1))
            let word = LeaseWord(deadline: Uptime(milliseconds: before + ttl), generation: 1)
            #expect(recovery.deadline(of: word, ttl: .milliseconds(ttl))! >= Uptime(milliseconds: after + ttl))
        }
        // A lease that began after the copy, or was over in it and came back.
        let recovery = BoardRecovery.fromCopy(takenAt: Uptime(milliseconds: 100_000), unseen: .seconds(10))
        let over = LeaseWord(deadline: Uptime(milliseconds: 99_000), generation: 1, isExpired: true)
        #expect(recovery.deadline(of: over, ttl: .seconds(60)) == nil && recovery.deadline(of: .empty, ttl: .seconds(60)) == nil)
        #expect(recovery.deadlineUnseen(ttl: .seconds(60)) == Uptime(milliseconds: 170_000))
        #expect(BoardRecovery.exact.deadlineUnseen(ttl: .seconds(60)) == nil)
        #expect(BoardRecovery.allExpired(.rebooted).deadlineUnseen(ttl: .seconds(60)) == nil)
        #expect(
            BoardRecovery.allExpired(.rebooted).deadline(of: LeaseWord(deadline: Uptime(milliseconds: 9), generation: 1), ttl: .seconds(1))
                == nil)
    }

    @Test("the board lies in the runtime folder first, and its name is that of the state folder alone")
    func location() throws {
        let (folder, runtime, other) = (CareFolder(), CareFolder(), CareFolder())
        let environment = ["RUNTIME_DIRECTORY": runtime.path + ":/elsewhere", "XDG_RUNTIME_DIR": other.path]
        #expect(
            BoardLocation.candidates(stateDirectory: "/s", environment: environment)
                == [runtime.path, "/run/posto", other.path, "/dev/shm", "/s"])
        let path = try BoardLocation.choose(stateDirectory: folder.path, environment: environment)
        #expect(path.hasPrefix(runtime.path + "/lease-"))
        #expect(try BoardLocation.choose(stateDirectory: folder.path + "/.", environment: environment) == path)
        #expect(try BoardLocation.choose(stateDirectory: other.path, environment: environment) != path)
        #expect(throws: StoreError.self) { try BoardLocation.choose(stateDirectory: "/none", environment: [:]) }
    }

    @Test("a file that somebody else laid in the way is not taken")
    func symbolicLink() throws {
        let folder = CareFolder()
        CareFile.write([1], to: folder.file("target"))
        #expect(symlink(folder.file("target"), folder.file("board")) == 0)
        #expect(throws: StoreError.self) {
            _ = try LeaseBoard.open(path: folder.file("board"), identity: identity, capacity: 8, now: Uptime(milliseconds: 0))
        }
        #expect(CareFile.read(folder.file("target")) == [1])
    }
}

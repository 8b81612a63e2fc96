import Crypto
import Domain
import Glibc
import Registry
import ServiceManager
import Store

/// The lease board of a node, found again or made anew, and its copies.
package struct LeaseHouse: ~Copyable {
    package let keeper: LeaseKeeper
    package let recovery: BoardRecovery
    /// Deadlines of the newest copy, for a board that was lost.
    package let copiedWords: [LeaseWord]
    package let boardPath: String
    package var copies: BoardCopies
    let boardIdentity: BoardIdentity
    /// The trusted-time floor that the newest copy carries.
    let savedTime: Timestamp?

    package static func open(
        storeID: [UInt8], folder: borrowing StateDirectory, grace: Duration, time: TimeSource, log: Log
    ) throws(DaemonFailure) -> LeaseHouse {
        let identity = BoardIdentity(boot: Identifier16.currentBoot(), store: Identifier16(storeID)!)
        let now = time.uptime()
        do throws(StoreError) {
            let path = try BoardLocation.choose(stateDirectory: folder.path, environment: boardEnvironment())
            let (board, found) = try LeaseBoard.open(path: path, identity: identity, now: now)
            let newest = BoardCopies.newest(in: folder.storeFolder, store: identity.store)
            let copy: BoardRecovery.Copy =
                if let newest {
                    .valid(
                        boot: BoardRecovery.Boot(written: newest.copy.identity.boot, now: identity.boot), takenAt: newest.copy.takenAt,
                        period: newest.copy.period)
                } else {
                    .none
                }
            let recovery = BoardRecovery.decide(board: found, copy: copy, now: now)
            log.info("leases", "board_opened", ["path": .text(path), "recovery": .text("\(recovery)")])
            let seed = randomBytes(2)
            let keeper = LeaseKeeper(board: board, grace: grace, now: now, generation: UInt16(seed[0]) << 8 | UInt16(seed[1]))
            return LeaseHouse(
                keeper: keeper, recovery: recovery, copiedWords: newest?.copy.words ?? [], boardPath: path,
                copies: BoardCopies(folder: folder.storeFolder, identity: identity, newest: newest), boardIdentity: identity,
                savedTime: newest?.copy.timeFloor)
        } catch {
            throw DaemonFailure(error, "the lease board")
        }
    }

    private init(
        keeper: LeaseKeeper, recovery: BoardRecovery, copiedWords: [LeaseWord], boardPath: String, copies: consuming BoardCopies,
        boardIdentity: BoardIdentity, savedTime: Timestamp?
    ) {
        self.keeper = keeper
        self.recovery = recovery
        self.copiedWords = copiedWords
        self.boardPath = boardPath
        self.copies = copies
        self.boardIdentity = boardIdentity
        self.savedTime = savedTime
    }

    /// Takes over every lease of the registry, and makes the board one that a later start may believe.
    ///
    /// - Returns: leases that lapsed while nobody could renew them.
    func adopt(into registry: ServiceRegistry, time: TimeSource) throws(StoreError) -> [Int] {
        let ready = time.uptime()
        let lapsed = try registry.load(ready: ready) { slot, generation, ttl in
            let word: LeaseWord
            switch recovery {
            case .exact: word = keeper.board.word(slot)
            case .fromCopy: word = slot < copiedWords.count ? copiedWords[slot] : .empty
            case .allExpired: return nil
            }
            let seen = word.generation == generation ? recovery.deadline(of: word, ttl: ttl) : nil
            return seen ?? recovery.deadlineUnseen(ttl: ttl)
        }
        keeper.board.publish(boardIdentity, now: ready)
        return lapsed
    }

    private static func boardEnvironment() -> [String: String] {
        var environment: [String: String] = [:]
        for name in ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }
}

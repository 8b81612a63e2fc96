import Domain
import Store
import Testing

@testable import Registry

@Suite("the lease's machine")
struct LeaseMachineTests {
    private func uptime(_ seconds: Int64) -> Uptime { Uptime(milliseconds: seconds * 1_000) }

    private func lease(_ state: LeaseMachine.State) -> LeaseMachine {
        LeaseMachine(state: state, ttl: .seconds(60), grace: .seconds(15))
    }

    struct Step: Sendable, CustomTestStringConvertible {
        let state: LeaseMachine.State
        let now: Int64
        let action: LeaseMachine.Action
        let after: LeaseMachine.State
        var testDescription: String { "\(state) at \(now)" }
    }

    private static func at(_ seconds: Int64) -> Uptime { Uptime(milliseconds: seconds * 1_000) }

    private static let fired: [Step] = [
        Step(state: .held(deadline: at(60)), now: 0, action: .wake(at: at(60)), after: .held(deadline: at(60))),
        Step(state: .held(deadline: at(60)), now: 59, action: .wake(at: at(60)), after: .held(deadline: at(60))),
        Step(state: .held(deadline: at(60)), now: 60, action: .announceExpired(wakeAt: at(75)), after: .expired(reapAt: at(75))),
        Step(state: .held(deadline: at(60)), now: 70, action: .announceExpired(wakeAt: at(75)), after: .expired(reapAt: at(75))),
        Step(state: .held(deadline: at(60)), now: 75, action: .announceExpired(wakeAt: at(75)), after: .expired(reapAt: at(75))),
        Step(state: .held(deadline: at(60)), now: 400, action: .announceExpired(wakeAt: at(400)), after: .expired(reapAt: at(400))),
        Step(state: .expired(reapAt: at(75)), now: 60, action: .wake(at: at(75)), after: .expired(reapAt: at(75))),
        Step(state: .expired(reapAt: at(75)), now: 74, action: .wake(at: at(75)), after: .expired(reapAt: at(75))),
        Step(state: .expired(reapAt: at(75)), now: 75, action: .remove, after: .expired(reapAt: at(75))),
        Step(state: .expired(reapAt: at(75)), now: 9_999, action: .remove, after: .expired(reapAt: at(75))),
    ]

    @Test("a timer that fires", arguments: fired)
    func timer(step: Step) {
        var machine = lease(step.state)
        #expect(machine.timerFired(now: Self.at(step.now)) == step.action)
        #expect(machine.state == step.after)
    }

    @Test("a renewal holds it again, whatever it was")
    func renewal() {
        var held = lease(.held(deadline: uptime(60)))
        #expect(held.renew(now: uptime(30)) == .extended(deadline: uptime(90)))
        var late = lease(.held(deadline: uptime(60)))
        #expect(late.renew(now: uptime(61)) == .extended(deadline: uptime(121)))
        var expired = lease(.expired(reapAt: uptime(75)))
        #expect(expired.renew(now: uptime(74)) == .revived(deadline: uptime(134)))
        #expect(expired.state == .held(deadline: uptime(134)))
        #expect(expired.timerFired(now: uptime(75)) == .wake(at: uptime(134)))
    }

    @Test("a new lease is held for its TTL")
    func new() {
        #expect(LeaseMachine(ttl: .seconds(10), grace: .zero, now: uptime(5)).state == .held(deadline: uptime(15)))
    }

    @Test("a lease without a length is a programming error")
    func zero() async {
        await #expect(processExitsWith: .failure) {
            _ = LeaseMachine(ttl: .zero, grace: .seconds(15), now: Uptime(milliseconds: 0))
        }
    }
}

@Suite("where deadlines come from after a start")
struct RecoveryTests {
    typealias Boot = BoardRecovery.Boot

    private static let boots: [Boot] = [.same, .other, .unknown]
    private static let now: Int64 = 1_000_000

    /// What is known of a lease after the start; the table of the documentation, worked out by another hand.
    private func expected(board: BoardRecovery.Board, copy: BoardRecovery.Copy, downMilliseconds: Int64) -> (held: Bool, exact: Bool) {
        let left = 40_000 - downMilliseconds
        if case .valid(.same, let holds) = board { return (holds && left > 0, true) }
        guard case .valid(.same, let takenAt, let period) = copy, takenAt.milliseconds <= Self.now else { return (false, false) }
        // The last renewal that the copy has not seen promised a whole TTL.
        let promise = takenAt.milliseconds + period.wholeMilliseconds + Limits.leaseCopySlack.wholeMilliseconds + 60_000
        return (max(Self.now + left, promise) > Self.now, false)
    }

    @Test("boot × board × copy × clock × downtime: a lease is held only if its holder may still believe so, and never ends early")
    func table() {
        var cases = 0
        let boards: [BoardRecovery.Board] =
            [.absent, .foreign] + Self.boots.flatMap { boot in [true, false].map { .valid(boot: boot, clockHolds: $0) } }
        for board in boards {
            for copyBoot in [nil] + Self.boots.map(Optional.some) {
                for downMilliseconds: Int64 in [0, 1_000, 39_999, 40_000, 40_001, 3_600_000] {
                    for clockWentBack in [false, true] {
                        // The board was written when 40 s were left, `downMilliseconds` ago; the copy 3 s before that.
                        let stopped = Self.now - downMilliseconds
                        let takenAt = clockWentBack ? Self.now + 5_000 : stopped - 3_000
                        let copy: BoardRecovery.Copy =
                            copyBoot.map { .valid(boot: $0, takenAt: Uptime(milliseconds: takenAt), period: .seconds(5)) } ?? .none
                        let recovery = BoardRecovery.decide(board: board, copy: copy, now: Uptime(milliseconds: Self.now))
                        let word = LeaseWord(deadline: Uptime(milliseconds: stopped + 40_000), generation: 3)
                        let known = recovery.deadline(of: word, ttl: .seconds(60))
                        let machine = LeaseRecovery.begin(
                            deadline: known, ttl: .seconds(60), grace: .seconds(15), ready: Uptime(milliseconds: Self.now))
                        let (held, exact) = expected(board: board, copy: copy, downMilliseconds: downMilliseconds)
                        let title: Comment = "\(board) \(copy) down \(downMilliseconds)"
                        switch machine.state {
                        case .held(let deadline):
                            #expect(held, title)
                            #expect(exact ? deadline == word.deadline : deadline >= word.deadline, title)
                        case .expired(let reapAt):
                            #expect(!held, title)
                            #expect(reapAt == Uptime(milliseconds: Self.now + 75_000), title)
                        }
                        cases += 1
                    }
                }
            }
        }
        #expect(cases == 8 * 4 * 6 * 2)
    }

    @Test("a lease that was marked as expired, or whose word is damaged, is not known by any recovery")
    func unknownWords() {
        let recoveries: [BoardRecovery] = [
            .exact, .fromCopy(takenAt: Uptime(milliseconds: 5), unseen: .seconds(10)), .allExpired(.rebooted),
        ]
        let marked = LeaseWord(deadline: Uptime(milliseconds: 90_000), generation: 1, isExpired: true)
        let good = LeaseWord(deadline: Uptime(milliseconds: 90_000), generation: 1)
        for recovery in recoveries {
            for word in [.empty, marked, LeaseWord(rawValue: good.rawValue ^ 1 << 30)] {
                #expect(recovery.deadline(of: word, ttl: .seconds(60)) == nil)
            }
        }
        #expect(BoardRecovery.exact.deadline(of: good, ttl: .seconds(60)) == good.deadline)
    }

    @Test("a deadline at the very moment of the start has passed")
    func edge() {
        let ready = Uptime(milliseconds: 1_000)
        func state(_ deadline: Int64?) -> LeaseMachine.State {
            LeaseRecovery.begin(
                deadline: deadline.map(Uptime.init(milliseconds:)), ttl: .seconds(10), grace: .seconds(15), ready: ready
            ).state
        }
        #expect(state(1_001) == .held(deadline: Uptime(milliseconds: 1_001)))
        #expect(state(1_000) == .expired(reapAt: Uptime(milliseconds: 26_000)))
        #expect(state(nil) == .expired(reapAt: Uptime(milliseconds: 26_000)))
    }
}

@Suite("the check's machine")
struct CheckMachineTests {
    private let thresholds = CheckMachine.Thresholds(failures: 3, successes: 2)

    /// Results by letter (p, w, f), and the health after each (p, w, c, u).
    @Test(
        "results in, health out",
        arguments: [
            ("p", "p"), ("w", "w"), ("f", "u"), ("ff", "uu"), ("fff", "uuc"), ("ffpfff", "uupppc"),
            ("fffp", "uucc"), ("fffpp", "uuccp"), ("fffpfpp", "uuccccp"), ("fffpw", "uuccw"), ("pffp", "pppp"), ("pfff", "pppc"),
            ("pw", "pw"), ("wp", "wp"), ("pffpff", "pppppp"), ("fffwp", "uuccp"), ("ffffffpp", "uucccccp"),
        ])
    func table(results: String, healths: String) {
        var machine = CheckMachine()
        for (result, health) in zip(results, healths) {
            let before = machine.health
            let said: CheckMachine.Result = result == "p" ? .passing : result == "w" ? .warning : .failing
            let changed = machine.probed(said, thresholds: thresholds)
            let expected: Health = health == "p" ? .passing : health == "w" ? .warning : health == "c" ? .critical : .unknown
            #expect(machine.health == expected, "\(results)")
            #expect(changed == (expected == before ? nil : expected), "\(results)")
        }
    }

    @Test("suspicious while a failure waits to be confirmed, recovering while a success does")
    func flags() {
        var machine = CheckMachine()
        #expect(!machine.isSuspicious(thresholds: thresholds))
        _ = machine.probed(.failing, thresholds: thresholds)
        #expect(machine.isSuspicious(thresholds: thresholds))
        _ = machine.probed(.failing, thresholds: thresholds)
        #expect(machine.isSuspicious(thresholds: thresholds))
        _ = machine.probed(.failing, thresholds: thresholds)
        #expect(!machine.isSuspicious(thresholds: thresholds) && !machine.isRecovering)
        _ = machine.probed(.passing, thresholds: thresholds)
        #expect(machine.isRecovering)
        _ = machine.probed(.passing, thresholds: thresholds)
        #expect(!machine.isRecovering)
    }

    @Test("what was stored before a start goes on")
    func resumed() {
        var machine = CheckMachine(health: .critical)
        #expect(machine.probed(.passing, thresholds: thresholds) == nil)
        #expect(machine.probed(.passing, thresholds: thresholds) == .passing)
    }

    @Test("the summary's breaker: closed, open, half-open while all that fail are coming back")
    func summary() {
        func state(_ failing: Int, _ recovering: Int) -> String {
            var summary = CheckSummary()
            summary.failing = failing
            summary.recovering = recovering
            return "\(summary.breaker.name)"
        }
        #expect(state(0, 0) == "closed")
        #expect(state(2, 0) == "open")
        #expect(state(2, 1) == "open")
        #expect(state(2, 2) == "half-open")
    }
}

@Suite("freshness and how a lease looks")
struct AppearanceTests {
    private func moment(_ milliseconds: Int64) -> Moment {
        Moment(uptime: Uptime(milliseconds: milliseconds), wall: Timestamp(milliseconds: 1_000_000_000 + milliseconds))
    }

    @Test("the edges, by TTL", arguments: [10, 15, 60, 61, 3_600] as [Int64])
    func edges(ttl: Int64) {
        func freshness(_ milliseconds: Int64) -> Freshness {
            Freshness(age: .milliseconds(milliseconds), ttl: .seconds(ttl), isMarkedExpired: false)
        }
        #expect(freshness(0) == .fresh)
        #expect(freshness(ttl * 500 - 1) == .fresh)
        #expect(freshness(ttl * 500) == .stale)
        #expect(freshness(ttl * 1_000) == .stale)
        #expect(freshness(ttl * 1_000 + 1) == .expired)
        #expect(Freshness(age: .zero, ttl: .seconds(ttl), isMarkedExpired: true) == .expired)
    }

    @Test("a rendered appearance is true up to the millisecond before `validUntil`", arguments: [10, 15, 60, 61] as [Int64])
    func validUntil(ttl: Int64) {
        let duration = Duration.seconds(ttl)
        let deadline = Uptime(milliseconds: 1_000_000)
        for isMarked in [false, true] {
            var at = deadline - duration
            while at < deadline + .seconds(20) {
                let status = LeaseStatus(deadline: deadline, isMarkedExpired: isMarked)
                func look(_ at: Uptime) -> LeaseAppearance {
                    LeaseAppearance(status, ttl: duration, renewedAt: Timestamp(milliseconds: 0), at: moment(at.milliseconds))
                }
                let now = look(at)
                #expect(now.validUntil > at)
                let last = look(now.validUntil - .milliseconds(1))
                #expect(last.ageSeconds == now.ageSeconds && last.freshness == now.freshness, "\(at)")
                let next = look(now.validUntil)
                if !isMarked {
                    #expect(next.ageSeconds != now.ageSeconds || next.freshness != now.freshness, "\(at): it could have been kept longer")
                }
                at = now.validUntil
            }
        }
    }

    @Test("without a deadline the wall clock is shown, and it is expired")
    func lost() {
        let status = LeaseStatus(deadline: nil, isMarkedExpired: true)
        let appearance = LeaseAppearance(
            status, ttl: .seconds(60), renewedAt: Timestamp(milliseconds: 1_000_000_000 - 500_000), at: moment(0))
        #expect(appearance.freshness == .expired)
        #expect(appearance.ageSeconds == 500)
        // A clock that went back does not make it young.
        let odd = LeaseAppearance(status, ttl: .seconds(60), renewedAt: Timestamp(milliseconds: 9_000_000_000), at: moment(0))
        #expect(odd.ageSeconds == 60 && odd.freshness == .expired)
    }
}

import Domain
import Store
import Testing

@testable import Registry

/// What several requests of one commit do to one lease: each is answered, and every answer must be true afterwards.
@Suite("requests of one batch about one lease")
struct BatchRaceTests {
    private let teller = Registration.test("teller")

    /// A registry in which the teller's lease is `age` old.
    private func registry(age: Duration, marked: Bool = false) throws -> TestRegistry {
        let test = try TestRegistry()
        try test.register(teller)
        test.time.advance(age)
        if marked { try test.sweep() }
        return test
    }

    @Test("a renewal that was answered is not undone by a removal of the same batch", arguments: [false, true])
    func reviveBeatsRemoval(isRepeated: Bool) throws {
        let test = try registry(age: .seconds(61), marked: true)
        test.time.advance(.seconds(30))
        let answer = AnswerBox<RenewalOutcome>()
        let slots = test.run.leases.due(now: test.time.uptime)
        #expect(slots.count == 1)
        try test.batch(
            [
                ReviveRequest(InstanceKey(teller), registry: test.registry, origin: .test) { answer.set($0) },
                SweepRequest(slots: slots, isForgiving: false, registry: test.registry),
            ], isRepeated: isRepeated)
        guard case .renewed = answer.wait() else {
            Issue.record("the renewal was refused")
            return
        }
        #expect(try test.look("teller").map(\.freshness) == ["fresh"])
        test.time.advance(.seconds(59))
        try test.sweep()
        #expect(try test.look("teller").map(\.freshness) == ["stale"])
        test.time.advance(.seconds(2))
        try test.sweep()
        test.time.advance(.seconds(15))
        try test.sweep()
        #expect(try test.look("teller").isEmpty, "its timer was lost")
    }

    @Test("a registration that was answered as renewed is not expired by a sweep of the same batch", arguments: [false, true])
    func registerBeatsSweep(isRepeated: Bool) throws {
        let test = try registry(age: .seconds(60))
        let answer = AnswerBox<RegistrationOutcome>()
        let slots = test.run.leases.due(now: test.time.uptime)
        #expect(slots.count == 1)
        try test.batch(
            [
                test.request(teller, into: answer), SweepRequest(slots: slots, isForgiving: false, registry: test.registry),
            ], isRepeated: isRepeated)
        guard case .renewed = answer.wait() else {
            Issue.record("not renewed")
            return
        }
        #expect(try test.look("teller").map(\.freshness) == ["fresh"])
        #expect(try test.changes(since: 0).lines == ["registered teller/teller-1"])
        #expect(test.registry.expiredTotal == 0)
    }

    @Test("a sweep before a registration in the same batch: expired, then back", arguments: [false, true])
    func sweepThenRegister(isRepeated: Bool) throws {
        let test = try registry(age: .seconds(60))
        let answer = AnswerBox<RegistrationOutcome>()
        let slots = test.run.leases.due(now: test.time.uptime)
        try test.batch(
            [
                SweepRequest(slots: slots, isForgiving: false, registry: test.registry), test.request(teller, into: answer),
            ], isRepeated: isRepeated)
        let lines = try test.changes(since: 0).lines
        switch answer.wait() {
        case .registered(_, isNew: false):
            #expect(lines == ["registered teller/teller-1", "expired teller/teller-1", "updated teller/teller-1"])
        case .renewed:
            // Performed again, the sweep knows that the registration comes, and leaves the lease alone.
            #expect(isRepeated && lines == ["registered teller/teller-1"])
        default: Issue.record("not brought back")
        }
        #expect(try test.look("teller").map(\.freshness) == ["fresh"])
    }

    @Test("the same new registration twice in one batch is one change", arguments: [false, true])
    func twins(isRepeated: Bool) throws {
        let test = try TestRegistry()
        let first = AnswerBox<RegistrationOutcome>()
        let second = AnswerBox<RegistrationOutcome>()
        try test.batch([test.request(teller, into: first), test.request(teller, into: second)], isRepeated: isRepeated)
        guard case .registered(let a, isNew: true) = first.wait(), case .renewed(let b) = second.wait() else {
            Issue.record("\(first.wait()) \(second.wait())")
            return
        }
        #expect(a.revision == b.revision)
        #expect(test.registry.activeInstances == 1)
        #expect(try test.changes(since: 0).lines == ["registered teller/teller-1"])
    }

    @Test("a lapse is not announced for a lease that a request of the same batch renews")
    func lapseAfterRevive() throws {
        let test = try registry(age: .seconds(30))
        test.stop()
        test.time.advance(.seconds(60))
        try test.start()
        #expect(test.lapsed.count == 1)
        let answer = AnswerBox<RenewalOutcome>()
        try test.batch([
            ReviveRequest(InstanceKey(teller), registry: test.registry, origin: .test) { answer.set($0) },
            LapseRequest(slots: test.lapsed, registry: test.registry),
        ])
        #expect(try test.changes(since: 0).lines.last == "updated teller/teller-1")
        // It is held, and a restart says so too.
        try test.start()
        #expect(try test.look("teller").map(\.freshness) == ["fresh"])
    }

    @Test("removed and registered again in one batch: another slot, one instance", arguments: [false, true])
    func replaced(isRepeated: Bool) throws {
        let test = try registry(age: .seconds(1))
        let answer = AnswerBox<RegistrationOutcome>()
        let gone = AnswerBox<DeregistrationOutcome>()
        try test.batch(
            [
                DeregisterRequest(InstanceKey(teller), registry: test.registry, origin: .test, claim: nil) { gone.set($0) },
                test.request(teller, into: answer),
            ], isRepeated: isRepeated)
        guard case .registered(_, isNew: true) = answer.wait() else {
            Issue.record("not new")
            return
        }
        #expect(test.registry.activeInstances == 1)
        test.time.advance(.seconds(59))
        try test.sweep()
        #expect(try test.look("teller").map(\.freshness) == ["stale"])
    }

    @Test("a registration that fails gives its slot back")
    func slotsComeBack() throws {
        let test = try TestRegistry(capacity: 2)
        for round in 0..<5 {
            let answer = AnswerBox<RegistrationOutcome>()
            try test.batch([test.request(.test("svc-a", port: 9_001), into: answer)], isRepeated: true)
            guard case .registered(_, isNew: true) = answer.wait() else {
                Issue.record("round \(round): \(answer.wait())")
                return
            }
            try test.deregister(InstanceKey(.test("svc-a")))
        }
        try test.register(.test("svc-a", port: 9_001))
        try test.register(.test("svc-b", port: 9_002))
        #expect(try test.register(.test("svc-c", port: 9_003)) == .full)
        try test.deregister(InstanceKey(.test("svc-a")))
        guard case .registered = try test.register(.test("svc-c", port: 9_003)) else {
            Issue.record("the freed slot was not given")
            return
        }
    }

    @Test("health heard at an old address is not written to the new one")
    func staleHealth() throws {
        let test = try TestRegistry()
        try test.register(teller)
        try test.register(.test("teller", port: 9_777))
        try test.setHealth(teller, .critical)
        #expect(try test.look("teller").map(\.health) == ["unknown"])
        try test.setHealth(.test("teller", port: 9_777), .passing)
        #expect(try test.look("teller").map(\.health) == ["passing"])
    }

    @Test("a lease whose word on the board was lost is kept for a TTL and the grace, then removed")
    func lostWord() throws {
        let test = try TestRegistry()
        try test.register(teller)
        test.run.leases.board.clear(slot: 0)
        test.time.advance(.seconds(61))
        try test.sweep()
        for _ in 0..<7 {
            test.time.advance(.seconds(10))
            try test.sweep()
            #expect(try test.look("teller").map(\.freshness) == ["expired"])
        }
        test.time.advance(.seconds(10))
        try test.sweep()
        #expect(try test.look("teller").isEmpty)
    }

    @Test("a shorter TTL takes effect at once; a renewal never moves a deadline back")
    func shorterTTL() throws {
        let test = try TestRegistry()
        try test.register(.test("teller", ttl: 600))
        try test.register(.test("teller", ttl: 10))
        test.time.advance(.seconds(11))
        try test.sweep()
        #expect(try test.look("teller").map(\.freshness) == ["expired"])
    }
}

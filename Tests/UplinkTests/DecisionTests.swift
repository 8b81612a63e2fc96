import Domain
import Testing

@testable import Uplink

private func uptime(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

@Suite("decisions of a sink")
struct DecisionTests {
    // MARK: Acks

    private func ack(_ body: String, status: Int = 200) -> BatchAnswer {
        AckReader.read(AckReader.Answer(status: status, body: Array(body.utf8)), epoch: 7, digest: "sha-256=:x:")
    }

    @Test("an ack counts when it parses, and its epoch and digest are those of the request")
    func truth() {
        let body =
            #"{"epoch":7,"acked_to":12,"missing":[[3,4]],"rejected":[{"seq":9,"code":"schema","retry":false}],"digest":"sha-256=:x:"}"#
        #expect(
            ack(body)
                == .ack(
                    Ack(
                        marks: SequenceMarks(high: 12, gaps: [3...4])!,
                        rejects: [Ack.Reject(seq: 9, code: "schema", mayRetry: false)])))
    }

    @Test(
        "anything else is a failure, whatever its status",
        arguments: [
            "", "<html>hotel</html>", "[]", "{}", #"{"epoch":8,"acked_to":12,"digest":"sha-256=:x:"}"#,
            #"{"epoch":7,"acked_to":12,"digest":"sha-256=:y:"}"#, #"{"epoch":7,"acked_to":12}"#, #"{"epoch":7,"digest":"sha-256=:x:"}"#,
            #"{"epoch":7,"acked_to":-1,"digest":"sha-256=:x:"}"#,
            #"{"epoch":7,"acked_to":2,"missing":[[3,4]],"digest":"sha-256=:x:"}"#,
            #"{"epoch":7,"acked_to":9,"missing":[[4,3]],"digest":"sha-256=:x:"}"#,
            #"{"epoch":"7","acked_to":9,"digest":"sha-256=:x:"}"#,
        ])
    func lies(_ body: String) {
        guard case .failed = ack(body) else {
            Issue.record("\(body) was believed")
            return
        }
    }

    @Test(
        "each status has its meaning",
        arguments: [
            (409, #"{"epoch":8}"#, BatchAnswer.fenced(epoch: 8, isConflict: false)),
            (409, #"{"epoch":7,"code":"conflict"}"#, .fenced(epoch: 7, isConflict: true)),
            (413, "", .tooLarge), (415, "", .unsupportedEncoding), (401, "", .unauthorised(status: 401)),
            (403, "", .unauthorised(status: 403)), (429, "", .later(status: 429, retryAfter: nil)),
            (503, "", .later(status: 503, retryAfter: nil)), (507, "", .later(status: 507, retryAfter: nil)),
            (400, #"{"code":"malformed_json"}"#, .refused(code: "malformed_json")),
            (400, #"{"code":"digest_mismatch"}"#, .failed("status 400")), (400, "nginx", .failed("status 400")),
            (404, "", .failed("status 404")), (302, "", .failed("status 302")), (409, "{}", .failed("a conflict that names no epoch")),
        ] as [(Int, String, BatchAnswer)])
    func statuses(_ status: Int, _ body: String, _ expected: BatchAnswer) { #expect(ack(body, status: status) == expected) }

    // MARK: Patience

    @Test("the breaker opens after three failures, is half-open after 30 s, and closes after two successes")
    func breaker() {
        var breaker = Breaker()
        for _ in 0..<2 { breaker.failed(now: uptime(0)) }
        #expect(breaker.waits(now: uptime(0)) == nil)
        breaker.failed(now: uptime(1_000))
        #expect(breaker.waits(now: uptime(30_999)) == uptime(31_000))
        #expect(breaker.waits(now: uptime(31_000)) == nil)
        #expect(breaker.isHalfOpen)
        breaker.succeeded()
        #expect(breaker.isHalfOpen)
        breaker.succeeded()
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test("one failure while half-open opens it again; a success between failures counts them anew")
    func breakerAgain() {
        var breaker = Breaker(restored: .halfOpen, now: uptime(0))
        breaker.failed(now: uptime(5))
        #expect(breaker.state == .open(until: uptime(30_005)))
        var other = Breaker()
        for _ in 0..<5 {
            other.failed(now: uptime(0))
            other.failed(now: uptime(0))
            other.succeeded()
        }
        #expect(other.stored == .closed)
    }

    @Test(
        "back-off never exceeds its cap, and is spread over all of it: the jitter comes after the cap",
        arguments: 1...5 as ClosedRange<UInt64>)
    func backoff(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let delays = (0..<2_000).map { _ in
            var backoff = Backoff()
            for _ in 0..<30 { _ = backoff.failed(retryAfter: nil, using: &random) }
            return backoff.failed(retryAfter: nil, using: &random)
        }
        #expect(delays.allSatisfy { $0 <= Limits.uplinkBackoffCap })
        #expect(delays.filter { $0 < Limits.uplinkBackoffCap / 4 }.count > 350)
        #expect(delays.filter { $0 > Limits.uplinkBackoffCap * 3 / 4 }.count > 350)
    }

    @Test("what the receiver asks for is obeyed within a fifth, and only up to an hour")
    func retryAfter() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<500 {
            var backoff = Backoff()
            let delay = backoff.failed(retryAfter: .seconds(100), using: &random)
            #expect(delay >= .seconds(80) && delay <= .seconds(120))
            var patient = Backoff()
            #expect(patient.failed(retryAfter: .seconds(86_400), using: &random) <= .seconds(4_320))
        }
    }

    // MARK: The machine

    private func machine(
        priority: UInt8 = 3, linger: Duration = .milliseconds(200), spread: Duration = .seconds(120), heads: [UInt64] = [10]
    ) -> SinkMachine {
        var machine = SinkMachine(
            streams: heads.enumerated().map { index, _ in
                SinkStream(
                    name: "s\(index)", priority: index == 0 ? priority : 0, settled: SequenceMarks(), dead: [], recordsMax: 100)
            }, epoch: 7, breaker: Breaker(),
            settings: SinkMachine.Settings(batchRecords: 100, batchBytes: 1 << 20, linger: linger, spread: spread), isCompressing: true)
        for (index, head) in heads.enumerated() {
            machine.moved(index, head: head, trimmed: 0, records: head, bytes: head * 100, now: uptime(0))
        }
        return machine
    }

    private func known(_ machine: inout SinkMachine, now: Int64 = 0) {
        var random = SeededRandom(seed: 1)
        _ = machine.resumed(ResumeAnswer(streams: []), now: uptime(now), using: &random)
    }

    @Test("it asks before it sends, and asks again after each failure")
    func asksFirst() {
        var random = SeededRandom(seed: 1)
        var machine = machine()
        #expect(machine.next(now: uptime(0)) == .ask)
        known(&machine)
        guard case .send = machine.next(now: uptime(1_000)) else { return #expect(Bool(false), "nothing is sent") }
        _ = machine.failed("cut", retryAfter: nil, now: uptime(1_000), using: &random)
        #expect(machine.next(now: uptime(1_000_000)) == .ask)
    }

    @Test("ordinary records wait for others, audit never does, and a full batch waits for nothing")
    func linger() {
        var machine = machine()
        known(&machine)
        #expect(machine.next(now: uptime(199)) == .wait(until: uptime(200)))
        guard case .send(let send) = machine.next(now: uptime(200)) else { return #expect(Bool(false), "nothing is sent") }
        #expect(send.range == 1...10)
        var audit = self.machine(priority: 0)
        known(&audit)
        guard case .send = audit.next(now: uptime(0)) else { return #expect(Bool(false), "audit waits") }
        var full = self.machine(heads: [100])
        known(&full)
        guard case .send = full.next(now: uptime(0)) else { return #expect(Bool(false), "a full batch waits") }
    }

    @Test("audit goes before everything else")
    func priorities() {
        var machine = machine(heads: [500, 1])
        known(&machine)
        guard case .send(let send) = machine.next(now: uptime(0)) else { return #expect(Bool(false), "nothing is sent") }
        #expect(send.stream == 1)
    }

    @Test("after an outage of a minute the first reconnect is spread, and one request of audit goes at once")
    func spread() {
        var random = SeededRandom(seed: 9)
        var machine = machine(heads: [500, 5])
        _ = machine.failed("cut", retryAfter: nil, now: uptime(0), using: &random)
        known(&machine, now: 90_000)
        guard case .send(let urgent) = machine.next(now: uptime(90_000)) else { return #expect(Bool(false), "audit waits") }
        #expect(urgent.stream == 1)
        guard case .wait(let until?) = machine.next(now: uptime(90_000)) else { return #expect(Bool(false), "the fleet comes at once") }
        #expect(until > uptime(90_000) && until <= uptime(210_000))
    }

    @Test("a receiver that knows more than was ever written is another history: a new epoch begins")
    func unknownFuture() {
        var random = SeededRandom(seed: 1)
        var machine = machine()
        _ = machine.resumed(
            ResumeAnswer(streams: [ResumeAnswer.Stream(name: "s0", epoch: 7, marks: SequenceMarks(through: 11))]), now: uptime(0),
            using: &random)
        #expect(machine.next(now: uptime(0)) == .beginEpoch(above: 7))
        machine.beganEpoch(8)
        #expect(machine.next(now: uptime(0)) == .ask)
    }

    @Test("what was dropped unsent is counted")
    func drops() {
        var machine = machine()
        known(&machine)
        machine.moved(0, head: 10, trimmed: 4, records: 6, bytes: 600, now: uptime(0))
        #expect(machine.streams[0].dropped == 4)
        #expect(machine.lag == 6)
    }
}

@Suite("sequence marks")
struct SequenceMarksTests {
    @Test("they are the set that they say", arguments: 1...30 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var marks = SequenceMarks()
        var set: Set<UInt64> = []
        for _ in 0..<200 {
            let lower = UInt64.random(in: 1...60, using: &random)
            let range = lower...(lower + UInt64.random(in: 0...5, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                marks.remove(range)
                set.subtract(range)
            case 1 where random.chance(10):
                marks.forget(through: lower)
                set.formUnion(1...lower)
            default:
                marks.insert(range)
                set.formUnion(range)
            }
            #expect((1...70).allSatisfy { marks.contains($0) == set.contains($0) }, "seed \(seed)")
            #expect(marks.high == set.max() ?? 0)
            var bytes: [UInt8] = []
            marks.encode(into: &bytes)
            var at = 0
            #expect(bytes.withUnsafeBytes { SequenceMarks($0, at: &at) } == marks)
        }
    }

    @Test("what both have is what both have")
    func intersection() {
        let a = SequenceMarks(high: 20, gaps: [3...4])!
        let b = SequenceMarks(high: 10, gaps: [7...7])!
        #expect(a.intersection(b) == SequenceMarks(high: 10, gaps: [3...4, 7...7]))
    }
}

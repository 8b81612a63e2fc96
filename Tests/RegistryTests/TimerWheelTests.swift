import Domain
import Testing

@testable import Registry

@Suite("the timer wheel")
struct TimerWheelTests {
    private func at(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

    @Test(
        "fires as a sorted list would: in the tick that ends at or after the moment, each once",
        arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func againstList(seed: UInt64) {
        print("timer wheel: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let tick: Int64 = [1, 10, 50, 100].randomElement(using: &random)!
        var now = Int64.random(in: 0...100_000_000_000, using: &random)
        var wheel = TimerWheel(slots: 4, tick: .milliseconds(tick), now: at(now))
        var due: [Int: Int64] = [:]
        for step in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let slot = Int.random(in: 0..<60, using: &random)
                let reach: Int64 = [100, 3_000, 70_000, 20_000_000, 6_000_000_000, 600_000_000_000].randomElement(using: &random)!
                let moment = max(0, now + Int64.random(in: -500...reach, using: &random) * tick / 10)
                wheel.arm(slot, at: at(moment))
                due[slot] = max((moment + tick - 1) / tick, now / tick + 1)
            case 5:
                let slot = Int.random(in: 0..<80, using: &random)
                wheel.disarm(slot)
                due[slot] = nil
            default:
                let next = wheel.nextDue()
                #expect((next == nil) == due.isEmpty)
                if let next { #expect(next.milliseconds <= due.values.min()! * tick, "seed \(seed) step \(step): woken too late") }
                let ticks: Int64 = [1, 2, 255, 256, 257, 5_000, 65_536, 400_000].randomElement(using: &random)!
                now += Int64.random(in: 0...ticks, using: &random) * tick + Int64.random(in: 0..<tick, using: &random)
                var fired: [Int] = []
                wheel.advance(to: at(now)) { fired.append($0) }
                let expected = due.filter { $0.value <= now / tick }
                #expect(
                    Set(fired) == Set(expected.keys) && fired.count == expected.count, "seed \(seed) step \(step): \(fired) \(expected)")
                let order = fired.map { expected[$0] ?? -1 }
                #expect(order == order.sorted(), "seed \(seed) step \(step): fired out of order")
                for slot in fired { due[slot] = nil }
            }
            #expect(wheel.armedCount == due.count)
        }
    }

    @Test("ten million ticks at once, and a timer beyond the last wheel")
    func farAway() {
        var wheel = TimerWheel(slots: 2, tick: .milliseconds(100), now: at(0))
        wheel.arm(0, at: at(10_000_000 * 100))
        wheel.arm(1, at: at((Int64(1) << 33) * 100))
        var fired: [Int] = []
        wheel.advance(to: at(9_999_999 * 100)) { fired.append($0) }
        #expect(fired.isEmpty)
        wheel.advance(to: at(10_000_000 * 100)) { fired.append($0) }
        #expect(fired == [0])
        #expect(wheel.armedCount == 1)
    }

    @Test("an empty wheel jumps, and what is armed afterwards is on time")
    func jump() {
        var wheel = TimerWheel(slots: 1, tick: .milliseconds(100), now: at(0))
        wheel.advance(to: at(1 << 50)) { _ in Issue.record("fired") }
        wheel.arm(0, at: at((1 << 50) + 250))
        var fired = 0
        wheel.advance(to: at((1 << 50) + 200)) { _ in fired += 1 }
        #expect(fired == 0)
        wheel.advance(to: at((1 << 50) + 300)) { _ in fired += 1 }
        #expect(fired == 1)
        #expect(wheel.nextDue() == nil)
    }
}

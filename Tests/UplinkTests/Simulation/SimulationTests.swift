import Domain
import Glibc
import Testing

/// Seeds from `POSTO_SEEDS` on (default: the first ones), so that a night can run other ones.
private let seeds: Range<UInt64> = {
    let count = getenv("POSTO_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 150
    let first = getenv("POSTO_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
    return first..<(first + count)
}()

@Suite("node, link and receiver in an invented world")
struct SimulationTests {
    @Test("whatever happens, what was promised arrives, once, in order")
    func everythingArrives() {
        for seed in seeds {
            var world = World(seed: seed, plant: nil)
            let faults = world.run()
            #expect(faults.isEmpty, "seed \(seed): \(faults.prefix(4).joined(separator: "; "))")
            if !faults.isEmpty { return }
        }
    }

    @Test("a fault that is planted is found", arguments: Plant.allCases)
    func plantIsFound(_ plant: Plant) {
        for seed in 1...400 as ClosedRange<UInt64> {
            var world = World(seed: seed, plant: plant)
            if !world.run().isEmpty { return }
        }
        Issue.record("400 worlds did not show \(plant.rawValue)")
    }

    @Test("the same seed gives the same world")
    func isReproducible() {
        var a = World(seed: 77, plant: .noDeduplication)
        var b = World(seed: 77, plant: .noDeduplication)
        #expect(a.run().sorted() == b.run().sorted())
    }
}

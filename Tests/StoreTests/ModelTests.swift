import Domain
import Store
import Testing

/// The store against dictionaries in memory, by random work; a failure prints its seed.
@Suite("The store as a model sees it")
struct ModelTests {
    enum Step: Sendable {
        case put(key: UInt64, size: Int, fill: UInt8)
        case delete(key: UInt64)
        case append(stream: Int, size: Int)
    }

    struct Work: Sendable {
        var steps: [Step]
        var isFenced: Bool
        var fails: Bool
    }

    struct Model {
        var things: [UInt64: [UInt8]] = [:]
        /// Sizes of the data of each record.
        var streams: [[Int]] = [[], []]

        mutating func apply(_ work: Work) {
            guard !work.fails else { return }
            for step in work.steps {
                switch step {
                case .put(let key, let size, let fill): things[key] = [UInt8](repeating: fill, count: size)
                case .delete(let key): things[key] = nil
                case .append(let stream, let size): streams[stream].append(size + 2)
                }
            }
        }
    }

    func work(_ random: inout SeededRandom) -> Work {
        let steps = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                Step.put(
                    key: .random(in: 0..<400, using: &random),
                    size: Bool.random(using: &random)
                        ? .random(in: 0...200, using: &random) : .random(in: 0...Limits.payloadBytesMax, using: &random),
                    fill: .random(in: 0...255, using: &random))
            case 4..<6: Step.delete(key: .random(in: 0..<400, using: &random))
            case 6..<9: Step.append(stream: .random(in: 0...1, using: &random), size: .random(in: 0...300, using: &random))
            default: Step.append(stream: .random(in: 0...1, using: &random), size: .random(in: 0...20_000, using: &random))
            }
        }
        return Work(steps: steps, isFenced: .random(using: &random), fails: Int.random(in: 0..<6, using: &random) == 0)
    }

    func request(_ work: Work, _ streams: [StreamID]) -> TestRequest {
        TestRequest(priority: .audit, isFenced: work.isFenced) { (context) throws(StoreError) in
            for step in work.steps {
                switch step {
                case .put(let key, let size, let fill):
                    try context.transaction.put(.things, StoreKey(.things, key), [UInt8](repeating: fill, count: size), revision: 1)
                case .delete(let key): try context.transaction.delete(.things, StoreKey(.things, key))
                case .append(let stream, let size):
                    try context.append(streams[stream], EventDraft(type: "t", tenant: "d", priority: .audit)) { json, _ in
                        json.string(String(repeating: "x", count: size))
                    }
                }
            }
            if work.fails { throw StoreError(.busy, "fail") }
        }
    }

    func check(_ store: TestStore, _ model: Model, _ streams: [StreamID]) throws {
        var things: [UInt64: [UInt8]] = [:]
        try store.environment.read { (transaction) throws(StoreError) in
            try transaction.scan(.things, prefix: StoreKey(.things)) { (key, payload, _) throws(StoreError) in
                things[TransactionTests.number(key)] = Array(payload)
                return true
            }
        }
        // Compared before the expectation, which would otherwise print both.
        let isSame = things == model.things
        #expect(isSame)
        for (at, stream) in streams.enumerated() {
            #expect(try JournalTests.data(store, stream) == model.streams[at])
            #expect(store.journal.position(stream).last == UInt64(model.streams[at].count))
            #expect(try JournalVerifier.verify(stream, in: store.environment).finding == .intact)
        }
    }

    @Test("puts, deletions, appends, failures and reopens leave what the model holds", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func model(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var model = Model()
        let folder = TemporaryFolder()
        for _ in 0..<4 {
            let store = try TestStore(in: folder)
            let streams = [store.audit, store.state]
            try check(store, model, streams)
            for _ in 0..<12 {
                let works = (0..<Int.random(in: 1...20, using: &random)).map { _ in work(&random) }
                let requests = works.map { request($0, streams) }
                for request in requests { try store.writer.submit(request) }
                for (work, request) in zip(works, requests) {
                    #expect(request.wait() == (work.fails ? .failed(.busy) : .committed), "seed \(seed)")
                    model.apply(work)
                }
            }
            try check(store, model, streams)
        }
    }
}

import Arguments
import Glibc
import Rego
import RegoHost
import RegoSyntax

/// `posto bench decisions`: how long one decision takes, with inputs and policies of one's own.
struct DecisionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions", abstract: "Measure decisions of a policy on one thread.",
        discussion: """
            Evaluates the query for each input of a file, one JSON value a line, again and again. Without --parsed a decision begins with the JSON \
            bytes.

            Example: posto bench decisions --data rbac --inputs rbac/inputs.jsonl --query data.bench.rbac.allow --parsed
            """)

    @Option(help: "A file or folder with policies and data.")
    var data: String

    @Option(help: "Inputs, one JSON value a line.")
    var inputs: String

    @Option(help: "The query.")
    var query: String

    @Flag(help: "Read the inputs before, and measure the evaluation alone.")
    var parsed = false

    @Flag(help: "Print the answers, one a line, instead of measuring.")
    var answers = false

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "How often each input is evaluated at least.")
    var rounds = 40

    func run() throws {
        var files = PolicyFiles(version: .v1)
        try files.addBundleOrFile(data)
        let policy = try Policy(modules: files.modules)
        let query = try policy.query(RegoParser.query(SourceText(name: "", text: query)), capturesValues: true)
        let data = query.adopt(files.data)
        let evaluator = Evaluator(query, host: .libraries())
        let lines = try InputFile.read(inputs, bytesMax: PolicyFiles.fileBytesMax).split(separator: 0x0A).map { Array($0) }
        guard !lines.isEmpty else { throw CommandFailure(.usage, "\(inputs) has no inputs") }
        let arena = Arena()
        let values = try lines.map { try query.read($0, into: arena) }
        if answers {
            for value in values {
                evaluator.reset()
                let rows = try evaluator.evaluate(input: value, data: data)
                Terminal.print(rows.count == 0 ? "undefined" : Rego.JSONWriter.text(rows[0][0]))
            }
            return
        }
        var times: [UInt64] = []
        times.reserveCapacity(rounds * lines.count)
        let counter = AllocationCounter.find()
        var allocations: UInt64 = 0
        for round in 0..<rounds + 3 {
            for index in lines.indices {
                let before = counter?() ?? 0
                let start = Self.now()
                evaluator.reset()
                let input = parsed ? values[index] : try query.read(lines[index], into: evaluator.arena)
                _ = try evaluator.evaluate(input: input, data: data)
                let end = Self.now()
                // The first rounds warm up.
                if round >= 3 {
                    times.append(end - start)
                    allocations += (counter?() ?? 0) - before
                }
            }
        }
        times.sort()
        let (p50, p99) = (Double(times[times.count / 2]) / 1000, Double(times[times.count * 99 / 100]) / 1000)
        let each = counter.map { _ in String(Double(allocations) / Double(times.count)) }
        if json {
            Terminal.print("{\"p50_us\":\(p50),\"p99_us\":\(p99),\"allocations\":\(each ?? "null"),\"n\":\(times.count)}")
        } else {
            Terminal.print("p50 \(p50) µs, p99 \(p99) µs, \(each ?? "uncounted") allocations a decision, \(times.count) decisions")
        }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Asks the library that counts this thread's allocations, when it was loaded with the program (`LD_PRELOAD`, Benchmarks/allocations.c). The program
/// itself does not count: that would be in the way of everything it does.
private enum AllocationCounter {
    static func find() -> (@convention(c) () -> UInt64)? {
        guard let symbol = dlsym(nil, "posto_bench_allocations") else { return nil }
        // SAFETY: the function of that name has this type in Benchmarks/allocations.c, and nobody else has one of that name.
        return unsafeBitCast(symbol, to: (@convention(c) () -> UInt64).self)
    }
}

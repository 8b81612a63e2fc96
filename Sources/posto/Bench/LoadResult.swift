/// What a load brought: how many answers in what time, and how long each took.
struct LoadResult {
    var nanoseconds: UInt64 = 0
    /// Of each answer with a status below 400, in nanoseconds.
    var latencies: [UInt32] = []
    /// Answers with a status from 400 on, and connections that broke.
    var errors = 0
    /// Processor time of the server meanwhile, in nanoseconds; 0 if nobody measured it.
    var serverNanoseconds: UInt64 = 0

    var perSecond: Double { nanoseconds == 0 ? 0 : Double(latencies.count) * 1e9 / Double(nanoseconds) }
    var serverMicrosecondsEach: Double { latencies.isEmpty ? 0 : Double(serverNanoseconds) / 1e3 / Double(latencies.count) }

    mutating func add(_ other: LoadResult) {
        nanoseconds += other.nanoseconds
        latencies += other.latencies
        errors += other.errors
        serverNanoseconds += other.serverNanoseconds
    }

    /// In milliseconds.
    func percentile(_ percent: Double) -> Double { latencies.map { Double($0) / 1e6 }.percentile(percent) }
}

extension [Double] {
    /// The smallest value that so many percent do not exceed; 0 of nothing.
    func percentile(_ percent: Double) -> Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return sorted[Swift.min(count - 1, Int((Double(count) * percent / 100).rounded(.down)))]
    }

    var median: Double { percentile(50) }
}

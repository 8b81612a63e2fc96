import Domain

extension StoreLadder {
    /// Where one environment lies, and what to know about it.
    package struct Place: Sendable {
        package let stateDirectory: String
        /// `state.mdb` or `bulk.mdb`.
        package let name: String
        /// The streams of the configuration, whose names a damaged file may no longer tell.
        package let streams: [Table]
        package let formatVersion: UInt32

        package init(stateDirectory: String, name: String, streams: [Table], formatVersion: UInt32) {
            self.stateDirectory = stateDirectory
            self.name = name
            self.streams = streams
            self.formatVersion = formatVersion
        }

        package var path: String { stateDirectory + "/store/" + name }
        /// A backup that was taken of this environment when all was well.
        package var lastGoodCopy: String { path + ".last-good.backup" }
    }

    /// Brings the store into a state in which it can be opened. Before the first thread is started, and before anything is opened in it.
    ///
    /// - Parameters:
    ///   - now: names the evidence.
    ///   - log: gets one sentence for each step, before it is taken.
    /// - Throws: `.newerFormat`, `.locked`, `.full` or `.system`, with the hint as the operation. The store is untouched.
    package static func prepare(_ place: Place, now: Timestamp, log: (String) -> Void) throws(StoreError) -> StoreOpening {
        let swap = StoreSwap(path: place.path)
        if try swap.finishInterrupted() { log("\(place.name): put the store in place that was finished before the last stop") }
        var ladder = StoreLadder()
        let verdict = try StoreCheck.run(path: place.path, formatVersion: place.formatVersion)
        var action = ladder.next(.checked(verdict))
        if case .damaged(let text) = verdict { log("\(place.name): damaged: \(text)") }
        while true {
            switch action {
            case .open(let opening): return opening
            case .refuse(let code, let hint): throw StoreError(code, hint)
            case .salvage:
                log("\(place.name): salvaging what can be read")
                action = ladder.next(.salvaged(try salvage(place, swap, verdict: verdict, now: now, log: log)))
            case .restoreLastGoodCopy:
                log("\(place.name): nothing could be salvaged; looking for the last good copy")
                action = ladder.next(.restored(try restoreLastGoodCopy(place, now: now, log: log)))
            case .setAside:
                log("\(place.name): beginning with an empty store; the damaged one is kept as evidence")
                _ = try swap.perform(isReplaced: false, evidence: place.evidence, at: now) { folder throws(StoreError) in
                    try Evidence.report([("name", place.name), ("verdict", "\(verdict)"), ("outcome", "empty")], numbers: [], to: folder)
                }
                action = ladder.next(.setAside)
            }
        }
    }

    private static func salvage(_ place: Place, _ swap: StoreSwap, verdict: StoreVerdict, now: Timestamp, log: (String) -> Void)
        throws(StoreError) -> Salvage.Outcome
    {
        let outcome = try Salvage.run(place.path, into: swap.building, streams: place.streams, formatVersion: place.formatVersion)
        guard case .done(let report) = outcome else {
            log("\(place.name): \(outcome)")
            return outcome
        }
        log("\(place.name): \(report.summary)")
        guard report.kept > 0 else { return outcome }
        // What was built is judged as strictly as what was found.
        let judged = try StoreCheck.run(path: swap.building, formatVersion: place.formatVersion)
        guard judged == .sound else { return .failed("the salvaged store is not sound: \(judged)") }
        let folder = try swap.perform(isReplaced: true, evidence: place.evidence, at: now) { folder throws(StoreError) in
            try Evidence.report(
                [("name", place.name), ("verdict", "\(verdict)"), ("outcome", "salvaged")], numbers: report.numbers, to: folder)
        }
        log("\(place.name): salvaged; the damaged store is kept in \(folder ?? "")")
        return outcome
    }

    private static func restoreLastGoodCopy(_ place: Place, now: Timestamp, log: (String) -> Void) throws(StoreError) -> BackupHeader? {
        guard FileBytes.exists(place.lastGoodCopy) else { return nil }
        do throws(StoreError) {
            return try Restore.run(place.lastGoodCopy, onto: place, expecting: nil, now: now)
        } catch {
            guard error.code != .full else { throw error }
            log("\(place.name): the last good copy cannot be used: \(error)")
            return nil
        }
    }
}

extension StoreLadder.Place {
    package var evidence: Evidence { Evidence(stateDirectory: stateDirectory) }
}

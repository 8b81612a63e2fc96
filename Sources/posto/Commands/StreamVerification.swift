import Arguments
import Domain
import Store

/// Verifies streams one after the other and tells what was found; `queue verify` and `audit verify` are this.
enum StreamVerification {
    /// - Parameter names: gives the streams to verify, of those that are there.
    /// - Throws: `ExitCode` 1 if a record is missing or changed.
    static func run(
        _ state: StateOptions, _ server: ServerOptions, json: Bool,
        names: (borrowing JournalSource) throws(CommandFailure) -> [String]
    ) throws {
        if let folder = state.folder, let damage = try folder.damage() { return try runApart(folder, damage, json: json, names: names) }
        let source = try JournalSource(state, server)
        try run(try names(source), source, json: json)
    }

    /// Verifies a store that is known to be damaged in a child process, because it may end whoever reads it.
    private static func runApart(
        _ folder: StateFolder, _ damage: CommandFailure, json: Bool,
        names: (borrowing JournalSource) throws(CommandFailure) -> [String]
    ) throws {
        let end: ChildProcess.End
        do throws(StoreError) {
            end = try ChildProcess.run(seconds: Limits.verificationSecondsMax) { _ in
                do {
                    let source = JournalSource.stores(try folder.openStores(areChecked: false))
                    try run(try names(source), source, json: json)
                    return ExitStatus.done.rawValue
                } catch {
                    let outcome = CommandLineEnd.outcome(of: error)
                    // That it is damaged is told in the end anyway.
                    return outcome.status
                }
            }.end
        } catch {
            throw CommandFailure(error, folder.path)
        }
        switch end {
        case .exited(ExitStatus.done.rawValue), .exited(ExitStatus.no.rawValue):
            Terminal.note(damage.message)
            if end != .exited(ExitStatus.done.rawValue) { throw ExitCode(ExitStatus.no.rawValue) }
        default: throw damage
        }
    }

    private static func run(_ names: [String], _ source: borrowing JournalSource, json: Bool) throws {
        var found: [(name: String, verification: JournalVerification)] = []
        for name in names {
            let verification = try verify(name, source)
            found.append((name, verification))
            if !json { Terminal.print(sentence(name, verification)) }
        }
        if json { Terminal.print(document(found)) }
        if found.contains(where: { $0.verification.finding != .intact }) { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private static func verify(_ name: String, _ source: borrowing JournalSource) throws(CommandFailure) -> JournalVerification {
        switch source {
        case .daemon(let connection): return try RemoteVerification.verify(name, connection)
        case .stores(let stores):
            do throws(StoreError) {
                guard let (store, row) = try JournalSource.find(name, in: stores) else {
                    throw StoreError(.corrupted, "find the stream \(name), which was there a moment ago")
                }
                return try JournalVerifier.verify(row.id, in: store)
            } catch {
                throw CommandFailure(error, "the stream \(name)")
            }
        }
    }

    static func sentence(_ name: String, _ verification: JournalVerification) -> String {
        let name = HumanText.clean(name)
        switch verification.finding {
        case .intact where verification.records == 0: return "\(name): empty."
        case .intact:
            return
                "\(name): intact, \(HumanText.count(verification.records, "record")) from \(verification.first) to \(verification.last)."
        case .broken(let seq, let reason):
            return "\(name): BROKEN at record \(seq): \(reason); \(HumanText.count(verification.records, "record")) before it are right."
        }
    }

    private static func document(_ found: [(name: String, verification: JournalVerification)]) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.key("intact"); json.bool(found.allSatisfy { $0.verification.finding == .intact })
            json.key("streams")
            json.array { json in
                for (name, verification) in found {
                    json.object { json in
                        json.key("name"); json.string(name)
                        json.key("intact"); json.bool(verification.finding == .intact)
                        json.key("records"); json.unsigned(verification.records)
                        json.key("first_seq"); json.unsigned(verification.records == 0 ? 0 : verification.first)
                        json.key("last_seq"); json.unsigned(verification.records == 0 ? 0 : verification.last)
                        if case .broken(let seq, let reason) = verification.finding {
                            json.key("broken_seq"); json.unsigned(seq)
                            json.key("reason"); json.string(reason)
                        }
                    }
                }
            }
        }
        return json.finish()
    }
}

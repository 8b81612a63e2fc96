import CPlatform
import Domain
import Glibc

/// What the check at open says of the file of an environment.
package enum StoreVerdict: Equatable, Sendable {
    case sound
    /// What was found first, in words.
    case damaged(String)
    /// Written by a later version, whose number is given. Nothing was touched.
    case newerFormat(UInt32)
    /// No file, or one that was never begun.
    case missing
    /// Another process has the environment open and may write to it.
    case busy
    /// The system does not let us look; nothing is said of the store.
    case unreadable(String)
}

/// The check at open: what a start needs, and no more, so that it takes as long for 10 GiB as for ten pages.
///
/// The file is read in a child process, first by hand, then through LMDB, read-only and without its lock file; an assertion, a signal or an
/// alarm there is a verdict here. The file is never written to (Documentation/FORMATS.md §7 has the list of what is looked at).
package enum StoreCheck {
    enum ExitStatus {
        static let sound: Int32 = 0
        static let damaged: Int32 = 1
        static let newerFormat: Int32 = 2
        static let missing: Int32 = 3
        static let busy: Int32 = 4
        static let unreadable: Int32 = 5
    }

    /// - Parameters:
    ///   - path: the environment's file.
    ///   - formatVersion: the newest format of the store that this version reads.
    /// - Throws: `.system` if no child could be started; the store was not looked at.
    package static func run(path: String, formatVersion: UInt32, seconds: Int = Limits.checkSecondsMax) throws(StoreError) -> StoreVerdict {
        try look(path: path, formatVersion: formatVersion, seconds: seconds).verdict
    }

    /// The check, and the epoch of a sound store that has one.
    static func look(path: String, formatVersion: UInt32, seconds: Int = Limits.checkSecondsMax) throws(StoreError)
        -> (verdict: StoreVerdict, epoch: UInt32?)
    {
        let (end, answer) = try ChildProcess.run(seconds: seconds) { answer in
            var inspection = StoreInspection(path: path, formatVersion: formatVersion)
            do throws(StoreInspection.Finding) {
                answer.send(IdentityRow.bytes(try inspection.run() ?? 0))
                return ExitStatus.sound
            } catch {
                answer.send(error.text)
                return error.status
            }
        }
        let verdict = verdict(end, String(decoding: answer, as: UTF8.self))
        return (verdict, verdict == .sound ? IdentityRow.number(answer).flatMap { $0 == 0 ? nil : $0 } : nil)
    }

    static func verdict(_ end: ChildProcess.End, _ text: String) -> StoreVerdict {
        switch end {
        case .exited(ExitStatus.sound): .sound
        case .exited(ExitStatus.damaged): .damaged(text)
        case .exited(ExitStatus.newerFormat): .newerFormat(UInt32(text) ?? .max)
        case .exited(ExitStatus.missing): .missing
        case .exited(ExitStatus.busy): .busy
        case .exited(ExitStatus.unreadable): .unreadable(text)
        case .exited(let status): .damaged("the check ended with status \(status)")
        case .signalled(let signal): .damaged("the check was ended by signal \(signal)")
        case .timedOut: .damaged("the check did not end in time")
        }
    }
}

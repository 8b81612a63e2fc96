import CPlatform
import Domain
import Glibc

/// Rebuilds an environment from whatever whole records lie on the pages of a damaged one, in a child process.
///
/// The trees are not followed: every leaf page is looked at, and the CRC of each record decides. What is lost is what lay on the damaged pages.
/// The rules by which deleted records stay deleted are in Documentation/FORMATS.md §7.
package enum Salvage {
    package enum Outcome: Equatable, Sendable {
        /// The new file is complete and on disk.
        case done(SalvageReport)
        /// There is no new file; why, in words.
        case failed(String)
        /// The new file could not be written for lack of room. The damaged one is as good as before.
        case noRoom
    }

    private enum ExitStatus {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let noRoom: Int32 = 2
    }

    /// - Parameters:
    ///   - damaged: the file to read. It is not changed.
    ///   - target: the file to write; replaced if it exists.
    ///   - streams: those of the configuration, because pages know only their numbers. Names that the file still tells are added.
    /// - Throws: `.system` if no child could be started.
    package static func run(_ damaged: String, into target: String, streams: [Table], formatVersion: UInt32) throws(StoreError) -> Outcome {
        let gigabytes = (FileBytes.size(damaged) ?? 0) >> 30
        let (end, answer) = try ChildProcess.run(seconds: Limits.salvageSecondsMax * (1 + gigabytes)) { answer in
            do throws(StoreError) {
                answer.send(try rebuild(damaged, into: target, streams: streams, formatVersion: formatVersion).encoded)
                return ExitStatus.done
            } catch {
                answer.send(error.description)
                return error.code == .full ? ExitStatus.noRoom : ExitStatus.failed
            }
        }
        if case .exited(ExitStatus.done) = end, let report = SalvageReport(encoded: answer) { return .done(report) }
        unlink(target)
        switch end {
        case .exited(ExitStatus.noRoom): return .noRoom
        case .exited: return .failed(String(decoding: answer, as: UTF8.self))
        case .signalled(let signal): return .failed("the salvage was ended by signal \(signal)")
        case .timedOut: return .failed("the salvage did not end in time")
        }
    }

    /// The child's work.
    static func rebuild(_ damaged: String, into target: String, streams: [Table], formatVersion: UInt32) throws(StoreError) -> SalvageReport
    {
        let names = Dictionary((Table.all + streams).map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        var scan = try SalvageScan(damaged, indexPath: target + ".index", names: names)
        scan.walk()
        var builder = try EnvironmentBuilder(path: target, dataBytes: scan.file.bytes.count)
        try scan.deliver { (name, id, key, value) throws(StoreError) in try builder.append(id, name, key, value) }
        var report = scan.report
        if report.kept > 0 {
            // Numbers at the end of a stream may be lost and will be given again; another epoch keeps them apart.
            let known = try builder.number(.epoch) ?? scan.epochMax
            let epoch = max(known, scan.epochMax) + 1
            try builder.put(.epoch, IdentityRow.bytes(epoch), epoch: epoch, revision: UInt64(epoch))
            if try builder.number(.formatVersion) == nil {
                try builder.put(.formatVersion, IdentityRow.bytes(formatVersion), epoch: epoch, revision: 0)
            }
            report.epoch = UInt64(epoch)
            report.identityLost = try builder.has(.storeID) ? 0 : 1
        }
        try builder.finish()
        return report
    }
}

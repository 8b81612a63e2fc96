import CPlatform
import Domain
import Glibc

/// Puts a finished new file in the place of a store's file, and the old one among the evidence.
///
///     NAME.building ──finished──▶ NAME.next ──▶ NAME          (renamed over the old one, which is linked into evidence first)
///
/// Whenever the power goes, either the old file or the new one is under the name, or the new one waits as `NAME.next` and
/// `finishInterrupted` puts it in place.
struct StoreSwap {
    let path: String

    var building: String { path + ".building" }
    var next: String { path + ".next" }
    private var folder: String { path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") }
    private var name: String { String(path.split(separator: "/").last ?? "store") }

    /// Clears up after a crash. To be called before the store is looked at.
    ///
    /// - Returns: whether a new file that had been finished was put in place.
    func finishInterrupted() throws(StoreError) -> Bool {
        unlink(building)
        unlink(building + ".index")
        guard FileBytes.exists(next) else { return false }
        guard FileBytes.exists(path) else {
            try FileBytes.rename(next, to: path)
            try FileBytes.syncFolder(folder)
            return true
        }
        // The old one still stands: whatever was to be done will be decided anew.
        unlink(next)
        return false
    }

    /// Sets the old file aside, and puts `building` in its place if there is one.
    ///
    /// - Parameter isReplaced: false to leave nothing under the name: the store begins empty.
    /// - Returns: the folder of the evidence; nil if there was no old file.
    func perform(isReplaced: Bool, evidence: Evidence, at time: Timestamp, report: (String) throws(StoreError) -> Void) throws(StoreError)
        -> String?
    {
        if isReplaced { try FileBytes.rename(building, to: next) }
        var kept: String?
        if FileBytes.exists(path) {
            let set = try evidence.makeFolder(name: name, at: time)
            try report(set)
            kept = set
            // The lock file of a damaged store tells nothing true; a new one is made at open.
            if FileBytes.exists(path + "-lock") { try FileBytes.rename(path + "-lock", to: "\(set)/\(name)-lock") }
            // Linked, not renamed, so that there is no moment without a store; a file system without links has that moment.
            if !isReplaced || link(path, "\(set)/\(name)") != 0 { try FileBytes.rename(path, to: "\(set)/\(name)") }
            try FileBytes.syncFolder(set)
            try FileBytes.syncFolder(evidence.root)
        }
        if isReplaced {
            unlink(path + "-lock")
            try FileBytes.rename(next, to: path)
        }
        try FileBytes.syncFolder(folder)
        return kept
    }
}

import CPlatform
import Domain
import Glibc

/// Damaged and replaced stores, set aside under `evidence/` in the state folder: `<time>-<name>/` with the file, its lock file and `report.json`.
///
/// The daemon never deletes one. Beyond `Limits.evidenceSetsMax` health asks for them to be fetched (`Evidence.list`).
package struct Evidence: Sendable {
    /// One set.
    package struct Item: Equatable, Sendable {
        package let folder: String
        package let bytes: Int
    }

    package let root: String

    package init(stateDirectory: String) { root = stateDirectory + "/evidence" }

    /// Makes the folder of a new set.
    ///
    /// - Returns: its path, which no other set has.
    func makeFolder(name: String, at time: Timestamp) throws(StoreError) -> String {
        guard mkdir(root, 0o700) == 0 || errno == EEXIST else { throw StoreError(.system, "make \(root)", number: errno) }
        let base = root + "/" + Self.compact(time) + "-" + name
        for attempt in 0..<1_000 {
            let path = attempt == 0 ? base : "\(base)-\(attempt)"
            if mkdir(path, 0o700) == 0 { return path }
            guard errno == EEXIST else { throw StoreError(errno == ENOSPC ? .full : .system, "make \(path)", number: errno) }
        }
        throw StoreError(.system, "find a free name for \(base)", number: EEXIST)
    }

    /// `20261121T040139Z`.
    static func compact(_ time: Timestamp) -> String {
        let seconds = Timestamp(milliseconds: time.milliseconds / 1_000 * 1_000)
        return String(seconds.rfc3339.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" && $0 != "Z" }) + "Z"
    }

    /// Writes `report.json` into a set.
    static func report(_ fields: [(name: String, value: String)], numbers: [(name: String, value: UInt64)], to folder: String)
        throws(StoreError)
    {
        var json = JSONWriter()
        json.object { json in
            for field in fields {
                json.key(dynamic: field.name)
                json.string(field.value)
            }
            for number in numbers {
                json.key(dynamic: number.name)
                json.unsigned(number.value)
            }
        }
        json.newline()
        let text = json.finish()
        let file = open(folder + "/report.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreError(.system, "write a report to \(folder)", number: errno) }
        defer { close(file) }
        try text.span.withUnsafeBytes { bytes throws(StoreError) in try FileBytes.write(bytes, to: file, "write a report to \(folder)") }
        guard fsync(file) == 0 else { throw StoreError(.system, "write a report to \(folder)", number: errno) }
    }

    /// The sets there are, oldest first.
    package func list() -> [Item] {
        Self.names(in: root).sorted().map { name in
            let folder = root + "/" + name
            let bytes = Self.names(in: folder).reduce(0) { sum, file in
                var status = stat()
                // What it takes on the disk: a store may be sparse or preallocated.
                return lstat(folder + "/" + file, &status) == 0 ? sum + Int(status.st_blocks) * 512 : sum
            }
            return Item(folder: folder, bytes: bytes)
        }
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

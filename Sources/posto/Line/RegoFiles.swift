import Domain
import Glibc
import RegoSyntax

/// Files of policy that a person names on the command line: files, and all `.rego` files within folders.
enum RegoFiles {
    /// The files in the order a person expects: as named, folders sorted by name and walked in depth.
    ///
    /// Other files than `.rego` are left out, as `opa` does.
    static func find(_ paths: [String], ignoring patterns: [String] = []) throws(CommandFailure) -> [String] {
        var found: [String] = []
        for path in paths {
            // `file://` is how bundles name files.
            let path = path.hasPrefix("file://") ? String(path.dropFirst(7)) : path
            try walk(path, depth: 0, ignoring: patterns, into: &found)
        }
        return found
    }

    private static func walk(
        _ path: String, depth: Int, ignoring patterns: [String], into found: inout [String]
    ) throws(CommandFailure) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandFailure(system: "read \(path)") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if depth > 0, patterns.contains(where: { fnmatch($0, name, 0) == 0 }) { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            if path.hasSuffix(".rego") { found.append(path) }
            return
        }
        guard depth < Limits.regoFolderDepthMax else {
            throw CommandFailure(
                .inputOutput, "\(path): folders nest deeper than \(Limits.regoFolderDepthMax)", hint: "is there a link that leads back?")
        }
        guard let directory = opendir(path) else { throw CommandFailure(system: "read \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        for name in names.sorted() {
            try walk(path.hasSuffix("/") ? path + name : "\(path)/\(name)", depth: depth + 1, ignoring: patterns, into: &found)
        }
    }

    static func read(_ path: String) throws(CommandFailure) -> SourceText {
        SourceText(name: path, bytes: try InputFile.read(path, bytesMax: SyntaxLimits.sourceBytesMax))
    }

    /// Replaces a file at once: a reader sees the old text or the new one, whatever happens meanwhile.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CommandFailure) {
        // A link stays a link: what it points to is replaced.
        guard let resolved = realpath(path, nil) else { throw CommandFailure(system: "write \(path)") }
        let target = String(cString: resolved)
        free(resolved)
        var status = stat()
        guard stat(target, &status) == 0 else { throw CommandFailure(system: "write \(path)") }
        let temporary = "\(target).posto-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(system: "write \(temporary)") }
        var failure: CommandFailure?
        var rest = bytes[...]
        while !rest.isEmpty, failure == nil {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { failure = CommandFailure(system: "write \(temporary)") } else { rest = rest.dropFirst(count) }
        }
        if failure == nil, fchmod(descriptor, status.st_mode & 0o7777) != 0 || fsync(descriptor) != 0 {
            failure = CommandFailure(system: "write \(temporary)")
        }
        close(descriptor)
        if failure == nil, rename(temporary, target) != 0 { failure = CommandFailure(system: "replace \(path)") }
        if let failure {
            unlink(temporary)
            throw failure
        }
    }
}

import Domain
import Glibc

/// What a configuration is read from, the later over the earlier: the file, `conf.d/*.toml` beside it, the environment, the flags.
package struct ConfigurationSources: Sendable {
    package static let defaultFile = "/etc/posto/posto.toml"

    /// A file that was asked for must be there; nil: the default one, which may be missing.
    package var file: String?
    /// Names and values of all variables; those that do not begin with `POSTO_` or have no `__` are not ours.
    package var environment: [String: String]
    /// `--listen`
    package var listen: [String]
    /// `--socket`
    package var socket: String?
    /// `--state`
    package var stateFolder: String
    /// `--dev`
    package var isDevelopment: Bool
    /// `--assets`: the pages' files are read from there while somebody edits them; nil: they are compiled in.
    package var assetsFolder: String?

    package init(
        file: String? = nil, environment: [String: String] = [:], listen: [String] = [], socket: String? = nil,
        stateFolder: String = "/var/lib/posto", isDevelopment: Bool = false, assetsFolder: String? = nil
    ) {
        self.file = file
        self.environment = environment
        self.listen = listen
        self.socket = socket
        self.stateFolder = stateFolder
        self.isDevelopment = isDevelopment
        self.assetsFolder = assetsFolder
    }

    /// The environment of this process. Before the first thread starts: nobody may change it meanwhile.
    package static func processEnvironment() -> [String: String] {
        var result: [String: String] = [:]
        var at = environ
        while let entry = at.pointee {
            let text = String(cString: entry)
            if text.hasPrefix("POSTO_"), let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            at += 1
        }
        return result
    }
}

/// The few things the loader asks of the file system.
package enum ConfigurationFiles {
    package enum Content {
        case bytes([UInt8])
        case missing
        case unreadable(String)
    }

    package static func read(_ path: String, bytesMax: Int = Limits.configurationFileBytesMax) -> Content {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard fd >= 0 else { return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(String(cString: strerror(errno))) }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0 else { return .unreadable(String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .unreadable("it is not a file") }
        var bytes: [UInt8] = []
        while bytes.count <= bytesMax {
            let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = max(0, Glibc.read(fd, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { return .bytes(bytes) }
            bytes += chunk
        }
        return .unreadable("it has more than \(bytesMax) bytes")
    }

    /// The `*.toml` of a folder in the order of their names' bytes; none if there is no such folder.
    static func tomlFiles(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".toml"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { "\(folder)/\($0)" }
    }
}

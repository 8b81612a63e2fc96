import Glibc

/// Looks for a daemon that somebody runs for trying out, to name it in a hint.
enum DevelopmentDaemon {
    /// How to name it: `--server unix:…`; nil if none is seen.
    static func option() -> String? {
        guard let processes = opendir("/proc") else { return nil }
        defer { closedir(processes) }
        while let entry = readdir(processes) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard Int32(name) != nil, let found = option(of: arguments(of: name), process: name) else { continue }
            return found
        }
        return nil
    }

    /// - Parameter arguments: of a process; the first is its program.
    static func option(of arguments: [String], process: String) -> String? {
        guard arguments.first?.split(separator: "/").last == "posto", arguments.dropFirst().first == "serve", arguments.contains("--dev")
        else { return nil }
        func value(_ option: String) -> String? {
            for (index, argument) in arguments.enumerated() {
                if argument == option, index + 1 < arguments.count { return arguments[index + 1] }
                if argument.hasPrefix(option + "=") { return String(argument.dropFirst(option.count + 1)) }
            }
            return nil
        }
        let path = value("--socket") ?? (value("--state") ?? "/var/lib/posto") + "/posto.sock"
        if path.hasPrefix("/") { return "--server unix:\(path)" }
        // What was given relative to the folder in which that process works.
        var folder = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(process)/cwd", &folder, folder.count)
        guard count > 0 else { return nil }
        return "--server unix:\(String(decoding: folder[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))/\(path)"
    }

    private static func arguments(of process: String) -> [String] {
        guard let bytes = try? InputFile.read("/proc/\(process)/cmdline", bytesMax: 1 << 20) else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

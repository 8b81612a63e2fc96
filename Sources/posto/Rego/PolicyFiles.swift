import Glibc
import Rego
import RegoHost
import RegoSyntax

/// Policies and data that a command line names: files and folders, as `opa` reads them.
struct PolicyFiles {
    /// A file of policy or data; 50 MB of data are within reach of a branch.
    static let fileBytesMax = 1 << 30
    static let depthMax = 64

    private(set) var modules: [Module] = []
    private(set) var data: Value = .emptyObject
    let arena = Arena()
    let options: ParserOptions

    init(version: RegoVersion) { options = ParserOptions(version: version) }

    /// Adds a file, or all files of a folder; `a.b:file.json` puts its data below `data.a.b`.
    mutating func add(_ argument: String) throws {
        var prefix: [String] = []
        var path = argument
        if path.hasPrefix("file://") { path.removeFirst(7) }
        if access(path, F_OK) != 0, let colon = argument.firstIndex(of: ":") {
            prefix = argument[..<colon].split(separator: ".").map(String.init)
            if prefix.first == "data" { prefix.removeFirst() }
            path = String(argument[argument.index(after: colon)...])
        }
        try add(path, prefix, isRoot: true, isBundle: false, depth: 0)
    }

    /// Adds a folder that is a bundle: of its data only the files `data.json` and `data.yaml` count.
    mutating func addBundle(_ path: String) throws {
        var information = stat()
        guard stat(path, &information) == 0 else { throw CommandFailure(system: "read \(path)") }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(
                .usage, "\(path) is not a folder", hint: "unpack the bundle first: mkdir bundle && tar -xzf \(path) -C bundle")
        }
        try add(path, [], isRoot: true, isBundle: true, depth: 0)
    }

    /// A file, or a folder of which only policies and `data.json` count.
    mutating func addBundleOrFile(_ path: String) throws { try add(path, [], isRoot: true, isBundle: true, depth: 0) }

    private mutating func add(_ path: String, _ prefix: [String], isRoot: Bool, isBundle: Bool, depth: Int) throws {
        var information = stat()
        guard stat(path, &information) == 0 else { throw CommandFailure(system: "read \(path)") }
        if information.st_mode & S_IFMT == S_IFDIR {
            guard depth < Self.depthMax else { throw CommandFailure(.usage, "\(path): folders are nested more than \(Self.depthMax) deep") }
            for name in try Self.names(in: path) where !name.hasPrefix(".") {
                var information = stat()
                let child = path == "/" ? "/" + name : path + "/" + name
                let isFolder = stat(child, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
                try add(child, isFolder ? prefix + [name] : prefix, isRoot: false, isBundle: isBundle, depth: depth + 1)
            }
            return
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".rego") {
            try addModule(path)
        } else if name.hasSuffix(".json") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            if isBundle && name != "data.json" && name != "data.yaml" && name != "data.yml" { return }
            try addData(path, prefix)
        } else if isRoot {
            throw CommandFailure(.usage, "\(path) is neither policy nor data", hint: "policies end in .rego, data in .json, .yaml or .yml")
        }
    }

    private static func names(in path: String) throws(CommandFailure) -> [String] {
        guard let directory = opendir(path) else { throw CommandFailure(system: "read \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }

    private mutating func addModule(_ path: String) throws {
        let bytes = try InputFile.read(path, bytesMax: SyntaxLimits.sourceBytesMax)
        modules.append(try RegoParser.module(SourceText(name: path, bytes: bytes), options: options))
    }

    private mutating func addData(_ path: String, _ prefix: [String]) throws {
        var value = try Self.document(path, into: arena)
        for name in prefix.reversed() { value = arena.object([(arena.string(name), value)]) }
        guard value.isObject else { throw RegoErrors("data at the root must be an object", file: path) }
        data = try merged(data, value, path)
    }

    /// Reads a JSON or YAML file.
    static func document(_ path: String, into arena: Arena) throws -> Value {
        let bytes = try InputFile.read(path, bytesMax: fileBytesMax)
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") { return try yaml(bytes, path, into: arena) }
        do {
            return try JSONReader.read(bytes, into: arena)
        } catch {
            throw RegoErrors("\(error.message) (byte \(error.offset))", file: path)
        }
    }

    private static func yaml(_ bytes: [UInt8], _ path: String, into arena: Arena) throws -> Value {
        let query = try Policy(modules: []).query(RegoParser.query(SourceText(name: "", text: "x = yaml.unmarshal(input)")))
        let evaluator = Evaluator(query, host: .libraries(), isStrict: true)
        do {
            let answers = try evaluator.bindings(input: arena.string(bytes))
            guard let answer = answers.first else { return .null }
            return withExtendedLifetime(evaluator) { arena.copy(answer["x"]) }
        } catch {
            throw RegoErrors(error.message, file: path)
        }
    }

    /// Two documents that must not contradict each other.
    private func merged(_ first: Value, _ second: Value, _ path: String) throws -> Value {
        if first.count == 0 { return second }
        var entries = first.entries
        for (key, value) in second.entries {
            guard let index = first.keys.index(of: key) else {
                entries.append((key, value))
                continue
            }
            guard entries[index].value.isObject, value.isObject else {
                throw RegoErrors("merge error", code: "rego_merge_error", file: path)
            }
            entries[index].value = try merged(entries[index].value, value, path)
        }
        return arena.object(entries)
    }
}

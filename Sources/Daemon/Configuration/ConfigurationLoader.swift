import Domain

/// Reads a configuration from its sources and collects everything that is wrong with it.
package struct ConfigurationLoader {
    typealias Problem = ConfigurationError.Problem

    private var configuration = Configuration()
    private var problems: [Problem] = []
    private let sources: ConfigurationSources

    /// - Throws: `ConfigurationError` with all problems, in the order of the sources.
    package static func load(_ sources: ConfigurationSources) throws(ConfigurationError) -> Configuration {
        var loader = ConfigurationLoader(sources: sources)
        loader.readFiles()
        loader.readEnvironment()
        loader.readFlags()
        let (problems, code) = ConfigurationCheck.problems(of: loader.configuration)
        loader.problems += problems
        guard loader.problems.isEmpty else {
            throw ConfigurationError(code: loader.problems.count == problems.count ? code : .configuration, problems: loader.problems)
        }
        return loader.configuration
    }

    private init(sources: ConfigurationSources) {
        self.sources = sources
    }

    // MARK: Files

    private mutating func readFiles() {
        let main = sources.file ?? ConfigurationSources.defaultFile
        read(file: main, mayBeMissing: sources.file == nil)
        let folder = (main.lastIndex(of: "/").map { String(main[...$0]) } ?? "") + "conf.d"
        let files = ConfigurationFiles.tomlFiles(in: folder)
        guard files.count <= Limits.configurationFilesMax else {
            problems.append(
                Problem(origin: .file(folder, line: 0), message: "holds more than \(Limits.configurationFilesMax) files", hint: nil))
            return
        }
        for file in files { read(file: file, mayBeMissing: false) }
    }

    private mutating func read(file path: String, mayBeMissing: Bool) {
        let bytes: [UInt8]
        switch ConfigurationFiles.read(path) {
        case .bytes(let content): bytes = content
        case .missing where mayBeMissing: return
        case .missing: return fault(.file(path, line: 0), "there is no such file", "look at the path, or leave it out to use the defaults")
        case .unreadable(let reason): return fault(.file(path, line: 0), "cannot be read: \(reason)", nil)
        }
        configuration.files.append(path)
        do {
            guard case .table(let sections) = try TomlNode.parse(bytes).value else { preconditionFailure("a TOML document is a table") }
            // Problems come in the order of the lines; the tree comes in the order of the names.
            for (name, node) in sections.sorted(by: { $0.node.line < $1.node.line }) { read(section: name, node, path) }
        } catch {
            fault(.file(path, line: error.line), error.message, "this is not TOML; see https://toml.io/en/v1.0.0")
        }
    }

    private mutating func read(section: String, _ node: TomlNode, _ path: String) {
        let origin = ConfigurationOrigin.file(path, line: node.line)
        if section == "streams" { return readStreams(node, path) }
        guard SettingTable.sections.contains(section) else {
            if case .table = node.value {
            } else if let place = SettingTable.all.first(where: { $0.key == section }) {
                return fault(origin, "\"\(section)\" stands outside of its section", "it belongs below [\(place.section)]")
            }
            return fault(
                origin, "unknown section [\(section)]",
                EditDistance.nearest(to: section, among: SettingTable.sections).map { "did you mean [\($0)]?" }
                    ?? "the sections are \(SettingTable.sections.joined(separator: ", "))")
        }
        guard case .table(let members) = node.value else {
            return fault(origin, "\"\(section)\" must be a table, but is \(node.kind)", "write [\(section)] on a line of its own")
        }
        for (key, value) in members.sorted(by: { $0.node.line < $1.node.line }) {
            let origin = ConfigurationOrigin.file(path, line: value.line)
            guard let setting = SettingTable.all.first(where: { $0.section == section && $0.key == key }) else {
                fault(origin, "unknown key \"\(key)\" in [\(section)]", Self.hint(forUnknown: key, in: section))
                continue
            }
            note(Self.take(setting, from: value, at: origin, into: &configuration), setting.name, origin)
        }
    }

    private mutating func readStreams(_ node: TomlNode, _ path: String) {
        guard case .array(let tables) = node.value else {
            return fault(
                .file(path, line: node.line), "\"streams\" must be a list of tables", "write [[streams]], with two brackets, for each")
        }
        for table in tables {
            let origin = ConfigurationOrigin.file(path, line: table.line)
            guard case .table(let members) = table.value else {
                fault(origin, "a stream must be a table, but is \(table.kind)", "write [[streams]], with two brackets, for each")
                continue
            }
            var stream = Configuration.Stream()
            for case ("name", let value) in members { if case .string(let name) = value.value { stream.name = name } }
            let prefix = "streams.\(stream.name)"
            let before = problems.count
            for (key, value) in members.sorted(by: { $0.node.line < $1.node.line }) {
                let origin = ConfigurationOrigin.file(path, line: value.line)
                guard let setting = SettingTable.stream.first(where: { $0.key == key }) else {
                    let nearest = EditDistance.nearest(to: key, among: SettingTable.stream.map(\.key))
                    fault(origin, "unknown key \"\(key)\" in [[streams]]", nearest.map { "did you mean \"\($0)\"?" })
                    continue
                }
                note(Self.take(setting, from: value, at: origin, into: &stream), "\(prefix).\(key)", origin)
            }
            if stream.name.isEmpty {
                if problems.count == before { fault(origin, "a stream without a name", "add name = \"sales\"") }
                continue
            }
            if let other = configuration.origins["\(prefix)"], configuration.streams.contains(where: { $0.name == stream.name }) {
                fault(origin, "the stream \"\(stream.name)\" is there twice", "the other is at \(other)")
                continue
            }
            configuration.origins["\(prefix)"] = origin
            configuration.streams.append(stream)
        }
    }

    private static func take<Root>(
        _ setting: Setting<Root>, from node: TomlNode, at origin: ConfigurationOrigin, into root: inout Root
    ) -> Problem? {
        do throws(SettingFault) {
            if try setting.takeTOML(&root, node) != nil { return nil }
            return Problem(origin: origin, message: "\(setting.key) is \(node.kind)", hint: "expected \(setting.expected)")
        } catch {
            return Problem(origin: origin, message: "\(setting.key): \(error.message)", hint: error.hint)
        }
    }

    private mutating func note(_ problem: Problem?, _ name: String, _ origin: ConfigurationOrigin) {
        if let problem { problems.append(problem) } else { configuration.origins[name] = origin }
    }

    private static func hint(forUnknown key: String, in section: String) -> String? {
        if let elsewhere = SettingTable.all.first(where: { $0.key == key }) { return "it belongs below [\(elsewhere.section)]" }
        let here = SettingTable.all.filter { $0.section == section }.map(\.key)
        if let nearest = EditDistance.nearest(to: key, among: here) { return "did you mean \"\(nearest)\"?" }
        return "the keys of [\(section)] are \(here.joined(separator: ", "))"
    }

    // MARK: Environment and flags

    private mutating func readEnvironment() {
        for (name, text) in sources.environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("POSTO_") && name.contains("__") {
            guard let setting = SettingTable.all.first(where: { $0.environmentName == name }) else {
                let nearest = EditDistance.nearest(to: name, among: SettingTable.all.map(\.environmentName))
                fault(.environment(name), "no setting has this variable", nearest.map { "did you mean \($0)?" })
                continue
            }
            take(setting, from: text, at: .environment(name))
        }
    }

    private mutating func readFlags() {
        if sources.isDevelopment {
            configuration.isDevelopment = true
            configuration.listen.socket = sources.stateFolder + "/posto.sock"
            configuration.origins["listen.socket"] = .flag("--dev")
        }
        func setting(_ name: String) -> Setting<Configuration> { SettingTable.all.first { $0.name == name }! }
        if !sources.listen.isEmpty { take(setting("listen.http"), from: sources.listen.joined(separator: ","), at: .flag("--listen")) }
        if let socket = sources.socket { take(setting("listen.socket"), from: socket, at: .flag("--socket")) }
    }

    private mutating func take(_ setting: Setting<Configuration>, from text: String, at origin: ConfigurationOrigin) {
        do throws(SettingFault) {
            try setting.takeText(&configuration, text)
            configuration.origins[setting.name] = origin
        } catch {
            fault(origin, error.message, error.hint)
        }
    }

    private mutating func fault(_ origin: ConfigurationOrigin, _ message: String, _ hint: String?) {
        problems.append(Problem(origin: origin, message: message, hint: hint))
    }
}

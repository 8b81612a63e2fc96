import Domain

/// One line of the table of settings: what it is called, what it may be, what it is for.
///
/// Parsing, checking, the environment, `serve --check`, the shipped `posto.toml` and the documentation all come from here.
package struct Setting<Root: Sendable>: Sendable {
    /// `registry`; empty inside `[[streams]]`.
    package let section: String
    package let key: String
    /// To finish the sentence "expected …".
    package let expected: String
    /// A sentence.
    package let help: String
    /// Whether SIGHUP applies a new value to the running daemon.
    package let isReloadable: Bool

    /// Takes what a file says; nil is "of another type".
    let takeTOML: @Sendable (inout Root, TomlNode) throws(SettingFault) -> Void?
    /// Takes what an environment variable or a flag says.
    let takeText: @Sendable (inout Root, String) throws(SettingFault) -> Void
    /// The value as TOML.
    package let write: @Sendable (Root) -> String
    /// Sets the first one's value to the second one's.
    let copy: @Sendable (inout Root, Root) -> Void

    package var name: String { section.isEmpty ? key : "\(section).\(key)" }

    /// `POSTO_REGISTRY__TTL_SECONDS`
    package var environmentName: String { "POSTO_\(section.uppercased())__\(key.uppercased())" }

    init<Value>(
        _ section: String, _ key: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ kind: SettingKind<Value>, reloadable: Bool,
        _ help: String
    ) {
        self.section = section
        self.key = key
        self.expected = kind.expected
        self.help = help
        self.isReloadable = reloadable
        takeTOML = { (root, node) throws(SettingFault) -> Void? in
            guard let value = try kind.fromTOML(node) else { return nil }
            root[keyPath: path] = value
            return ()
        }
        takeText = { (root, text) throws(SettingFault) in root[keyPath: path] = try kind.fromText(text) }
        write = { kind.toTOML($0[keyPath: path]) }
        copy = { $0[keyPath: path] = $1[keyPath: path] }
    }
}

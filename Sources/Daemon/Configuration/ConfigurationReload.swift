/// What a SIGHUP changes.
package struct ConfigurationReload: Sendable {
    /// One value and both of its forms, as TOML.
    package struct Change: Equatable, Sendable {
        /// `registry.ttl_seconds`
        package let name: String
        package let before: String
        package let after: String
    }

    /// The running configuration with what can be changed.
    package let configuration: Configuration
    package let changed: [Change]
    /// What differs too, but only a restart can apply.
    package let needsRestart: [Change]
}

extension Configuration {
    /// Reads the sources again.
    ///
    /// - Throws: `ConfigurationError`; the running configuration stays as it is.
    package func reload(from sources: ConfigurationSources) throws(ConfigurationError) -> ConfigurationReload {
        let new = try ConfigurationLoader.load(sources)
        var applied = new
        var changed: [ConfigurationReload.Change] = []
        var needsRestart: [ConfigurationReload.Change] = []
        for setting in SettingTable.all {
            let change = ConfigurationReload.Change(name: setting.name, before: setting.write(self), after: setting.write(new))
            guard change.before != change.after else { continue }
            if setting.isReloadable {
                changed.append(change)
            } else {
                needsRestart.append(change)
                setting.copy(&applied, self)
                applied.origins[setting.name] = origins[setting.name]
            }
        }
        // The journal opens its streams at the start.
        for name in Set(streams.map(\.name)).union(new.streams.map(\.name)).sorted() {
            let change = ConfigurationReload.Change(
                name: "streams.\(name)", before: ConfigurationText.stream(name, of: self), after: ConfigurationText.stream(name, of: new))
            if change.before != change.after { needsRestart.append(change) }
        }
        applied.streams = streams
        for name in applied.origins.keys where name.hasPrefix("streams.") { applied.origins[name] = nil }
        for (name, origin) in origins where name.hasPrefix("streams.") { applied.origins[name] = origin }
        return ConfigurationReload(configuration: applied, changed: changed, needsRestart: needsRestart)
    }
}

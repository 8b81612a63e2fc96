/// The table of settings as text: what `serve --check` prints, the shipped `posto.toml`, the page of the documentation.
package enum ConfigurationText {
    /// Every value with its origin, as TOML that reads back the same.
    package static func check(_ configuration: Configuration) -> String {
        var text = ""
        for section in SettingTable.sections where section != "streams" {
            text += (text.isEmpty ? "" : "\n") + "[\(section)]\n"
            for setting in SettingTable.all where setting.section == section {
                text += line(setting.key, setting.write(configuration), configuration.origins[setting.name])
            }
        }
        for stream in configuration.streams {
            text += "\n[[streams]]\n"
            for setting in SettingTable.stream {
                text += line(setting.key, setting.write(stream), configuration.origins["streams.\(stream.name).\(setting.key)"])
            }
        }
        return text
    }

    /// The file that the package installs: everything that can be set, each at its default and commented out.
    package static func shippedFile() -> String {
        let defaults = Configuration()
        var text = """
            # Posto. Every setting with its default; take away the "#" to change one.
            # Files in conf.d/*.toml are read after this one, then POSTO_SECTION__KEY of the environment, then flags.
            # "posto serve --check" prints the result and where each value comes from.

            """
        for section in SettingTable.sections where section != "streams" {
            text += "\n# \(SettingTable.help(ofSection: section))\n[\(section)]\n"
            for setting in SettingTable.all where setting.section == section {
                text +=
                    "# \(setting.help)\(setting.isReloadable ? "" : " (Needs a restart.)")\n#\(setting.key) = \(setting.write(defaults))\n"
            }
        }
        text += "\n# \(SettingTable.help(ofSection: "streams"))\n#[[streams]]\n"
        var example = Configuration.Stream()
        example.name = "sales"
        for setting in SettingTable.stream { text += "# \(setting.help)\n#\(setting.key) = \(setting.write(example))\n" }
        return text
    }

    /// A table in Markdown.
    package static func documentation() -> String {
        let defaults = Configuration()
        var text = "| setting | default | expected | reload | what it is for |\n|---|---|---|---|---|\n"
        for setting in SettingTable.all {
            text +=
                "| `\(setting.name)` | `\(setting.write(defaults))` | \(setting.expected) | \(setting.isReloadable ? "SIGHUP" : "restart") | \(setting.help) |\n"
        }
        for setting in SettingTable.stream {
            text +=
                "| `streams.\(setting.key)` | `\(setting.write(Configuration.Stream()))` | \(setting.expected) | restart | \(setting.help) |\n"
        }
        return text
    }

    /// A stream on one line; empty if there is none of that name.
    static func stream(_ name: String, of configuration: Configuration) -> String {
        guard let stream = configuration.streams.first(where: { $0.name == name }) else { return "" }
        return "{ " + SettingTable.stream.map { "\($0.key) = \($0.write(stream))" }.joined(separator: ", ") + " }"
    }

    private static func line(_ key: String, _ value: String, _ origin: ConfigurationOrigin?) -> String {
        "\(key) = \(value)  # \(origin ?? .builtIn)\n"
    }
}

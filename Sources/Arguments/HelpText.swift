/// What `--help` prints of a command.
struct HelpText {
    private let path: CommandPath
    private let declarations: Declarations

    static let width = 80
    /// Where explanations begin.
    static let column = 26

    init(of path: CommandPath) {
        // What a default subcommand takes is what its parent takes.
        let next = path.configuration.defaultSubcommand
        self.path = path
        declarations = Declarations(of: (next ?? path.command).init())
    }

    init(of command: any ParsableCommand.Type) { self.init(of: CommandPath(command)) }

    /// `posto services [<name>] [--json]`, in short if that is longer than a line.
    var usage: String {
        let isParent = !path.configuration.subcommands.isEmpty
        if isParent, path.configuration.defaultSubcommand == nil { return "\(path.text) <subcommand>" }
        let positionals = declarations.positionals.map { declaration in
            let name = declaration.placeholder + (declaration.isRepeatable ? " ..." : "")
            return declaration.isRequired ? name : "[\(name)]"
        }
        let options = declarations.options.filter(\.help.isListed).map { declaration in
            let name = declaration.spoken + (declaration.isRepeatable ? " ..." : "")
            return declaration.isRequired ? name : "[\(name)]"
        }
        let whole = ([path.text] + positionals + options).joined(separator: " ")
        if whole.count <= Self.width { return whole }
        let required = declarations.options.filter(\.isRequired).map(\.spoken)
        return ([path.text, "[<options>]"] + required + positionals).joined(separator: " ")
    }

    var text: String {
        let configuration = path.configuration
        var sections: [String] = []
        if !configuration.abstract.isEmpty { sections.append(Self.wrap("OVERVIEW: \(configuration.abstract)", indent: 0)) }
        let next = configuration.defaultSubcommand
        let discussion = configuration.discussion.isEmpty ? next?.configuration.discussion ?? "" : configuration.discussion
        if !discussion.isEmpty { sections.append(Self.wrap(discussion, indent: 0)) }
        sections.append("USAGE: \(usage)")
        sections += argumentSections
        let listed = path.listed.filter { command in next.map { $0 != command } ?? true }
        if !listed.isEmpty {
            sections.append(Self.section("SUBCOMMANDS", listed.map { ($0.commandName, $0.configuration.abstract, "") }))
            sections.append("  \(path.text) <subcommand> --help tells more.")
        }
        return sections.joined(separator: "\n\n")
    }

    private var argumentSections: [String] {
        var titles = ["Arguments"]
        var rows: [String: [(String, String, String)]] = [:]
        for declaration in declarations.all where declaration.help.isListed {
            let isPositional = declaration.kind == .positional
            let title = isPositional ? "Arguments" : declaration.title.isEmpty ? "Options" : declaration.title
            if !titles.contains(title), title != "Options" { titles.append(title) }
            rows[title, default: []].append((Self.label(declaration), Self.explanation(declaration), declaration.help.discussion))
        }
        rows["Options", default: []] += [("--version", "Show the version.", ""), ("-h, --help", "Show help.", "")]
        return (titles + ["Options"]).compactMap { title in rows[title].map { Self.section(title.uppercased(), $0) } }
    }

    private static func label(_ declaration: Declaration) -> String {
        if declaration.kind == .positional { return declaration.placeholder }
        let names = declaration.spellings.sorted { $0.count < $1.count }.joined(separator: ", ")
        return declaration.kind == .flag ? names : "\(names) \(declaration.placeholder)"
    }

    private static func explanation(_ declaration: Declaration) -> String {
        let abstract = declaration.help.abstract
        var notes: [String] = []
        if !declaration.words.allSatisfy(abstract.contains) { notes.append("values: \(declaration.words.joined(separator: ", "))") }
        if !declaration.defaultWord.isEmpty { notes.append("default: \(declaration.defaultWord)") }
        return abstract + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
    }

    /// A heading, and a table of two columns under it.
    private static func section(_ title: String, _ rows: [(label: String, explanation: String, discussion: String)]) -> String {
        var lines = ["\(title):"]
        for row in rows {
            let label = "  \(row.label)"
            let text = wrap(row.explanation, indent: column)
            if label.count < column {
                lines.append(label + String(repeating: " ", count: column - label.count) + text.dropFirst(column))
            } else {
                lines.append(label)
                if !row.explanation.isEmpty { lines.append(text) }
            }
            if !row.discussion.isEmpty { lines.append(wrap(row.discussion, indent: column)) }
        }
        return lines.joined(separator: "\n")
    }

    /// Lines of the text, each broken at spaces where it is longer than the page.
    static func wrap(_ text: String, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { source in
            let own = margin + String(source.prefix { $0 == " " })
            var lines: [String] = []
            var line = own
            for word in source.split(separator: " ") {
                if line.count > own.count, line.count + 1 + word.count > width {
                    lines.append(line)
                    line = own
                }
                line += (line.count > own.count ? " " : "") + word
            }
            return (lines + [line.allSatisfy { $0 == " " } ? "" : line]).joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

import Domain

/// A command with the way to it: `posto queue peek`.
struct CommandPath {
    private(set) var types: [any ParsableCommand.Type]

    init(_ root: any ParsableCommand.Type) { types = [root] }

    var command: any ParsableCommand.Type { types[types.count - 1] }
    var configuration: CommandConfiguration { command.configuration }
    /// As it is typed. A default subcommand is not: nobody needs to.
    var text: String {
        var words: [String] = []
        var parent: (any ParsableCommand.Type)?
        for type in types {
            if parent?.configuration.defaultSubcommand.map({ $0 == type }) != true { words.append(type.commandName) }
            parent = type
        }
        return words.joined(separator: " ")
    }

    func subcommand(_ word: String) -> (any ParsableCommand.Type)? { configuration.subcommands.first { $0.commandName == word } }

    /// Those that are listed.
    var listed: [any ParsableCommand.Type] { configuration.subcommands.filter { $0.configuration.shouldDisplay } }

    mutating func enter(_ command: any ParsableCommand.Type) { types.append(command) }

    func entering(_ command: any ParsableCommand.Type) -> CommandPath {
        var path = self
        path.enter(command)
        return path
    }

    /// A word where a command belongs, and none is.
    func noCommand(_ word: String) -> CommandLineMistake {
        let near = EditDistance.nearest(to: word, among: listed.map { $0.commandName })
        return CommandLineMistake(
            message: "\(text) has no command \(word)", hint: near.map { "did you mean \(text) \($0)?" } ?? "\(text) --help lists them")
    }

    /// A mistake in the arguments of the command.
    func mistake(_ message: String) -> CommandLineMistake {
        let usage = HelpText(of: self).usage
        return CommandLineMistake(message: message, hint: "\(usage); \(text) --help tells more")
    }
}

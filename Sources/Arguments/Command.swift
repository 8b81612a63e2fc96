/// A group of arguments that commands share; a struct whose properties are `@Option`, `@Flag`, `@Argument` or `@OptionGroup`.
///
/// An instance is made empty by `init()`; what was typed is put into it, then `validate` is asked.
package protocol ParsableArguments: SendableMetatype {
    init()

    /// Refuses combinations that no single argument shows to be wrong.
    /// - Throws: `ValidationError`, a sentence for who typed.
    func validate() throws
}

extension ParsableArguments {
    package func validate() throws {}
}

/// A command, or a node of the tree of commands.
package protocol ParsableCommand: ParsableArguments {
    static var configuration: CommandConfiguration { get }

    /// Does it. A command that has subcommands only explains itself.
    func run() throws
}

extension ParsableCommand {
    /// What is typed for it: its name in the configuration, or the type's in kebab case.
    package static var commandName: String { configuration.commandName ?? kebabCase("\(Self.self)") }

    package func run() throws { throw CommandLineAnswer.help(HelpText(of: Self.self).text) }
}

/// What a command says about itself.
package struct CommandConfiguration: Sendable {
    package var commandName: String?
    /// One sentence.
    package var abstract: String
    /// Paragraphs, each one line of source or several; wrapped for who reads.
    package var discussion: String
    /// What `--version` prints; at the root.
    package var version: String
    /// False: it works but is not listed.
    package var shouldDisplay: Bool
    package var subcommands: [any ParsableCommand.Type]
    /// Who takes the words when the first of them is no subcommand.
    package var defaultSubcommand: (any ParsableCommand.Type)?

    package init(
        commandName: String? = nil, abstract: String = "", discussion: String = "", version: String = "", shouldDisplay: Bool = true,
        subcommands: [any ParsableCommand.Type] = [], defaultSubcommand: (any ParsableCommand.Type)? = nil
    ) {
        self.commandName = commandName
        self.abstract = abstract
        self.discussion = discussion
        self.version = version
        self.shouldDisplay = shouldDisplay
        self.subcommands = subcommands
        self.defaultSubcommand = defaultSubcommand
    }
}

/// The help of one argument.
package struct ArgumentHelp: ExpressibleByStringInterpolation, Sendable {
    package var abstract: String
    /// A line of its own below.
    package var discussion: String
    /// What stands for the value in help: `file` is shown as `<file>`.
    package var valueName: String?
    /// False: it works but is not listed.
    package var isListed: Bool

    package init(_ abstract: String = "", discussion: String = "", valueName: String? = nil, isListed: Bool = true) {
        self.abstract = abstract
        self.discussion = discussion
        self.valueName = valueName
        self.isListed = isListed
    }

    package init(stringLiteral value: String) { self.init(value) }
}

/// What is wrong with a combination of arguments, as a sentence.
package struct ValidationError: Error, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// The status of a process that has told its reasons already.
package struct ExitCode: Error, Equatable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// A question about the command line itself; its answer goes to standard output, and the status is 0.
package enum CommandLineAnswer: Error, Equatable {
    case help(String), version(String), completions(String)

    package var text: String {
        switch self {
        case .help(let text), .version(let text), .completions(let text): text
        }
    }
}

/// What was typed wrong.
package struct CommandLineMistake: Error, Equatable {
    /// A sentence that begins small and has no stop at its end.
    package var message: String
    /// What to do next.
    package var hint: String
}

/// `queuePeek` and `QueuePeek` as `queue-peek`.
func kebabCase(_ name: some StringProtocol) -> String {
    var result = ""
    var last: Character = "-"
    for character in name {
        if character.isUppercase, last != "-", !last.isUppercase { result.append("-") }
        result += character.lowercased()
        last = character
    }
    return result
}

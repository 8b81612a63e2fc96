import ArgumentParser
import Domain
import Glibc

/// How a command line ends: turns what was thrown into sentences and an exit status.
enum CommandLineEnd {
    /// What a person reads, and the status.
    struct Outcome: Equatable {
        var status: Int32
        var output = ""
        var message: String?
        var hint: String?
    }

    /// - Parameter arguments: what was typed behind the program's name.
    static func outcome(of error: any Error, _ arguments: [String] = Array(CommandLine.arguments.dropFirst())) -> Outcome {
        if let failure = error as? CommandFailure {
            return Outcome(status: failure.status.rawValue, message: failure.message, hint: failure.hint)
        }
        if let code = error as? ExitCode { return Outcome(status: code.rawValue) }
        // `--help`, `--version` and completion scripts are thrown as well, and are answers.
        let code = Posto.exitCode(for: error)
        if code == .success {
            if arguments.first == "help", let unknown = unknownCommand(Array(arguments.dropFirst())) { return unknown }
            return Outcome(status: 0, output: Posto.fullMessage(for: error))
        }
        guard code == .validationFailure else {
            return Outcome(status: ExitStatus.internal.rawValue, message: Posto.message(for: error))
        }
        if let unknown = unknownCommand(arguments) { return unknown }
        return Outcome(
            status: ExitStatus.usage.rawValue, message: sentence(Posto.message(for: error)), hint: usage(in: Posto.fullMessage(for: error)))
    }

    /// Tells it and ends the process.
    static func end(_ error: any Error) -> Never {
        let outcome = outcome(of: error)
        if !outcome.output.isEmpty { Terminal.print(outcome.output) }
        if let message = outcome.message { Terminal.fail(message, hint: outcome.hint) }
        exit(outcome.status)
    }

    /// A word where a command belongs, and none is.
    private static func unknownCommand(_ arguments: [String]) -> Outcome? {
        var commands: [any ParsableCommand.Type] = Posto.configuration.subcommands
        var path = "posto"
        for word in arguments {
            guard !commands.isEmpty, !word.hasPrefix("-") else { return nil }
            if let known = commands.first(where: { $0._commandName == word }) {
                commands = known.configuration.subcommands
                path += " \(word)"
                continue
            }
            guard word != "help" else { return nil }
            let names = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            return Outcome(
                status: ExitStatus.usage.rawValue, message: "\(path) has no command \(HumanText.clean(word))",
                hint: EditDistance.nearest(to: word, among: names).map { "did you mean \(path) \($0)?" } ?? "\(path) --help lists them")
        }
        return nil
    }

    /// Begins small and ends without a stop, as our own messages do.
    private static func sentence(_ text: String) -> String {
        var text = text.split(separator: "\n").joined(separator: " ")
        while text.hasSuffix(".") { text.removeLast() }
        guard let first = text.first, text.dropFirst().first?.isUppercase != true else { return text }
        return first.lowercased() + text.dropFirst()
    }

    /// The parser's `Usage:` and the line that says where to read more, as one hint.
    private static func usage(in text: String) -> String? {
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        guard let first = lines.firstIndex(where: { $0.hasPrefix("Usage: ") }) else { return nil }
        let more = lines[first...].first { $0.hasPrefix("See '") }?.dropFirst(5).prefix { $0 != "'" }
        let usage = lines[first].dropFirst(7)
        guard let more else { return String(usage) }
        // A line with every option says nothing to somebody who mistyped one.
        return usage.count > 100 ? "\(more) shows how" : "\(usage); \(more) tells more"
    }
}

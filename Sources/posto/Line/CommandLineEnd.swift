import Arguments
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

    static func outcome(of error: any Error) -> Outcome {
        switch error {
        case let failure as CommandFailure: Outcome(status: failure.status.rawValue, message: failure.message, hint: failure.hint)
        case let code as ExitCode: Outcome(status: code.rawValue)
        // `--help`, `--version` and completion scripts are thrown as well, and are answers.
        case let answer as CommandLineAnswer: Outcome(status: 0, output: answer.text)
        case let mistake as CommandLineMistake:
            Outcome(
                status: ExitStatus.usage.rawValue, message: HumanText.clean(sentence(mistake.message)), hint: HumanText.clean(mistake.hint))
        default: Outcome(status: ExitStatus.internal.rawValue, message: "\(error)")
        }
    }

    /// Tells it and ends the process.
    static func end(_ error: any Error) -> Never {
        let outcome = outcome(of: error)
        if !outcome.output.isEmpty { Terminal.print(outcome.output) }
        if let message = outcome.message { Terminal.fail(message, hint: outcome.hint) }
        exit(outcome.status)
    }

    /// Begins small and ends without a stop, as our own messages do.
    private static func sentence(_ text: String) -> String {
        var text = text
        while text.hasSuffix(".") { text.removeLast() }
        guard let first = text.first, text.dropFirst().first?.isUppercase != true else { return text }
        return first.lowercased() + text.dropFirst()
    }
}

import Glibc
import ServiceManager

extension Configuration.Log {
    /// Where the lines go. Opens the journal's socket if that is the answer.
    package func makeSink() -> LogSink {
        switch format {
        case .json: .json(STDERR_FILENO)
        case .text: .text(STDERR_FILENO)
        case .journal: .openJournal()
        case .auto:
            LogSink.standardErrorIsJournal(environment: getenv("JOURNAL_STREAM").map { String(cString: $0) })
                ? .openJournal() : .json(STDERR_FILENO)
        }
    }
}

extension Configuration.Log.Level {
    package var logLevel: LogLevel {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}

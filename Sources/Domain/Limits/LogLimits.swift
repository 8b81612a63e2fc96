extension Limits {
    /// One line: PIPE_BUF of Linux (pipe(7)), so that a write is whole or not at all and never waits once the pipe is writable.
    package static let logLineBytesMax = 4_096
    /// Of a text in a line that is too long.
    package static let logValueBytesMax = 256
    /// Lines of one event within a window; a fault in a loop must fill neither disk nor journal.
    package static let logBurstMax = 100
    package static let logBurstWindow = Duration.seconds(10)
}

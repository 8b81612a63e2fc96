import Glibc

/// Where the command line speaks to people and programs.
enum Terminal {
    /// The answer: to standard output. Ends the process quietly when nobody reads any more (`posto services | head`).
    static func print(_ text: String) {
        switch write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) {
        case 0: return
        case EPIPE: exit(0)
        case let number:
            fail("cannot write the answer: \(String(cString: strerror(number)))", hint: nil)
            exit(ExitStatus.inputOutput.rawValue)
        }
    }

    /// For a command that waits for news: ends the process quietly as soon as the reader of a pipe leaves, not at the next line that it would
    /// have been given (`posto watch | head -1`).
    static func endWithReader() {
        var status = stat()
        guard fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { _ in
                // Nothing is asked for: only the error that a pipe without a reader has wakes it.
                var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
                while poll(&output, 1, -1) < 0, errno == EINTR {}
                if output.revents & Int16(POLLERR) != 0 { _exit(0) }
                return nil
            }, nil)
        if code == 0 { pthread_detach(thread) }
    }

    /// As `print`, for bytes that are text already.
    static func print(_ bytes: [UInt8]) { print(String(decoding: bytes, as: UTF8.self)) }

    /// As `print`, for a command that has more to do than to be read.
    static func tell(_ text: String) { _ = write(text + "\n", to: STDOUT_FILENO) }

    /// Exactly these bytes, to standard output; for a command that has more to do.
    static func put(_ bytes: [UInt8]) { _ = write(String(decoding: bytes, as: UTF8.self), to: STDOUT_FILENO) }

    /// Errors in what a person wrote, each with its place: to standard error.
    static func complain(_ text: String) { _ = write(text + "\n", to: STDERR_FILENO) }

    /// What went wrong, in one sentence, and what to do next: to standard error.
    static func fail(_ message: String, hint: String?) {
        _ = write("posto: \(message)\n" + (hint.map { "hint: \($0)\n" } ?? ""), to: STDERR_FILENO)
    }

    /// Something that a person should know and that is not the answer: to standard error.
    static func note(_ text: String) { _ = write("posto: \(text)\n", to: STDERR_FILENO) }

    /// Colours are for people who look at a terminal and did not refuse them (no-color.org).
    static let hasColours =
        isatty(STDOUT_FILENO) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        && getenv("TERM").map { String(cString: $0) != "dumb" } ?? false

    /// Asks a person; nil if nobody can be asked.
    static func confirm(_ question: String) -> Bool? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil }
        _ = write("\(question) [y/N] ", to: STDERR_FILENO)
        let answer = readLine()?.lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Writes everything; 0, or the errno of what stopped it.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return 0
        }
    }
}

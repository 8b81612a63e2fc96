import Glibc

/// Where the command line speaks to people and programs.
enum Terminal {
    /// The answer: to standard output.
    static func print(_ text: String) {
        write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO)
    }

    /// What goes on, for a person who waits: to standard error.
    static func note(_ message: String) { write(message + "\n", to: STDERR_FILENO) }

    /// What went wrong, in one sentence, and what to do next: to standard error.
    static func fail(_ message: String, hint: String?) {
        write("posto: \(message)\n" + (hint.map { "hint: \($0)\n" } ?? ""), to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                // A reader that left (`posto services | head`) wants no more.
                if count <= 0 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}

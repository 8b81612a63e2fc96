import Domain
import RegoSyntax

/// Errors in policies, as `opa` prints them: for people and as JSON.
struct RegoErrorReport {
    private struct Entry {
        var message: String
        var code: String?
        var file = ""
        var problem: SyntaxProblem?
    }

    private var entries: [Entry] = []
    /// They were found while reading files, not afterwards.
    var isOfLoading = false

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ error: SyntaxError) {
        for problem in error.problems {
            entries.append(Entry(message: problem.message, code: problem.code, file: error.file, problem: problem))
        }
    }

    /// Something that has no place in a file.
    mutating func add(message: String) { entries.append(Entry(message: message)) }

    /// Keeps the first errors, and says that there were more.
    mutating func limit(to count: Int) {
        guard count > 0, entries.count > count else { return }
        entries.removeLast(entries.count - count)
        entries.append(Entry(message: "error limit reached", code: SyntaxProblem.compileError))
    }

    var text: String {
        let texts = entries.map { entry in
            entry.problem?.text(file: entry.file) ?? (entry.code.map { "\($0): " } ?? "") + entry.message
        }
        let count = "\(texts.count) error\(texts.count == 1 ? "" : "s") occurred\(isOfLoading ? " during loading" : "")"
        return texts.count == 1 ? "\(count): \(texts[0])" : "\(count):\n\(texts.joined(separator: "\n"))"
    }

    /// `{"errors": [{"message", "code", "location": {"file", "row", "col"}, "details": {"line", "idx"}}]}`
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("errors")
            writer.array { writer in
                for entry in entries {
                    writer.object { writer in
                        writer.key("message")
                        writer.string(entry.message)
                        if let code = entry.code {
                            writer.key("code")
                            writer.string(code)
                        }
                        if let problem = entry.problem { Self.write(problem, file: entry.file, to: &writer) }
                    }
                }
            }
        }
        return writer.finish()
    }

    private static func write(_ problem: SyntaxProblem, file: String, to writer: inout JSONWriter) {
        writer.key("location")
        writer.object { writer in
            writer.key("file")
            writer.string(file)
            writer.key("row")
            writer.integer(problem.location.row)
            writer.key("col")
            writer.integer(problem.location.column)
        }
        guard let detail = problem.detail else { return }
        writer.key("details")
        writer.object { writer in
            writer.key("line")
            writer.string(detail.line)
            writer.key("idx")
            writer.integer(detail.index)
        }
    }
}

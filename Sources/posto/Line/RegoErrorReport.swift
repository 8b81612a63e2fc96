import Domain
import Rego
import RegoSyntax

/// Errors in policies, as `opa` prints them: for people and as JSON.
struct RegoErrorReport {
    private struct Entry {
        var message: String
        var code: String?
        var file = ""
        var problem: SyntaxProblem?
        /// What the type checker says beside it.
        var detail: TypeErrorDetail?
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

    mutating func add(_ error: CompileError) {
        for problem in error.problems {
            entries.append(
                Entry(
                    message: problem.message, code: problem.code, file: problem.file,
                    problem: SyntaxProblem(code: problem.code, message: problem.message, at: problem.location), detail: problem.detail))
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
            let text = entry.problem?.text(file: entry.file) ?? (entry.code.map { "\($0): " } ?? "") + entry.message
            return ([text] + (entry.detail?.lines ?? [])).joined(separator: "\n\t")
        }
        let count = "\(texts.count) error\(texts.count == 1 ? "" : "s") occurred\(isOfLoading ? " during loading" : "")"
        return texts.count == 1 ? "\(count): \(texts[0])" : "\(count):\n\(texts.joined(separator: "\n"))"
    }

    /// `{"errors": [{"message", "code", "location": {"file", "row", "col"}, "details": {"line", "idx"}}]}`
    var json: [UInt8] {
        var writer = Domain.JSONWriter()
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
                        if let detail = entry.detail {
                            writer.key("details")
                            detail.write(to: &writer)
                        }
                    }
                }
            }
        }
        return writer.finish()
    }

    private static func write(_ problem: SyntaxProblem, file: String, to writer: inout Domain.JSONWriter) {
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

extension TypeErrorDetail {
    /// As `opa` writes it: `{"want": …, "have": …}`.
    func write(to writer: inout Domain.JSONWriter) {
        writer.object { writer in
            switch self {
            case .arguments(let have, let want):
                writer.key("want")
                writer.object { writer in
                    guard !want.isEmpty else { return }
                    writer.key("args")
                    writer.array { writer in for one in want { one.type.write(name: one.name, to: &writer) } }
                }
                writer.key("have")
                writer.array { writer in for one in have { one.write(to: &writer) } }
            case .unification(let left, let right):
                writer.key("a")
                left.write(to: &writer)
                writer.key("b")
                right.write(to: &writer)
            case .unsupported(let reference, let position, let have):
                writer.key("have")
                have.write(to: &writer)
                writer.key("ref")
                writer.string(reference.joined())
                writer.key("pos")
                writer.integer(position)
            case .invalid(let reference, let position, let have, _, let want, let oneOf):
                if let have {
                    writer.key("have")
                    have.write(to: &writer)
                }
                writer.key("want")
                want.write(to: &writer)
                writer.key("ref")
                writer.string(reference.joined())
                writer.key("oneOf")
                writer.array { writer in for one in oneOf { writer.string(one) } }
                writer.key("pos")
                writer.integer(position)
            }
        }
    }
}

extension ValueType {
    /// As `opa` writes a type: `{"type": "array", "dynamic": {"type": "any"}}`; null for what is unknown.
    fileprivate func write(name: String = "", to writer: inout Domain.JSONWriter) {
        if case .unknown = self {
            writer.null()
            return
        }
        writer.object { writer in
            if !name.isEmpty {
                writer.key("name")
                writer.string(name)
            }
            writer.key("type")
            switch self {
            case .unknown, .any: writer.string("any")
            case .null, .boolean, .number, .string: writer.string(text)
            case .array(let first, let rest):
                writer.string("array")
                if !first.isEmpty { Self.write(first, "static", to: &writer) }
                if let rest {
                    writer.key("dynamic")
                    rest.write(to: &writer)
                }
            case .set(let element):
                writer.string("set")
                writer.key("of")
                element.write(to: &writer)
            case .object(let fields, let rest):
                writer.string("object")
                if !fields.isEmpty {
                    writer.key("static")
                    writer.array { writer in
                        for field in fields {
                            writer.object { writer in
                                writer.key("key")
                                writer.string(field.key.text)
                                writer.key("value")
                                field.type.write(to: &writer)
                            }
                        }
                    }
                }
                if let rest {
                    writer.key("dynamic")
                    writer.object { writer in
                        writer.key("key")
                        rest.key.write(to: &writer)
                        writer.key("value")
                        rest.value.write(to: &writer)
                    }
                }
            case .oneOf(let types):
                writer.string("any")
                Self.write(types, "of", to: &writer)
            case .function(let function):
                writer.string("function")
                if !function.parameters.isEmpty { Self.write(function.parameters, "args", to: &writer) }
                if let result = function.result {
                    writer.key("result")
                    result.write(to: &writer)
                }
            }
        }
    }

    private static func write(_ types: [ValueType], _ key: StaticString, to writer: inout Domain.JSONWriter) {
        writer.key(key)
        writer.array { writer in for type in types { type.write(to: &writer) } }
    }
}

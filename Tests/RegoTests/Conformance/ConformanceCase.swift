import Glibc
import Rego
import RegoHost
import RegoSyntax

/// One of OPA's conformance cases, and how it is judged (`conformance/rego/README.md`).
struct ConformanceCase {
    let folder: String
    let fields: Value
    /// What `fields` points into.
    let arena: Arena
    private let kept = Kept()

    /// Evaluators whose memory the case still uses.
    private final class Kept { var evaluators: [Evaluator] = [] }

    init(folder: String, fields: Value, arena: Arena) {
        self.folder = folder
        self.fields = fields
        self.arena = arena
    }

    var note: String { fields["note"].asString ?? "" }
    var category: String { fields["category"].asString ?? "" }
    /// Cases may share a note.
    var name: String { "\(folder)/\(fields["file"].asString ?? "") [\(fields["index"].asInt64 ?? 0)] \(note)" }

    /// Nil when the case passes, else what went wrong.
    func failure(_ builtins: BuiltinTable, _ host: Host) -> String? {
        switch outcome(builtins, host) {
        case .compileError(let text): return "does not compile: \(text)"
        case .error(let code, let text):
            guard fields["want_error_code"].isDefined || fields["want_error"].isDefined else { return "error: \(text)" }
            if let wanted = fields["want_error_code"].asString, wanted != code { return "error \(code) instead of \(wanted): \(text)" }
            if let wanted = fields["want_error"].asString, !text.contains(wanted) { return "the error says \"\(text)\", not \"\(wanted)\"" }
            return nil
        case .answers(let answers):
            if fields["want_error_code"].isDefined || fields["want_error"].isDefined {
                return "no error, wanted \(fields["want_error_code"].asString ?? "") \(fields["want_error"].asString ?? "")"
            }
            let got = normal(answers)
            let wanted = normal(fields["want_result"].elements)
            return got == wanted ? nil : "got \(brief(got)), wanted \(brief(wanted))"
        }
    }

    private enum Outcome {
        case compileError(String)
        case error(code: String, text: String)
        case answers([Value])
    }

    private func outcome(_ builtins: BuiltinTable, _ host: Host) -> Outcome {
        let version: RegoVersion = folder == "v0" ? .v0 : .v1
        do {
            let modules = try fields["modules"].elements.enumerated().map { index, text in
                try RegoParser.module(
                    SourceText(name: "test-\(index).rego", text: text.asString ?? ""), options: ParserOptions(version: version))
            }
            let policy = try Policy(modules: modules, builtins: builtins, host: host)
            let query = try policy.query(RegoParser.query(SourceText(name: "", text: fields["query"].asString ?? "")))
            let evaluator = Evaluator(query, host: host, isStrict: fields["strict_error"].isTrue)
            let input = try self.input(builtins, host)
            let data = fields["data"].isDefined ? fields["data"] : .emptyObject
            let answers = try evaluator.bindings(input: input, data: data)
            // The evaluator's memory goes with it.
            return .answers(answers.map { copy($0) })
        } catch let error as EvaluationError {
            return .error(code: error.code.rawValue, text: error.text)
        } catch let error as CompileError {
            return .compileError(
                error.problems.map { "\($0.location.row):\($0.location.column): \($0.code): \($0.message)" }.joined(separator: "; "))
        } catch {
            return .compileError("\(error)")
        }
    }

    private func input(_ builtins: BuiltinTable, _ host: Host) throws -> Value {
        guard let term = fields["input_term"].asString else { return fields["input"] }
        let policy = try Policy(modules: [], builtins: builtins)
        let evaluator = Evaluator(try policy.query(RegoParser.query(SourceText(name: "", text: "x = " + term))), host: host)
        let answers = try evaluator.bindings()
        kept.evaluators.append(evaluator)
        return answers.first?["x"] ?? .undefined
    }

    /// As JSON: sets become arrays.
    private func copy(_ value: Value) -> Value {
        (try? JSONReader.read(Array(JSONWriter.text(value).utf8), into: arena)) ?? .null
    }

    private func normal(_ answers: [Value]) -> Value {
        arena.set(
            answers.map { answer in
                arena.object(
                    answer.entries.compactMap { key, value in
                        if fields["ignore_generated_vars"].isTrue, key.asString?.hasPrefix("__local") == true { return nil }
                        if fields["sort_bindings"].isTrue, value.isArray { return (key, arena.array(value.elements.sorted())) }
                        return (key, value)
                    })
            })
    }

    private func brief(_ value: Value) -> String { String(JSONWriter.text(value).prefix(300)) }

    // MARK: the folder

    static let root: String? = {
        let parent = #filePath.split(separator: "/").dropLast(5)
        let beside = "/" + parent.joined(separator: "/") + "/shared"
        let shared = getenv("POSTO_SHARED").map { String(cString: $0) } ?? beside
        let rego = shared + "/conformance/rego"
        return access(rego + "/README.md", R_OK) == 0 ? rego : nil
    }()

    static var isHere: Bool { root != nil }

    static func all(_ folder: String) -> [ConformanceCase] {
        guard let root, let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if file.hasSuffix(".jsonl") { files.append(file) }
        }
        return files.sorted().flatMap { file in
            bytes("\(root)/\(folder)/\(file)").split(separator: 0x0A).compactMap { line in
                let arena = Arena()
                guard let fields = try? JSONReader.read(Array(line), into: arena) else { return nil }
                return ConformanceCase(folder: folder, fields: fields, arena: arena)
            }
        }
    }

    static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { all += buffer[..<count] }
        return all
    }
}
